"""The venue's bytes to model values: one file per kind of message, no I/O, no memory, no clock.

Strict on what is needed, relaxed about the rest: a missing required field raises `ProtocolError`, unknown fields
are ignored, unknown enumeration values become UNKNOWN. Nothing else is ever raised, whatever the bytes.
"""
