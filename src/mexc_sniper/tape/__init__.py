"""Raw frames and answers to disk as they came, and back through the same parsers (DESIGN 3)."""
