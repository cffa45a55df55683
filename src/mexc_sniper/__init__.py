"""Sees every new spot listing on MEXC and trades it under limits its owner can trust."""

from importlib.metadata import PackageNotFoundError, version

try:
    __version__ = version("mexc-sniper")
except PackageNotFoundError:  # running from a checkout that was never installed
    __version__ = "0+unknown"
