"""The one table from what the venue answered to what the caller may do (REFERENCE 1.3, 1.4, 1.10)."""

from mexc_sniper.core.errors import (
    AuthFailed,
    ClockSkew,
    FirewallBlocked,
    NotTradable,
    RateLimited,
    UnknownRefusal,
    VenueError,
    VenueUnavailable,
)

BY_CODE: dict[int, type[VenueError]] = {
    **dict.fromkeys((429,), RateLimited),
    **dict.fromkeys((500, 503, 504, 20002, 11444), VenueUnavailable),
    **dict.fromkeys((700003, 10073), ClockSkew),
    **dict.fromkeys((401, 403, 602, 10001, 10015, 10072, 60005, 70011, 700001, 700002, 700006, 700007), AuthFailed),
    **dict.fromkeys((-1121, 10007, 26, 30000, 30001, 30014, 30016, 30020, 30021), NotTradable),
}
"""Business codes. 400 and 500 occur as business codes too (REFERENCE 5, trap 23)."""

INVALID_SYMBOL_CODES = frozenset({-1121, 30014, 30021})
"""The venue knows no such symbol."""

BY_STATUS: dict[int, type[VenueError]] = {
    401: AuthFailed,
    403: FirewallBlocked,
    418: RateLimited,
    429: RateLimited,
}

_ACCEPTED_CODES = (None, 0, 200)


def fault_of(
    status: int, code: int | None, text: str, *, is_json: bool, retry_after_s: float | None = None
) -> VenueError | None:
    """Return the error an answer means, or None when it is a success.

    Args:
        status: HTTP status.
        code: business code of the body, None when it carries none.
        text: the venue's own words, kept in the error.
        is_json: whether the body was JSON; an HTML page with any status is the firewall or a maintenance page.
        retry_after_s: what ``Retry-After`` said.
    """
    kind = _kind(status, code, is_json=is_json)
    if kind is None:
        return None
    said = f" (code {code})" if code not in _ACCEPTED_CODES else ""
    return kind(f"HTTP {status}{said}: {text[:200]!r}", code=code, http_status=status, retry_after_s=retry_after_s)


def _kind(status: int, code: int | None, *, is_json: bool) -> type[VenueError] | None:
    if status in (418, 429):
        return RateLimited
    if status >= 500:  # "not to be read as failure" (D25): whatever the body says
        return VenueUnavailable
    if not is_json:
        return FirewallBlocked
    if code in _ACCEPTED_CODES and status < 300:
        return None
    if code is not None and code in BY_CODE:
        return BY_CODE[code]
    if status < 300 or code not in _ACCEPTED_CODES:
        return UnknownRefusal
    return BY_STATUS.get(status, UnknownRefusal)
