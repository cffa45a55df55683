"""The doctor's look at the API key: what it may do and must not, and what it could spend (RELIABILITY 4.2)."""

import asyncio
from decimal import Decimal

from mexc_sniper.app.finding import Finding, Verdict
from mexc_sniper.app.gateway import credentials_of
from mexc_sniper.app.settings import Settings
from mexc_sniper.core.errors import StoreError
from mexc_sniper.core.values import text_from_decimal
from mexc_sniper.ledger.location import locate
from mexc_sniper.ledger.reader import LedgerReader
from mexc_sniper.model.config import TradeConfig
from mexc_sniper.runtime.clock import LoopClock, ThreadOffload
from mexc_sniper.venues.mexc.key_check import Answer, KeyReport, check_key
from mexc_sniper.venues.mexc.signing import Credentials

NAME = "api key"
BALANCE = "balance"
QUOTE = "USDT"
HONEST = (
    "no call tells whether a key may withdraw: use a sub-account that holds only the budget, bind the key to this "
    "machine's address, and renew it before 90 days"
)


class KeyDoctor:
    """Asks the venue once, for both findings."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._report: KeyReport | None = None

    def key(self) -> Finding:
        """Try the key; a fault is a failure in live mode and a warning in dry-run.

        Raises:
            ConfigError: only one half of the key is set.
        """
        return _key_finding(self._settings, self._asked())

    def balance(self) -> Finding:
        """Tell whether the account could pay for one entry.

        Raises:
            ConfigError: as `key`.
        """
        report, live = self._asked(), self._settings.mode == "live"
        if report is None:
            return Finding(name=BALANCE, verdict=Verdict.OK, detail="no key, so none is read; paper has its own")
        if report.may_read is not Answer.YES:
            return Finding(
                name=BALANCE, verdict=Verdict.FAIL if live else Verdict.WARN, detail="the key cannot read it",
                mend="see api key above",
            )  # fmt: skip
        free = sum((row.free for row in report.balances if row.asset == QUOTE), Decimal(0))
        wanted = _entry_amount(self._settings)
        enough = free >= wanted
        detail = f"{text_from_decimal(free)} {QUOTE} free; an entry takes {text_from_decimal(wanted)}"
        return Finding(
            name=BALANCE,
            verdict=Verdict.OK if enough or not live else Verdict.WARN,
            detail=detail,
            mend="" if enough or not live else f"move {QUOTE} into the account, or lower tradeUsdt",
        )

    def _asked(self) -> KeyReport | None:
        credentials = credentials_of(self._settings.venue)
        if credentials is not None and self._report is None:
            self._report = asyncio.run(_check(self._settings, credentials))
        return self._report


def _key_finding(settings: Settings, report: KeyReport | None) -> Finding:
    live = settings.mode == "live"
    if report is None:
        return Finding(
            name=NAME,
            verdict=Verdict.FAIL if live else Verdict.OK,
            detail="none is set" + ("" if live else "; dry-run needs none"),
            mend="set MEXC_SNIPER_VENUE__API_KEY_FILE and __API_SECRET_FILE, or start in dry-run" if live else "",
        )
    return finding_of(report, live=live)


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


def _entry_amount(settings: Settings) -> Decimal:
    """What an entry spends by the version in force; the default where there is no ledger yet."""
    reader = LedgerReader(locate(settings.database.url, settings.data_dir))
    try:
        version = reader.config()
    except StoreError:
        version = None
    finally:
        reader.close()
    return (TradeConfig() if version is None else version.config).trade_usdt


async def _check(settings: Settings, credentials: Credentials) -> KeyReport:
    offload = ThreadOffload()
    try:
        return await check_key(
            rest_url=settings.venue.rest_url, credentials=credentials, clock=LoopClock(), offload=offload
        )
    finally:
        offload.close()
