"""What people type for a server, and the URL and the name that it gets."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from moa_tui.engine.provider import Endpoint

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

_HTTPS = 443
_NO_NAME = re.compile(r"[^A-Za-z0-9-]+")
_CALLS = ("/chat/completions", "/messages", "/models")
_NO_SERVICE = ("api", "www")


def urls_of(address: str, usual_ports: Sequence[int]) -> tuple[str, ...]:
    """Return the URLs that an address may mean, the likeliest first."""
    if "://" in address:
        return (address,)
    host, slash, path = address.partition("/")
    plain, tls = f"http://{address}", f"https://{address}"
    try:
        port = urlsplit(plain).port
    except ValueError:
        return (plain,)
    if port == _HTTPS:
        return (tls,)
    is_near = Endpoint(name="", kind="openai", base_url=plain).is_own
    if port:
        return (plain,) if is_near else (tls, plain)
    if not is_near:
        return (tls,)
    return (*(f"http://{host}:{port}{slash}{path}" for port in usual_ports), plain)


def is_meant(endpoint: Endpoint, address: str) -> bool:
    """Return whether an address, without scheme perhaps, is an endpoint's own or of its calls."""
    if not endpoint.base_url:
        return False
    asked, known = urlsplit(address), urlsplit(endpoint.base_url)
    if asked.scheme and asked.scheme != known.scheme:
        return False
    path = asked.path.rstrip("/")
    for call in _CALLS:
        path = path.removesuffix(call)
    paths = {"", "/v1", known.path}
    return (
        place_of(address) == place_of(endpoint.base_url)
        and path in paths
        and (asked.port is not None or not endpoint.is_own)
    )


def place_of(url: str) -> str:
    """Return host and port, this machine under one name."""
    parts = urlsplit(url)
    try:
        port = parts.port
    except ValueError:
        port = None
    is_here = Endpoint(name="", kind="openai", base_url=url).is_local
    host = (parts.hostname or "").removesuffix(".")
    return f"{'127.0.0.1' if is_here else host}:{port or ''}"


def name_for(found: Endpoint, taken: Iterable[str]) -> str:
    """Return a name for an endpoint that none has yet: after its host, and its port if need be."""
    parts = urlsplit(found.base_url)
    stem = "local" if found.is_local else _stem(parts.hostname or "")
    port = str(parts.port or parts.scheme)
    if found.kind == "ollama" and "ollama" not in stem:
        stem = f"ollama-{stem}"
    stems = () if found.is_local else (stem,)
    numbered = (f"{stem}-{port}-{n}" for n in range(2, 100))
    names: tuple[str, ...] = (*stems, f"{stem}-{port}", *numbered)
    known = set(taken)
    return next(name for name in names if name not in known)


def _stem(host: str) -> str:
    labels = [label for label in host.split(".") if label not in _NO_SERVICE]
    is_address = ":" in host or all(label.isdecimal() for label in labels)
    stem = host if is_address or not labels else labels[0]
    return _NO_NAME.sub("-", stem).strip("-") or "endpoint"
