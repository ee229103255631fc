"""From extracts to checked tables: reading, gates, people, and the example council."""
