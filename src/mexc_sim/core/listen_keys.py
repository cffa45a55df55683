"""Listen keys of the private stream: 60 minutes of life, extended by PUT (REFERENCE 1.9)."""

from collections import Counter
from hashlib import sha256
from itertools import count

from mexc_sim.core.replies import Refusal
from mexc_sim.core.timers import NS_PER_S
from mexc_sim.core.world import World

MOST_KEYS = 60
MOST_CONNECTIONS = 5
"""Sockets per key (REFERENCE 1.9)."""


class ListenKeys:
    """All listen keys of the account."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._ends_ns: dict[str, int] = {}
        self._sockets: Counter[str] = Counter()
        self._numbers = count(1)

    def make(self) -> str:
        """A new key.

        Raises:
            Refusal: there are 60 already (the venue's code for this is not known; 30029 is ours).
        """
        if len(self.alive()) >= MOST_KEYS:
            raise Refusal(30029, "The number of listen keys has reached its maximum")
        key = sha256(f"listen:{self._world.seed}:{next(self._numbers)}".encode()).hexdigest()
        self._ends_ns[key] = self._next_end_ns()
        return key

    def extend(self, key: str) -> str:
        """Make a key live for its whole time from now."""
        self._demand(key)
        self._ends_ns[key] = self._next_end_ns()
        return key

    def close(self, key: str) -> str:
        """End a key."""
        self._demand(key)
        del self._ends_ns[key]
        return key

    def expire(self, key: str | None = None) -> int:
        """Let one key, or all of them, die now as if their time were over; returns how many."""
        victims = [name for name in self.alive() if key is None or name == key]
        for name in victims:
            del self._ends_ns[name]
        return len(victims)

    def is_alive(self, key: str) -> bool:
        """Whether pushes still flow to sockets of this key."""
        return self._ends_ns.get(key, 0) > self._world.timers.now_ns

    def alive(self) -> list[str]:
        """Keys that have not ended, oldest first."""
        now = self._world.timers.now_ns
        self._ends_ns = {key: end for key, end in self._ends_ns.items() if end > now}
        return list(self._ends_ns)

    def enter(self, key: str) -> bool:
        """A socket with this key opens; False when the key is dead or has its five sockets."""
        if not self.is_alive(key) or self._sockets[key] >= MOST_CONNECTIONS:
            return False
        self._sockets[key] += 1
        return True

    def leave(self, key: str) -> None:
        """A socket that entered is gone."""
        self._sockets[key] -= 1

    def _next_end_ns(self) -> int:
        return self._world.timers.now_ns + int(self._world.rules.listen_key_life_s * NS_PER_S)

    def _demand(self, key: str) -> None:
        if not self.is_alive(key):
            raise Refusal(22222, "record does not exist")  # the venue's own answer is not known
