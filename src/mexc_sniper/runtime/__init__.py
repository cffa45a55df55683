"""The shell around the pure engine: runs its effects, turns the world's answers into events."""
