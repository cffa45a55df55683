"""Removes secrets from text that leaves the process, whoever wrote it (RELIABILITY 4.3).

Works on the finished line, so that tracebacks and third-party loggers are covered too: exact values in six
encodings, and whatever follows a telling name.
"""

import base64
import json
import re
from collections.abc import Iterable
from urllib.parse import quote, quote_plus

STARS = "***"
_SHORTEST_VALUE = 6
_NAMES = (
    r"(?:api[_-]?key|api[_-]?secret|secret[_-]?key|secret|signature|password|passwd|token|listen[_-]?key|"
    r"authorization|cookie|x-mexc-apikey|x-csrf-token)"
)
_NAMED_VALUE = re.compile(
    rf"""(?P<name>["']?\b[\w-]*{_NAMES}["']?\s*[=:]\s*)(?P<value>"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|(?:Bearer\s+|Basic\s+)?[^\s&,;}}\])"']+)""",
    re.IGNORECASE,
)
_URL_PASSWORD = re.compile(r"(?P<head>\b[a-z][a-z0-9+.-]*://[^\s:/@]*:)[^\s/@]+(?=@)", re.IGNORECASE)
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")


class Redactor:
    """Knows the secrets of this process; cheap on lines that hold none."""

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        forms = {form for secret in secrets for form in _encodings(secret)}
        longest_first = sorted(forms, key=len, reverse=True)
        self._exact = re.compile("|".join(map(re.escape, longest_first))) if longest_first else None

    def clean(self, text: str) -> str:
        """Return the text with every known secret and every value of a telling name replaced by stars."""
        if self._exact is not None:
            text = self._exact.sub(STARS, text)
        if "://" in text:
            text = _URL_PASSWORD.sub(rf"\g<head>{STARS}", text)
        return _NAMED_VALUE.sub(_starred, text)


def escape_control(text: str) -> str:
    """Write control and direction-changing characters visibly, so that no venue text can forge a log line."""
    return _CONTROL.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


def _starred(found: re.Match[str]) -> str:
    value = found["value"]
    if value in {"null", "None", "true", "false", "True", "False", STARS, '""', "''"}:
        return found[0]
    wrap = value[0] if value[0] in "\"'" else ""
    return f"{found['name']}{wrap}{STARS}{wrap}"


def _encodings(secret: str) -> Iterable[str]:
    if len(secret) < _SHORTEST_VALUE:
        return ()
    raw = secret.encode()
    return {
        secret,
        quote(secret, safe=""),
        quote_plus(secret),
        base64.b64encode(raw).decode().rstrip("="),
        repr(secret)[1:-1],
        json.dumps(secret)[1:-1],
        raw.hex(),
    }
