"""The doctor's look at the API key: what it may do, and what it must not be able to (RELIABILITY 4.2)."""

import asyncio

from mexc_sniper.app.finding import Finding, Verdict
from mexc_sniper.app.gateway import credentials_of
from mexc_sniper.app.settings import Settings
from mexc_sniper.runtime.clock import LoopClock, ThreadOffload
from mexc_sniper.venues.mexc.key_check import KeyReport, check_key
from mexc_sniper.venues.mexc.signing import Credentials

NAME = "api key"
HONEST = (
    "no call tells whether a key may withdraw: use a sub-account that holds only the budget, bind the key to this "
    "machine's address, and renew it before 90 days"
)


def check_api_key(settings: Settings) -> Finding:
    """Try the key; a fault is a failure in live mode and a warning in dry-run.

    Raises:
        ConfigError: only one half of the key is set.
    """
    credentials = credentials_of(settings.venue)
    live = settings.mode == "live"
    if credentials is None:
        return Finding(
            name=NAME,
            verdict=Verdict.FAIL if live else Verdict.OK,
            detail="none is set" + ("" if live else "; dry-run needs none"),
            mend="set MEXC_SNIPER_VENUE__API_KEY_FILE and __API_SECRET_FILE, or start in dry-run" if live else "",
        )
    return finding_of(asyncio.run(_check(settings, credentials)), live=live)


def finding_of(report: KeyReport, *, live: bool) -> Finding:
    """Judge what was found about a key."""
    if against := report.against_arming:
        verdict = Verdict.FAIL if live else Verdict.WARN
        return Finding(name=NAME, verdict=verdict, detail="not fit for live trading", mend=" ".join(against))
    account = f"account {report.uid}" if report.uid is not None else "account number not told"
    detail = f"{account}; trades, reads, sees no withdrawals"
    if report.warnings:
        return Finding(name=NAME, verdict=Verdict.WARN, detail=detail, mend=" ".join((*report.warnings, HONEST)))
    return Finding(name=NAME, verdict=Verdict.OK, detail=f"{detail} ({HONEST})")


async def _check(settings: Settings, credentials: Credentials) -> KeyReport:
    offload = ThreadOffload()
    try:
        return await check_key(
            rest_url=settings.venue.rest_url, credentials=credentials, clock=LoopClock(), offload=offload
        )
    finally:
        offload.close()
