"""A disk whose power can be cut: only what was fsynced is sure to be there afterwards, the rest sector by sector by
chance, and names only as they were at the last fsync of the directory, or as they would have become."""

import threading
from itertools import count
from pathlib import Path
from random import Random

from mexc_sniper.journal import Disk
from mexc_sniper.journal.disk import Segment

SECTOR = 512
_BOOTS = count()


class PowerCut(OSError):
    """The machine went dark."""


class CutDisk(Disk):
    """Counts an fsync only when it has ended; `hold` keeps fsyncs from ending."""

    def __init__(self, directory: Path) -> None:
        super().__init__(directory)
        self.boot = f"boot {next(_BOOTS)}"
        self.names_now: dict[str, CutSegment | bytes] = {}
        self.names_synced: dict[str, CutSegment | bytes] = {}
        self.holding = False
        self._allowed: int | None = None
        self._flowing = threading.Event()
        self._cut_now = False

    def open(self) -> None:
        super().open()
        for path in self.directory.iterdir():
            if path.name != "lock":
                self.names_now[path.name] = self.names_synced[path.name] = path.read_bytes()

    def hold(self, *, after: int = 0) -> None:
        """Let no fsync end any more once ``after`` more have."""
        self._flowing.clear()
        self._allowed = after

    def flow(self) -> None:
        """Let them end again."""
        self._allowed = None
        self._flowing.set()

    def wait_for_power(self) -> None:
        """The end of an fsync. The loop's own thread (a start) cannot wait for it: there it goes dark at once."""
        if self._allowed is not None:
            if self._allowed > 0:
                self._allowed -= 1
                return
            if threading.current_thread() is threading.main_thread():
                raise PowerCut("dark")
            self.holding = True
            assert self._flowing.wait(20)
            self.holding = False
        if self._cut_now:
            raise PowerCut("dark")

    def create(self, name: str, size: int) -> Segment:
        segment = CutSegment(self, self.directory / name, size)
        self.names_now[name] = segment
        return segment

    def replace(self, name: str, content: bytes) -> None:
        super().replace(name, content)
        self.names_now[name] = content
        self.sync_names()

    def remove(self, name: str) -> None:
        super().remove(name)
        self.names_now.pop(name, None)

    def rename(self, name: str, new: str) -> None:
        super().rename(name, new)
        self.names_now[new] = self.names_now.pop(name)

    def sync_names(self) -> None:
        names = dict(self.names_now)
        self.wait_for_power()
        self.names_synced = names

    def cut(self, target: Path, dice: Random) -> None:
        """End everything; leave in ``target`` what the next start finds."""
        left = {
            name: file.after_cut(dice) if isinstance(file, CutSegment) else file
            for name, file in (self.names_synced if dice.random() < 0.5 else self.names_now).items()
        }
        self._cut_now = True
        self._flowing.set()
        target.mkdir()
        for name, content in left.items():
            (target / name).write_bytes(content)


class CutSegment(Segment):
    """A file of which the disk holds what `sync` had when it began."""

    def __init__(self, disk: CutDisk, path: Path, size: int) -> None:
        super().__init__(path, size)
        self._power = disk
        self._on_disk = bytes(size)
        self._last: bytes | None = None

    def sync(self) -> None:
        content = bytes(self._map)
        self._power.wait_for_power()
        self._on_disk = content

    def close(self) -> None:
        self._last = bytes(self._map)
        super().close()

    def after_cut(self, dice: Random) -> bytes:
        """Every sector as fsynced or as stored since, by chance."""
        now = bytes(self._map) if self._last is None else self._last
        luck = dice.choice((0.0, 0.5, 0.9, 1.0))
        parts = [
            (now if dice.random() < luck else self._on_disk)[at : at + SECTOR] for at in range(0, self.size, SECTOR)
        ]
        return b"".join(parts)
