"""One endpoint over HTTP: connections, headers, and every fault of the library put into words."""

from __future__ import annotations

import asyncio
import json
import socket
import ssl
import zlib
from contextlib import asynccontextmanager
from types import MappingProxyType
from typing import TYPE_CHECKING, ClassVar, Protocol
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

import httpx

from moa_tui.errors import TRY_AGAIN, ProviderError
from moa_tui.providers import faults
from moa_tui.providers.pace import PacedTransport
from moa_tui.text import (
    Secret,
    clean,
    header_problem,
    one_line,
    redact,
    secret_headers,
    secrets_of_proxy,
)

if TYPE_CHECKING:
    from collections.abc import (
        AsyncGenerator,
        AsyncIterator,
        Awaitable,
        Callable,
        Iterator,
        Mapping,
    )

    from moa_tui.engine.clock import Clock
    from moa_tui.engine.provider import Endpoint

MAX_ERROR_BODY = 64 << 10
MAX_LISTING = 16 << 20
MAX_INFLATED = 64 << 20
"""Bytes that a compressed body may unfold to; an answer at its cap needs about that."""

HTTP_FAULTS = (httpx.HTTPError, httpx.InvalidURL, httpx.StreamError, OSError, zlib.error)
"""What the library may raise on a server's or an environment's fault."""

STALE = (httpx.ReadError, httpx.WriteError, httpx.RemoteProtocolError)
"""What a pooled connection raises that the server has closed meanwhile."""

_CHECK_URL = "check base_url"
_USE_ANOTHER = "use another endpoint"
_CHECK_PROXY = "check HTTPS_PROXY, HTTP_PROXY and ALL_PROXY, or add the host to NO_PROXY"
_INFLATE_STEP = 64 << 10
_AUTO_HEADER = 47  # zlib's own number for "gzip or zlib, whichever it is"
_SHORT_LIST_S = 30.0


class Progress(Protocol):
    """Hears how far a request has come."""

    def connection_opened(self) -> None:
        """A new connection is being made: this one isn't from the pool."""
        ...

    def request_sent(self) -> None:
        """The request is on its way; headers are awaited."""
        ...


class HttpClient:
    """The connections to one endpoint.

    Redirects are not followed (they would carry prompts and keys elsewhere), TLS is always
    verified, loopback endpoints use no proxy, and the key goes only into the header, never over
    plain HTTP to another machine. The library's own time limits are off: the clock rules.

    ``key_header`` is the header that carries the key, and what stands before it there;
    ``dialect_headers`` are those that a dialect wants, unless the user sets them.
    """

    key_header: ClassVar[tuple[str, str]] = ("Authorization", "Bearer ")
    dialect_headers: ClassVar[Mapping[str, str]] = MappingProxyType({})

    def __init__(
        self,
        endpoint: Endpoint,
        secret: Secret | None,
        *,
        clock: Clock,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        self.endpoint = endpoint
        self.clock = clock
        self._secret = secret
        self._transport = transport
        self._client: httpx.AsyncClient | None = None
        self._secrets = [secret] if secret else []
        self._secrets += secret_headers(endpoint.headers).values()

    @asynccontextmanager
    async def open(
        self,
        method: str,
        path: str,
        *,
        body: Mapping[str, object] | None = None,
        progress: Progress | None = None,
    ) -> AsyncGenerator[httpx.Response, None]:
        """Send a request and give its response, body unread; leaving closes it.

        Raises:
            ProviderError: the key or the environment is unfit to send anything.
            httpx.HTTPError, OSError, zlib.error: see `translate`.
        """
        self._client = self._client or self._built()
        url = f"{self.endpoint.base_url.rstrip('/')}/{path}"
        extensions = {"trace": _trace(progress)} if progress else {}
        # A lone surrogate in a prompt must not stop the request.
        content = json.dumps(body, ensure_ascii=False).encode("utf-8", "replace") if body else None
        headers = self._headers()
        try:
            request = self._client.build_request(
                method, url, content=content, headers=headers, extensions=extensions
            )
            response = await self._client.send(request, stream=True)
        except UnicodeError as fault:
            raise self._unsendable(fault) from None
        try:
            yield response
        finally:
            await response.aclose()

    async def get_json(
        self, path: str, *, body: Mapping[str, object] | None = None, limit_s: float | None = None
    ) -> object:
        """Return what a GET answers, or a POST where there is a body to send.

        ``limit_s`` is the most seconds that it may take: `connect_s` and half a minute unless said.

        Raises:
            ProviderError: it can't be asked, refuses, or answers with something else.
        """
        limit_s = self.endpoint.connect_s + _SHORT_LIST_S if limit_s is None else limit_s
        method = "GET" if body is None else "POST"
        async with self.in_words():
            try:
                async with (
                    self.clock.timeout(limit_s),
                    self.open(method, path, body=body) as response,
                ):
                    answer = await read_capped(response, MAX_LISTING)
                    if not response.is_success:
                        raise self.refusal(response, answer)
                    return self._decoded(answer)
            except TimeoutError:
                message = f"{self.name} did not answer in {limit_s:.0f} s"
                raise ProviderError("timeout", message) from None

    @asynccontextmanager
    async def in_words(self) -> AsyncGenerator[None, None]:
        """Turn what goes wrong in the block into a `ProviderError` that may be shown.

        Raises:
            ProviderError: the block's own, its words cleaned, or a fault's translation.
        """
        try:
            yield
        except ProviderError as error:
            raise self.told(error) from None
        except HTTP_FAULTS as fault:
            raise self.told(self.translate(fault)) from None

    async def aclose(self) -> None:
        """Close the connections."""
        client, self._client = self._client, None
        if client is not None:
            await client.aclose()

    @property
    def name(self) -> str:
        """The endpoint's name for people."""
        return self.endpoint.label or self.endpoint.name

    def refusal(self, response: httpx.Response, body: bytes) -> ProviderError:
        """Return what a status other than 2xx means."""
        return faults.of_status(
            self.endpoint,
            response.status_code,
            response.headers,
            # Before anything is cut: half a key would not be known as one.
            redact(body.decode("utf-8", "replace"), self._secrets).encode(),
            had_key=self._secret is not None,
        )

    def words(self, text: str) -> str:
        """Return a server's words on one line, clean, short and without keys."""
        return one_line(redact(clean(text[:MAX_ERROR_BODY]), self._secrets))

    def told(self, error: ProviderError) -> ProviderError:
        """Return the error with words that may be shown and stored."""
        return type(error)(
            error.kind,
            self.words(error.message),
            self.words(error.hint),
            retry=error.retry,
            retry_after_s=error.retry_after_s,
            window=error.window,
        )

    def translate(self, fault: Exception) -> ProviderError:
        """Return what a fault of the HTTP library or the system means, in words."""
        causes = list(_causes(fault))
        if isinstance(fault, httpx.ProxyError):
            return ProviderError("connect", f"the proxy failed: {fault}", _CHECK_PROXY)
        if isinstance(fault, httpx.ConnectError):
            return self._unreachable(causes, fault)
        if isinstance(fault, httpx.TimeoutException | TimeoutError):
            message = f"{self.name} did not answer in time"
            return ProviderError("timeout", message, TRY_AGAIN, retry=True)
        if isinstance(fault, httpx.UnsupportedProtocol | httpx.InvalidURL):
            return ProviderError("invalid", f"base_url of {self.name}: {fault}", _CHECK_URL)
        if isinstance(fault, httpx.RemoteProtocolError) and "isconnected" not in str(fault):
            return self._misspoken(str(fault))
        if isinstance(fault, httpx.NetworkError | httpx.RemoteProtocolError | OSError):
            return self._closed()
        if isinstance(fault, zlib.error):
            message = f"{self.name} sent a broken compressed body"
            return ProviderError("protocol", message, TRY_AGAIN)
        return self._unsendable(fault)

    def _misspoken(self, why: str) -> ProviderError:
        """Return what the library's words for a breach of the protocol mean."""
        if "closed connection" in why:
            return ProviderError("cut", f"{self.name} cut the connection", TRY_AGAIN, retry=True)
        if "too long" in why:
            return ProviderError("protocol", f"{self.name} sent headers without an end", _CHECK_URL)
        return ProviderError("protocol", f"{self.name} does not speak HTTP", _CHECK_URL)

    def _closed(self) -> ProviderError:
        return ProviderError("cut", f"{self.name} closed the connection", TRY_AGAIN, retry=True)

    def _unsendable(self, fault: Exception) -> ProviderError:
        return ProviderError("invalid", f"the request to {self.name} can't be sent: {fault}")

    def _decoded(self, body: bytes) -> object:
        if body.lstrip().startswith(b"<"):
            message = f"{self.name} answered with a web page (HTML)"
            raise ProviderError("protocol", message, _CHECK_URL)
        try:
            return json.loads(body)
        except (ValueError, RecursionError):
            message = f"{self.name} did not answer in JSON"
            raise ProviderError("protocol", message, _CHECK_URL) from None

    def _unreachable(self, causes: list[BaseException], fault: Exception) -> ProviderError:
        host = urlsplit(self.endpoint.base_url).hostname or self.endpoint.base_url
        if any(isinstance(cause, socket.gaierror) for cause in causes):
            if self.endpoint.key_page:
                # A known vendor's address has no mistake.
                message = f"{host} can't be looked up"
                return ProviderError("connect", message, "check the network")
            hint = "check the name in base_url, and the network"
            return ProviderError("connect", f"no such host: {host}", hint)
        if any(isinstance(cause, ssl.SSLCertVerificationError) for cause in causes):
            hint = "check the date of this machine, SSL_CERT_FILE, and who answers there"
            return ProviderError("connect", f"the certificate of {host} is not trusted", hint)
        if any(isinstance(cause, ssl.SSLError) for cause in causes):
            hint = "check whether base_url should begin with http://"
            return ProviderError("connect", f"no TLS with {faults.where(self.endpoint)}", hint)
        if (proxy := self._proxy()) is not None:
            return ProviderError("connect", f"no way through the proxy {proxy}", _CHECK_PROXY)
        if any(isinstance(cause, ConnectionRefusedError) for cause in causes):
            return faults.refused(self.endpoint)
        if any(isinstance(cause, ConnectionError) for cause in causes):
            return self._closed()
        message = f"{faults.where(self.endpoint)} can't be reached: {fault}"
        return ProviderError("connect", message, "check base_url, and the network")

    def _proxy(self) -> str | None:
        """The host of the environment's proxy for this endpoint, None without one."""
        url = urlsplit(self.endpoint.base_url)
        proxies = getproxies()
        proxy = proxies.get(url.scheme) or proxies.get("all")
        if self.endpoint.is_local or not proxy or proxy_bypass(url.hostname or ""):
            return None
        return proxy.rpartition("@")[2].rpartition("://")[2].partition("/")[0]

    def _headers(self) -> dict[str, str]:
        ours = {
            "Accept": "text/event-stream, application/x-ndjson, application/json",
            "Accept-Encoding": "identity",
            "Content-Type": "application/json",
            "User-Agent": "moa-tui",
            **self.dialect_headers,
        }
        for name in self.endpoint.headers:
            if problem := header_problem(name):
                raise ProviderError("invalid", f"{self.name}: the header {name} {problem}")
        withheld = faults.withheld_headers(self.endpoint)
        theirs = {
            name: value for name, value in self.endpoint.headers.items() if name not in withheld
        }
        key = {}
        if self._secret and not faults.sends_no_key(self.endpoint):
            carrier, before = self.key_header
            key = {carrier: before + self._secret.reveal()}
        # Of two that differ only in case the later one counts.
        said = {
            name.lower(): (name, value)
            for headers in (ours, theirs, key)
            for name, value in headers.items()
        }
        headers = dict(said.values())
        for name, value in headers.items():
            if not (value.isascii() and value.isprintable()):
                message = f"{self.name}: the header {name} has characters that no header may have"
                source = self.endpoint.api_key_env if name == self.key_header[0] else "headers"
                raise ProviderError("auth", message, f"check {source}")
        return headers

    def _built(self) -> httpx.AsyncClient:
        for proxy in getproxies().values():
            self._secrets += secrets_of_proxy(proxy)
        try:
            return httpx.AsyncClient(
                transport=self._transport or self._direct(),
                trust_env=not self.endpoint.is_local,
                timeout=None,  # noqa: S113 - the injected clock keeps the limits
            )
        except ImportError:
            message = f"the proxy {self._proxy() or ''} is a SOCKS proxy, which is not supported"
            raise ProviderError("connect", message, "use an HTTP proxy") from None
        except (OSError, ValueError, httpx.InvalidURL) as fault:
            message = f"the environment's proxy or certificate settings are broken: {fault}"
            hint = "check SSL_CERT_FILE, SSL_CERT_DIR, HTTPS_PROXY and ALL_PROXY"
            raise ProviderError("connect", message, hint) from None

    def _direct(self) -> httpx.AsyncBaseTransport | None:
        """Return our transport, or None where the library must find the environment's proxy."""
        if (proxy := self._proxy()) is not None:
            if not _is_place(proxy):
                raise ProviderError("connect", f"the proxy {proxy} is no host:port", _CHECK_PROXY)
            return None
        if urlsplit(self.endpoint.base_url).scheme == "https":
            return PacedTransport(httpx.create_ssl_context())
        # Nothing is verified over plain HTTP, and loading the system's certificates takes as long
        # as drawing the first screen: this context trusts nobody.
        return PacedTransport(ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT))


def pieces(response: httpx.Response) -> AsyncIterator[bytes]:
    """Return the body's pieces as they arrive, unfolded if a server compressed them unasked.

    The library's own unfolding is not used: it makes 67 MB of a 64 KB piece in one go.

    Raises:
        ProviderError: the encoding is unknown, or the body unfolds to more than `MAX_INFLATED`.
    """
    encoding = response.headers.get("content-encoding", "").strip().lower()
    if encoding in ("", "identity"):
        return response.aiter_raw()
    return _inflated(response, encoding)


async def _inflated(response: httpx.Response, encoding: str) -> AsyncGenerator[bytes, None]:
    if encoding not in ("gzip", "x-gzip", "deflate"):
        message = f"the server compressed its answer with {encoding}, which it was asked not to"
        raise ProviderError("protocol", message, _USE_ANOTHER)
    unfolded = 0
    inflater = zlib.decompressobj(_AUTO_HEADER)
    async for folded in response.aiter_raw():
        rest, piece = folded, b""
        while not inflater.eof and (rest or len(piece) == _INFLATE_STEP):
            piece = inflater.decompress(rest, _INFLATE_STEP)
            rest = inflater.unconsumed_tail
            unfolded += len(piece)
            if unfolded > MAX_INFLATED:
                raise ProviderError("truncated", "the compressed answer is too large", _USE_ANOTHER)
            yield piece
            # A little folds into very much: the screen gets its turn between the steps.
            await asyncio.sleep(0)
    if not inflater.eof:
        message = "the compressed answer stopped before its end"
        raise ProviderError("cut", message, TRY_AGAIN, retry=True)


async def read_capped(response: httpx.Response, limit: int) -> bytes:
    """Return at most ``limit`` bytes of a body."""
    body = bytearray()
    async for piece in pieces(response):
        body += piece
        if len(body) >= limit:
            break
    return bytes(body[:limit])


def _is_place(text: str) -> bool:
    try:
        parts = urlsplit(f"//{text}")
        return bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False


def _trace(progress: Progress) -> Callable[[str, Mapping[str, object]], Awaitable[None]]:
    async def trace(name: str, _info: Mapping[str, object]) -> None:
        if name == "connection.connect_tcp.started":
            progress.connection_opened()
        elif name == "http11.send_request_headers.complete":
            progress.request_sent()

    return trace


def _causes(fault: BaseException) -> Iterator[BaseException]:
    """Walk what an exception came from; a host with several addresses fails as a group."""
    seen: BaseException | None = fault
    while seen is not None:
        yield seen
        if isinstance(seen, BaseExceptionGroup):
            for member in seen.exceptions:
                yield from _causes(member)
        seen = seen.__cause__ or seen.__context__
