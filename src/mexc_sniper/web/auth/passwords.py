"""Passwords as argon2id hashes: 64 MiB, three rounds, four lanes (RELIABILITY 4.5); at most two at a time."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from argon2 import PasswordHasher, Type
from argon2.exceptions import InvalidHashError, VerificationError

T = TypeVar("T")

MEMORY_KIB = 64 * 1024
ROUNDS = 3
LANES = 4
PARALLEL = 2
"""Hashes made at once: 128 MiB and two threads at most, however many guess."""
LEAST_CHARACTERS = 12
MOST_CHARACTERS = 256
_LEAST_DIFFERENT = 6

_NOBODYS = (
    f"$argon2id$v=19$m={MEMORY_KIB},t={ROUNDS},p={LANES}"
    "$pBHbMrPtJCHFvWJyRZhQTQ$jGsFjbzCRW4Ry9Tq0oAmZ5yZCKQ5CtqgVJ1ebzHmzw4"
)
"""Random bytes in the form of a hash: no password leads to it, and to find that out takes as long as for a real one."""


class Passwords:
    """Makes and checks hashes beside the loop."""

    def __init__(self) -> None:
        self._hasher = PasswordHasher(time_cost=ROUNDS, memory_cost=MEMORY_KIB, parallelism=LANES, type=Type.ID)
        self._threads = ThreadPoolExecutor(PARALLEL, thread_name_prefix="password")

    async def hash(self, password: str) -> str:
        """Return a new hash with a salt of its own."""
        return await self._beside(lambda: self._hasher.hash(password))

    async def matches(self, password: str, stored: str | None) -> bool:
        """Compare; an account that does not exist (None) takes the same work as one that does."""
        return await self._beside(lambda: self._verify(stored or _NOBODYS, password)) and stored is not None

    def outdated(self, stored: str) -> bool:
        """Whether a hash was made with other parameters than ours; then make a new one while the password is known."""
        return self._hasher.check_needs_rehash(stored)

    def close(self) -> None:
        """Let running hashes finish."""
        self._threads.shutdown(wait=True, cancel_futures=True)

    def _verify(self, stored: str, password: str) -> bool:
        try:
            return self._hasher.verify(stored, password)
        except (VerificationError, InvalidHashError):
            return False

    async def _beside(self, work: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._threads, work)


def weakness(password: str) -> str | None:
    """Return what is wrong with a new password in words, None when it will do."""
    if len(password) < LEAST_CHARACTERS:
        return f"must have at least {LEAST_CHARACTERS} characters; four random words are easy to keep in mind"
    if len(password) > MOST_CHARACTERS:
        return f"must have at most {MOST_CHARACTERS} characters"
    if not password.isprintable():
        return "must not hold control characters"
    if len(set(password)) < _LEAST_DIFFERENT:
        return f"must hold at least {_LEAST_DIFFERENT} different characters"
    return None
