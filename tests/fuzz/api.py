"""schemathesis on the published contract, against a real web process beside a stand-in engine.

    python -m tests.fuzz.api --cases 10000

Every operation of openapi.json gets valid and deliberately wrong calls (``data`` phase), then sequences that follow the
contract's links and its ids (``stateful`` phase). No answer may be a 5xx, but the 503 with an error body that a part
which is away is promised to give, and every error must be ``{code, message, details}``.
"""

import argparse
import asyncio
import contextlib
import json
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import hypothesis
import hypothesis.stateful
import requests
import schemathesis
import structlog
from hypothesis import HealthCheck, Phase
from schemathesis import GenerationMode
from schemathesis.core.result import Ok

from mexc_sniper.ledger.location import locate
from tests.crash.kill_loop import progress, show
from tests.simulation.figures import record
from tests.web.world import WebWorld, a_web_world

CONTRACT = Path(__file__).parents[2] / "openapi.json"
STREAMS = ("/events/stream",)
"""Answers without an end."""


class Answers:
    """What came back, and what should not have."""

    def __init__(self) -> None:
        self.cases = 0
        self.status: Counter[int] = Counter()
        self.wrong: dict[str, str] = {}
        self.operations: set[str] = set()

    def see(self, label: str, told: str, response: Any) -> None:
        """Judge one answer."""
        self.cases += 1
        self.operations.add(label)
        self.status[response.status_code] += 1
        status = response.status_code
        if status < 400:
            return
        try:
            body = json.loads(response.content)
        except ValueError:
            body = None
        fine = isinstance(body, dict) and set(body) == {"code", "message", "details"}
        if status >= 500 and not (status == 503 and fine):
            self.wrong.setdefault(f"{label} answers {status}", told)
        elif not fine and response.request.method != "HEAD":
            self.wrong.setdefault(f"{label} answers {status} without code, message and details", told)


@contextlib.contextmanager
def served(directory: Path) -> Iterator[tuple[str, str]]:
    """A web process with a ledger and an engine that answers; yields its address and its token."""
    ready: threading.Event = threading.Event()
    over: list[asyncio.Event] = []
    loops: list[asyncio.AbstractEventLoop] = []
    found: list[WebWorld] = []
    failed: list[BaseException] = []

    async def serve() -> None:
        limits = {"reads_per_minute": 10_000_000, "commands_per_minute": 10_000_000, "trade_wait_s": 0.02}
        async with a_web_world(locate(None, directory), directory, **limits) as world:
            over.append(asyncio.Event())
            loops.append(asyncio.get_running_loop())
            found.append(world)
            ready.set()
            await over[0].wait()

    def run() -> None:
        try:
            asyncio.run(serve())
        except BaseException as error:  # told to whoever waits
            failed.append(error)
            ready.set()

    thread = threading.Thread(target=run)
    thread.start()
    ready.wait(30)
    if not found:
        raise RuntimeError(f"the web process did not start: {failed}")
    try:
        yield found[0].url, found[0].token
    finally:
        loops[0].call_soon_threadsafe(over[0].set)
        thread.join(20)


def fuzz(cases: int, *, seed: int = 1, minutes: float = 600.0, quiet: bool = False) -> tuple[dict[str, Any], Answers]:
    """Send about ``cases`` calls; returns figures and answers."""
    began = time.monotonic()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(50))  # a line a call would be half the time
    answers = Answers()
    schema = schemathesis.openapi.from_path(str(CONTRACT))
    operations = [found.ok() for found in schema.get_all_operations() if isinstance(found, Ok)]
    operations = [one for one in operations if one.path not in STREAMS]
    each = min(10, max(2, cases // (len(operations) * 2) + 1))  # all of them before more of any
    with contextlib.ExitStack() as stack:
        directory = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="mxs-api-")))
        url, token = stack.enter_context(served(directory))
        session = stack.enter_context(requests.Session())
        session.trust_env = False
        bar = stack.enter_context(progress())
        bar.disable = quiet
        task = bar.add_task("API calls", total=cases, said="")

        def call(case: Any) -> Any:
            headers = {"Authorization": f"Bearer {token}"}
            try:
                response = case.call(base_url=url, session=session, headers=headers, timeout=20, allow_redirects=False)
            except (UnicodeError, ValueError):  # no client could send that
                hypothesis.reject()
            except requests.RequestException as error:
                answers.wrong.setdefault(f"{case.operation.label}: {type(error).__name__}", case.as_curl_command())
                hypothesis.reject()
            answers.see(case.operation.label, case.as_curl_command(), response)
            if answers.cases % 50 == 0:
                bar.update(task, completed=answers.cases, said=f"{len(answers.wrong)} wrong")
            return response

        turn = 0
        until = began + minutes * 60

        def more(wanted: int) -> bool:
            return answers.cases < wanted and time.monotonic() < until

        while more(cases * 3 // 4):
            turn += 1
            for operation in operations:
                if not more(cases):
                    break
                for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE):
                    _throw(operation.as_strategy(generation_mode=mode), call, each, seed + turn)
        _follow(schema, call, lambda: more(cases), seed)
    structlog.reset_defaults()
    figures = {
        "cases": answers.cases,
        "operations": len(answers.operations),
        "answers_5xx_unpromised": sum(" answers 5" in text for text in answers.wrong),
        "wrong_answers": len(answers.wrong),
        "status": {str(status): count for status, count in sorted(answers.status.items())},
        "took_s": round(time.monotonic() - began),
    }
    return figures, answers


def _throw(cases: Any, call: Any, examples: int, seed: int) -> None:
    @hypothesis.seed(seed)
    @hypothesis.settings(
        max_examples=examples, deadline=None, database=None, phases=[Phase.explicit, Phase.generate],
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    @hypothesis.given(case=cases)
    def throw(case: Any) -> None:
        call(case)

    with contextlib.suppress(hypothesis.errors.Unsatisfiable):  # a GET without anything to be wrong about
        throw()


def _follow(schema: Any, call: Any, more: Any, seed: int) -> None:
    """Walk through the contract: what one answer names is used in the next call."""
    machine = schema.as_state_machine()

    class Walk(machine):  # type: ignore[misc,valid-type]
        def call(self, case: Any, **_: Any) -> Any:
            hypothesis.assume(case.operation.path not in STREAMS)
            return call(case)

        def validate_response(self, *_: Any, **__: Any) -> None:
            """Judged by `Answers`."""

    turn = 0
    while more() and turn < 400:
        turn += 1
        settings = hypothesis.settings(
            max_examples=20, stateful_step_count=12, deadline=None, database=None,
            phases=[Phase.generate], suppress_health_check=list(HealthCheck),
        )  # fmt: skip
        with contextlib.suppress(hypothesis.errors.Unsatisfiable, hypothesis.errors.Flaky):
            hypothesis.stateful.run_state_machine_as_test(hypothesis.seed(seed + turn)(Walk), settings=settings)


def main() -> int:
    """Fuzz, print, write the figures; 1 on any wrong answer."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cases", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--minutes", type=float, default=600.0, help="end after this time with what was done")
    chosen = parser.parse_args()
    figures, answers = fuzz(chosen.cases, seed=chosen.seed, minutes=chosen.minutes)
    figures["seed"] = chosen.seed
    show("api_fuzz", figures, [f"{text}: {told}" for text, told in answers.wrong.items()])
    sys.stdout.write(f"{record('api_fuzz', figures)}\n")
    return 1 if answers.wrong else 0


if __name__ == "__main__":
    raise SystemExit(main())
