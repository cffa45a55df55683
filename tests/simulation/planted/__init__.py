"""Bugs planted on purpose: a simulation that finds none of them proves nothing (RELIABILITY 0.9)."""
