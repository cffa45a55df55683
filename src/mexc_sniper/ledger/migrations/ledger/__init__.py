"""Revisions of the engine's tables: ``l0001``, ``l0002`` …"""
