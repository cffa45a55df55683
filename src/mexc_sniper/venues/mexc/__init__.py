"""The adapter for MEXC spot v3. "REFERENCE n" in its docstrings is a section of the protocol notes (docs/venue.md)."""
