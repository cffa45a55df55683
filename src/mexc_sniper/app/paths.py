"""Where things lie on the operator's disk."""

import os
from pathlib import Path


def _state_home() -> Path:
    return Path(os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state")


def default_data_dir() -> Path:
    """Return the directory used when none is set: ``~/.local/state/mexc-sniper``."""
    return _state_home() / "mexc-sniper"


def demo_data_dir() -> Path:
    """Return the directory of ``mexc-sniper demo``, apart from the real one."""
    return _state_home() / "mexc-sniper-demo"
