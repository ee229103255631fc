"""From people to segments: find, test their stability, describe, use."""
