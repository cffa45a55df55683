"""Revisions of the web process's tables: ``i0001``, ``i0002`` …"""
