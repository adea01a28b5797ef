from __future__ import annotations

import pytest

from moa_tui.addresses import is_meant, name_for, place_of, urls_of
from moa_tui.config import KNOWN_ENDPOINTS, ollama_url
from moa_tui.engine.provider import Endpoint

KNOWN = {endpoint.name: endpoint for endpoint in KNOWN_ENDPOINTS}


def at(url: str, kind: str = "openai") -> Endpoint:
    return Endpoint(name="x", kind="ollama" if kind == "ollama" else "openai", base_url=url)


@pytest.mark.parametrize(
    ("typed", "urls"),
    [
        ("http://a.example/v1", ["http://a.example/v1"]),
        ("localhost:9000", ["http://localhost:9000"]),
        ("localhost:9000/v1", ["http://localhost:9000/v1"]),
        ("localhost", ["http://localhost:1", "http://localhost:2", "http://localhost"]),
        ("gpu/v1", ["http://gpu:1/v1", "http://gpu:2/v1", "http://gpu/v1"]),
        ("192.168.1.7", ["http://192.168.1.7:1", "http://192.168.1.7:2", "http://192.168.1.7"]),
        ("[::1]:9000", ["http://[::1]:9000"]),
        ("a.example", ["https://a.example"]),
        ("a.example:443", ["https://a.example:443"]),
        ("a.example:8443", ["https://a.example:8443", "http://a.example:8443"]),
        ("host:port", ["http://host:port"]),
    ],
)
def test_an_address_may_mean_these_urls(typed: str, urls: list[str]) -> None:
    assert list(urls_of(typed, (1, 2))) == urls


@pytest.mark.parametrize(
    ("address", "name"),
    [
        ("http://localhost:11434/v1", "ollama"),
        ("http://127.0.0.1:11434", "ollama"),
        ("//localhost:11434", "ollama"),
        ("//[::1]:1234/v1/", "lmstudio"),
        ("https://api.groq.com/openai/v1", "groq"),
        ("//api.groq.com", "groq"),
        ("//api.groq.com/v1", "groq"),
        ("https://api.groq.com/openai/v1/chat/completions", "groq"),
        ("//api.anthropic.com", "anthropic"),
        ("https://api.anthropic.com/v1/messages", "anthropic"),
    ],
)
def test_a_known_endpoint_is_meant_by_its_address(address: str, name: str) -> None:
    assert [known.name for known in KNOWN_ENDPOINTS if is_meant(known, address)] == [name]


@pytest.mark.parametrize(
    "address",
    [
        "//localhost",  # which of its ports?
        "http://localhost:11434/other",
        "https://localhost:11434",
        "http://api.groq.com/openai/v1",
        "//localhost:99999",
        "//api.groq.com/else",
        "",
    ],
)
def test_and_by_no_other(address: str) -> None:
    assert [known.name for known in KNOWN_ENDPOINTS if is_meant(known, address)] == []


def test_this_machine_has_one_place_under_all_its_names() -> None:
    names = ("localhost", "127.0.0.1", "127.1.2.3", "[::1]", "box.localhost")
    assert {place_of(f"http://{name}:8000/v1") for name in names} == {"127.0.0.1:8000"}
    assert place_of("http://192.168.1.7:8000/v1") == "192.168.1.7:8000"


@pytest.mark.parametrize(
    ("endpoint", "name"),
    [
        (at("http://127.0.0.1:9000/v1"), "local-9000"),
        (at("http://127.0.0.1:9000", "ollama"), "ollama-local-9000"),
        (at("http://gpu:8000/v1"), "gpu"),
        (at("http://gpu:11434", "ollama"), "ollama-gpu"),
        (at("http://ollama.lan:11434", "ollama"), "ollama"),
        (at("http://192.168.1.7:8000/v1"), "192-168-1-7"),
        (at("http://[fd00::7]:8000/v1"), "fd00-7"),
        (at("https://api.example.com/v1"), "example"),
        (at("https://api.www"), "api-www"),
        (at("https://模型.example"), "endpoint"),
    ],
)
def test_a_new_endpoint_is_named_after_its_host(endpoint: Endpoint, name: str) -> None:
    assert name_for(endpoint, ()) == name


def test_a_name_that_is_taken_gets_its_port_then_a_number() -> None:
    endpoint = at("https://api.groq.com/other/v1")
    assert name_for(endpoint, {"groq"}) == "groq-https"
    assert name_for(endpoint, {"groq", "groq-https"}) == "groq-https-2"


@pytest.mark.parametrize(
    ("host", "url"),
    [
        ("127.0.0.1", "http://127.0.0.1:11434"),
        ("0.0.0.0", "http://127.0.0.1:11434"),  # noqa: S104 - what people set
        ("0.0.0.0:8888", "http://127.0.0.1:8888"),
        (":8888", "http://127.0.0.1:8888"),
        ("gpu", "http://gpu:11434"),
        ("gpu:80", "http://gpu:80"),
        ("http://gpu", "http://gpu:80"),
        ("https://gpu", "https://gpu:443"),
        ("https://gpu:1/ollama/", "https://gpu:1/ollama"),
        ("::1", "http://[::1]:11434"),
        ("[::1]:9", "http://[::1]:9"),
        ("[::]", "http://127.0.0.1:11434"),
    ],
)
def test_ollama_host_is_read_in_all_its_forms(host: str, url: str) -> None:
    assert ollama_url(host) == url


def test_a_dot_at_a_hosts_end_changes_nothing() -> None:
    cloud = Endpoint(name="ollama", kind="ollama", base_url="https://ollama.com.")
    assert not cloud.is_own
    assert at("http://localhost.:8000").is_local
    assert at("http://127.0.0.1.:8000").is_local
    assert at("http://gpu.lan.:8000").is_own
    assert place_of("https://api.groq.com.") == place_of("https://api.groq.com")
