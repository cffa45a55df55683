"""The polled sources: one reader per source (bytes to events, with its memory), and one loop that polls them all."""
