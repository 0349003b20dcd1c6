"""The engine: whatever is ready deploys at once, in order; facts about what happens."""
