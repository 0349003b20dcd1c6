"""The plan: what a deployment would do, and whether it still would."""
