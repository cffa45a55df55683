"""Tells people what happened: reads the numbered events, never the venue, and holds no secret but the channels' own."""
