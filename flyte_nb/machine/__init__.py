"""What this machine has, what tasks claim of it, and whose turn it is."""
