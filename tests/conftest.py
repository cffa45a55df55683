"""Rules for all tests: where the packages lie, and that nothing is skipped in silence on the build machine."""

import os
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

ROOT = Path(__file__).resolve().parent.parent
for folder in (ROOT / "src", ROOT):
    if str(folder) not in sys.path:
        sys.path.insert(0, str(folder))

_ON_CI = os.environ.get("CI", "").lower() not in {"", "0", "false"}
_MUST_RUN_ON_CI = ("browser", "postgres")

settings.register_profile("dev", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile(
    "ci", deadline=None, derandomize=True, print_blob=True, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("ci" if _ON_CI else "dev")


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Run browser tests last, whatever the shuffle: Playwright's synchronous API keeps a loop running in this thread
    from its first test to the end of the session, and no test with a loop of its own can run beside it."""
    browser_tests = ROOT / "tests" / "e2e"
    items.sort(key=lambda item: browser_tests in item.path.parents)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]):
    """Turn a skipped browser or PostgreSQL test into a failure under CI: there the parts must be installed."""
    report = yield
    if _ON_CI and report.skipped and any(item.get_closest_marker(name) for name in _MUST_RUN_ON_CI):
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
        report.outcome = "failed"
        report.longrepr = f"{item.nodeid} must run under CI and was skipped: {reason}"
    return report


@pytest.fixture(autouse=True)
def _no_settings_from_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep the settings of whoever runs the tests out of them."""
    for name in [*os.environ]:
        if name.startswith("MEXC_SNIPER_"):
            monkeypatch.delenv(name)
