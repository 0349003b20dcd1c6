"""Running tasks: who called whom, and what became of it."""
