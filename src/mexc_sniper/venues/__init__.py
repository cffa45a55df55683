"""Adapters: one package per venue, each implementing `mexc_sniper.ports`."""
