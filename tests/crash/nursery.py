"""Engine processes in quick succession: a process that has imported the program and forks one life after another.

    python -m tests.crash.nursery

Reads one JSON object a line: ``{"argv": […], "env": {…}, "log": path}`` starts ``mexc-sniper`` with these arguments in
a process of its own and answers its id; ``{"reap": pid}`` waits for its end and answers how it ended. A life costs the
engine's own start, not the second in which an interpreter imports it: nothing of a life is shared with another, for the
nursery has no threads, no sockets and no loop.
"""

import gc
import importlib
import json
import os
import sys
from typing import Any

PARTS = (
    "mexc_sniper.app.cli",
    "mexc_sniper.app.bootstrap",
    "mexc_sniper.app.gateway",
    "mexc_sniper.app.trading",
    "mexc_sniper.app.budget_file",
    "mexc_sniper.ledger.inbox",
    "mexc_sniper.ledger.live",
    "mexc_sniper.ledger.writer",
    "mexc_sniper.runtime.loop",
    "mexc_sniper.runtime.process",
    "uvloop",
)


def main() -> None:
    """Serve until the input ends."""
    for name in PARTS:
        importlib.import_module(name)
    gc.collect()
    gc.freeze()
    _say({"ready": True})
    for line in sys.stdin:
        order = json.loads(line)
        if "reap" in order:
            _, status = os.waitpid(order["reap"], 0)
            _say({"code": os.waitstatus_to_exitcode(status)})
        else:
            _say({"pid": _start(order)})


def _say(what: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(what) + "\n")
    sys.stdout.flush()


def _start(order: dict[str, Any]) -> int:
    pid = os.fork()
    if pid:
        return pid
    os.setsid()
    nothing = os.open(os.devnull, os.O_RDONLY)
    log = os.open(order["log"], os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    os.dup2(nothing, 0)
    os.dup2(log, 1)
    os.dup2(log, 2)
    os.environ.clear()
    os.environ.update(order["env"])
    sys.argv = ["mexc-sniper", *order["argv"]]
    code = 1
    try:
        sys.modules["mexc_sniper.app.cli"].main()
        code = 0
    except SystemExit as left:
        code = left.code if isinstance(left.code, int) else 1
    finally:
        os._exit(code)


if __name__ == "__main__":
    main()
