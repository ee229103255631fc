"""Stock from flow: who comes, how long they stay, where they move, and what those who are there now go on to cost."""
