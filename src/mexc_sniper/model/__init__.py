"""The nouns of the field as frozen values, and the messages that carry them; no I/O, no decisions."""
