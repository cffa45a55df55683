"""Hostile input for everything that reads what others wrote: frames, bodies, settings, the web API."""
