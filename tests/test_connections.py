"""Keys and the providers that get them."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
import virtual_time

from moa_tui.config import Settings, load
from moa_tui.connections import Connections, demo_scripts
from moa_tui.engine.clock import AsyncioClock
from moa_tui.engine.provider import ChatRequest, Endpoint, Finish, Message, Text, Thinking
from moa_tui.errors import ConfigError, ProviderError
from moa_tui.keys import find_key, key_from_command
from moa_tui.shipped.demo import demo_topics

HOSTED = Endpoint(
    name="groq",
    kind="openai",
    base_url="https://api.example/v1",
    label="Groq",
    key_page="console.example/keys",
    api_key_env="GROQ_API_KEY",
)
COMMAND = (sys.executable, "-c", "print('from-command')")


def lab(**fields: object) -> Endpoint:
    about = {"base_url": "https://lab.example/v1"} | fields
    return Endpoint(name="lab", kind="openai", **about)  # type: ignore[arg-type] # real fields


# Keys


def test_a_key_comes_from_the_variable_that_the_endpoint_names() -> None:
    key = find_key(HOSTED, {"GROQ_API_KEY": " k-123 \n"})
    assert key is not None
    assert (key.reveal(), str(key)) == ("k-123", "Secret(•••)")


def test_a_missing_key_names_the_variable_and_the_page() -> None:
    with pytest.raises(ConfigError) as caught:
        find_key(HOSTED, {"GROQ_API_KEY": " "})
    assert str(caught.value) == "Groq needs a key: set GROQ_API_KEY (keys: console.example/keys)"


@pytest.mark.parametrize(
    "endpoint",
    [
        lab(),
        lab(base_url="http://127.0.0.1:1/v1", api_key_env="LAB_KEY"),
        lab(base_url="http://10.0.0.7/v1", api_key_env="LAB_KEY"),
        lab(api_key_env="LAB_KEY", api_key_cmd=COMMAND),
        Endpoint(name="embedded", kind="embedded"),
        # A person's own Ollama behind a proxy; only the cloud wants a key, and says so.
        Endpoint(
            name="ollama", kind="ollama", base_url="https://o.example", api_key_env="OLLAMA_API_KEY"
        ),
    ],
)
def test_no_key_is_missing_where_none_is_named_none_would_be_sent_or_a_command_has_it(
    endpoint: Endpoint,
) -> None:
    assert find_key(endpoint, {}) is None


def test_a_key_that_no_request_can_carry_is_refused_unseen() -> None:
    with pytest.raises(ConfigError) as caught:
        find_key(HOSTED, {"GROQ_API_KEY": "schlüssel geheim"})
    assert "geheim" not in str(caught.value)


async def test_a_command_may_be_a_program_that_is_installed_with_us(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("PATH", "")
    command = (Path(sys.executable).name, *COMMAND[1:])
    key = await key_from_command(lab(api_key_cmd=command), clock=AsyncioClock())
    assert key.reveal() == "from-command"


async def test_a_command_prints_a_key() -> None:
    key = await key_from_command(lab(api_key_cmd=COMMAND), clock=AsyncioClock())
    assert key.reveal() == "from-command"


@pytest.mark.parametrize(
    ("command", "message"),
    [
        (("/no/such/program",), "can't be run: there is no such program"),
        ((sys.executable, "-c", "raise SystemExit(3)"), "failed with exit code 3"),
        ((sys.executable, "-c", ""), "must give the key on one line"),
        ((sys.executable, "-c", "print('one\\ntwo')"), "must give the key on one line"),
    ],
)
async def test_a_command_that_gives_no_key_is_a_mistake(
    command: tuple[str, ...], message: str
) -> None:
    with pytest.raises(ConfigError) as caught:
        await key_from_command(lab(api_key_cmd=command), clock=AsyncioClock())
    assert message in str(caught.value)
    assert "two" not in str(caught.value)


def test_a_missing_program_is_told_before_any_call() -> None:
    with pytest.raises(ConfigError, match=r"api_key_cmd \(/no/such\) can't be run"):
        find_key(lab(api_key_cmd=("/no/such",)), {})


# Connections


def connections(settings: Settings, folder: Path, **environ: str) -> Connections:
    return Connections(settings, environ, clock=AsyncioClock(), models_folder=folder)


def test_each_endpoint_is_connected_once_and_closed_at_the_end(tmp_path: Path) -> None:
    settings, _ = load(tmp_path, {})

    async def connected() -> tuple[bool, bool]:
        connected = connections(settings, tmp_path)
        first = connected("llamacpp")
        is_same = connected("llamacpp") is first
        await connected.aclose()
        again = connected("llamacpp")
        await connected.aclose()
        return is_same, again is first

    assert virtual_time.run(connected()) == (True, False)


def test_an_unknown_endpoint_is_refused(tmp_path: Path) -> None:
    settings, _ = load(tmp_path, {})
    with pytest.raises(ConfigError, match='no endpoint is called "olama"'):
        connections(settings, tmp_path)("olama")


def test_an_endpoint_with_a_mistake_in_its_table_is_refused_with_it(tmp_path: Path) -> None:
    (tmp_path / "config.toml").write_text('[endpoints.groq]\nbase_url = "nowhere"\n', "utf-8")
    settings, _ = load(tmp_path, {})
    with pytest.raises(ConfigError, match=r"endpoints\.groq\.base_url must be a URL"):
        connections(settings, tmp_path, GROQ_API_KEY="k-1")("groq")


async def test_a_failing_key_command_fails_the_call_and_not_the_choice(tmp_path: Path) -> None:
    failing = lab(api_key_cmd=(sys.executable, "-c", "raise SystemExit(3)"))
    connected = connections(Settings(endpoints={"lab": failing}), tmp_path)
    provider = connected("lab")
    with pytest.raises(ProviderError) as caught:
        await provider.models()
    assert (caught.value.kind, caught.value.message) == (
        "auth",
        f"endpoints.lab.api_key_cmd ({sys.executable}) failed with exit code 3",
    )
    await connected.aclose()


# The demo


def test_a_demo_model_thinks_speaks_and_finishes() -> None:
    request = ChatRequest("clover", (Message("system", "x"), Message("user", "hello")))
    steps = list(demo_scripts()["clover"](request))
    voice = demo_topics()[-1].voices["clover"]
    assert "".join(step.text for step in steps if isinstance(step, Thinking)) == voice.thinking
    assert "".join(step.text for step in steps if isinstance(step, Text)) == voice.text
    assert steps[-1] == Finish("stop")
