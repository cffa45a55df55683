"""Deterministic simulation: the real engine, runtime and MEXC adapter in virtual time (RELIABILITY 3.2)."""
