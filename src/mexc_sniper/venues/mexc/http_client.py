"""`HttpReads` on real sockets (aiohttp); with `wire.py` the only code of the adapter that opens any."""

from collections.abc import Mapping

import aiohttp
from yarl import URL

from mexc_sniper.core.errors import ConnectFailed, ConnectionLost, ProtocolError
from mexc_sniper.venues.mexc.http_reads import HttpReply

CONNECT_S = 2.0


class HttpClient:
    """Implements `HttpReads`; constructors do no I/O."""

    def __init__(self) -> None:
        self._session: aiohttp.ClientSession | None = None

    async def open(self) -> None:
        """Make the session; connections come with the first request."""
        self._session = aiohttp.ClientSession(
            auto_decompress=False,  # done by the caller, under a size cap and off the loop where it is large
            cookie_jar=aiohttp.DummyCookieJar(),
            connector=aiohttp.TCPConnector(limit=16, ttl_dns_cache=300, keepalive_timeout=75),
            timeout=aiohttp.ClientTimeout(total=None, sock_connect=CONNECT_S),
            read_bufsize=256 * 1024,
        )

    async def close(self) -> None:
        """Close every connection."""
        if self._session is not None:
            await self._session.close()
            self._session = None

    async def ask(self, method: str, url: str, headers: Mapping[str, str], *, max_body_bytes: int) -> HttpReply:
        """Ask once; see `HttpReads.ask`."""
        if self._session is None:
            raise ConnectFailed("the client is not open")
        address = URL(url, encoded=True)
        try:
            async with self._session.request(method, address, headers=headers, allow_redirects=False) as response:
                body = await _read(response, max_body_bytes)
                return HttpReply(
                    response.status,
                    body,
                    response.headers.get("Content-Encoding", "identity").lower(),
                    response.headers.get("Retry-After"),
                )
        except aiohttp.ClientConnectorError as error:  # `from None`: the text of aiohttp's errors holds our headers
            raise ConnectFailed(f"cannot connect to {address.host}:{address.port}: {type(error).__name__}") from None
        except aiohttp.ConnectionTimeoutError:
            raise ConnectFailed(f"cannot connect to {address.host}:{address.port} within {CONNECT_S:g} s") from None
        except (aiohttp.ClientConnectionError, aiohttp.ClientPayloadError, ConnectionError) as error:
            raise ConnectionLost(f"the connection broke off: {type(error).__name__}") from None
        except aiohttp.ClientError as error:
            raise ProtocolError(f"no HTTP answer of {address.path}: {type(error).__name__}") from None


async def _read(response: aiohttp.ClientResponse, limit: int) -> bytes:
    parts: list[bytes] = []
    size = 0
    async for part in response.content.iter_any():
        size += len(part)
        if size > limit:
            response.close()
            raise ProtocolError(f"the body is longer than {limit} bytes")
        parts.append(part)
    return b"".join(parts)
