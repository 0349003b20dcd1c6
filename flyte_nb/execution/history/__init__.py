"""What becomes of runs: they are recorded while they go on, and found again in this session and in later ones."""
