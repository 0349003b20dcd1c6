"""An ordinary Flyte project: written from what would be deployed, and brought back into a session."""
