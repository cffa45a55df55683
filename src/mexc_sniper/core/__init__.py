"""Words and numbers of the whole program; imports nothing else of it and does no I/O."""
