"""Fixtures of the simulator's own tests."""

from tests.support.simulator import simulator

__all__ = ["simulator"]
