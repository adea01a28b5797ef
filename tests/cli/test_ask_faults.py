"""``moa-tui ask`` over sockets with seats that fail: the others answer, and it ends in words."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest
import virtual_time
from calls import KEY
from cli_given import Screenless
from fault_scenarios import PARAGRAPH, WHOLE
from fault_server import serving
from model_servers import free_port

from moa_tui.__main__ import Program
from moa_tui.cli.arguments import parse
from moa_tui.cli.ask import answer, question
from moa_tui.providers.answer import MAX_ANSWER

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

DEAD = ("401", "500-ever", "drop-after-3")
LONG = (PARAGRAPH * (MAX_ANSWER // len(PARAGRAPH) + 1))[:MAX_ANSWER]

FAILURES = {
    "drop-after-3": ("cut", "abc", "acme closed the connection"),
    "early-close-no-finish": ("truncated", "Hel", "stopped before its end"),
    "close-no-response-ever": ("cut", "", "acme closed the connection"),
    "hang-before-headers": ("timeout", "", "acme: "),
    "hang-pings": ("timeout", "Hel", "nothing new for 60 s"),
    "429-long": ("rate_limit", "", "rate limit (429)"),
    "429-quota": ("quota", "", "exceeded your current quota"),
    "500-ever": ("server", "", "the server failed (500)"),
    "401-echo-key": ("auth", "", "the key was not accepted (401)"),
    "404-model": ("not_found", "", "model '404-model' not found"),
    "context-length": ("context", "", "does not fit the model's context"),
    "html-200": ("protocol", "", "a web page came instead of an answer"),
    "empty-answer": ("empty", "", "the model said nothing"),
    "reasoning-only": ("empty", "", "the model only thought"),
    "midstream-error": ("midstream", "Hel", "GPU on fire"),
    "malformed-json": ("protocol", "Hel", "that is not JSON"),
    "endless": ("truncated", LONG, "passed 1 MiB"),
    "redirect-307": ("protocol", "", "redirects are not followed"),
    "ansi-escape-in-error": ("invalid", "", "red ␛[31m ␛]52;c;aGk="),
}
"""How a seat ends, by its scenario: the kind, the text that is kept, some words."""

UNREACHABLE = {
    "dns": ("http://no-such-host.invalid/v1", "no such host: no-such-host.invalid"),
    "refused": ("http://127.0.0.1:{closed}/v1", "nothing listens at 127.0.0.1:{closed}"),
    "tls": ("https://127.0.0.1:{plain}/v1", "no TLS with 127.0.0.1:{plain}"),
    "proxy": ("http://192.0.2.1/v1", "no way through the proxy 127.0.0.1:{closed}"),
}
"""Where nobody answers, and the words for it; a dead proxy stands before the last place."""


@dataclass(frozen=True, kw_only=True)
class Table:
    """A mixture: its proposers, who merges, and what its rules are; models without an endpoint."""

    seats: Sequence[str]
    merger: str = "merger"
    fallback: Sequence[str] = ()
    rules: str = ""
    kind: str = "openai"
    dead_url: str = ""

    def write(self, folder: Path, base_url: str) -> None:
        """Write a config and a preset; a seat named ``dead/…`` is at ``dead_url``."""

        def listed(models: Sequence[str]) -> str:
            return json.dumps([model if "/" in model else f"acme/{model}" for model in models])

        endpoint = f'[endpoints.{{}}]\nkind = "{self.kind}"\nbase_url = "{{}}"\n'
        endpoint += 'api_key_env = "ACME_KEY"\n'
        presets = folder / "presets"
        presets.mkdir()
        tables = [endpoint.format("acme", base_url)]
        tables += [endpoint.format("dead", self.dead_url)] if self.dead_url else []
        (folder / "config.toml").write_text("\n".join(tables), "utf-8")
        (presets / "team.toml").write_text(
            f"{self.rules}\n[[layers]]\nproposers = {listed(self.seats)}\n\n"
            f'[aggregator]\nmodel = "acme/{self.merger}"\nfallback = {listed(self.fallback)}\n',
            "utf-8",
        )


@dataclass(frozen=True, kw_only=True)
class Asked:
    """What a run wrote, and its exit code."""

    code: int
    out: str
    err: list[str]

    @property
    def events(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.out.splitlines()]

    def ends(self, layer: int = 1) -> list[dict[str, Any]]:
        """Return how the seats of a layer ended, in the seats' order."""
        names = ("seat_finished", "seat_failed")
        found = [each for each in self.events if each["event"] in names]
        return sorted(
            (each for each in found if each["seat"][0] == layer), key=lambda each: each["seat"]
        )


async def run(folder: Path, table: Table, options: Sequence[str]) -> Asked:
    at = Screenless()
    program = Program({"ACME_KEY": KEY.reveal()}, at.streams)
    async with serving(table.kind) as server:
        table.write(folder, server.base_url)
        arguments = parse(["--config-dir", str(folder), "ask", "--preset", "team", *options, "why"])
        setup, connections = program.prepared(arguments)
        asked = question(arguments, setup, streams=at.streams)
        try:
            code = await answer(asked, arguments, streams=at.streams)
        finally:
            await connections.aclose()
    return Asked(code=code, out=at.out, err=at.err)


def ask(folder: Path, table: Table, *options: str) -> Asked:
    """Run it in virtual time; whatever it tells, no traceback and no key are in it."""
    asked = virtual_time.run(run(folder, table, options or ["--json"]))
    assert_safe(asked)
    return asked


def assert_safe(asked: Asked) -> None:
    written = "\n".join([asked.out, *asked.err])
    assert not [each for each in ("Traceback", KEY.reveal(), "s3cretpw") if each in written]


def assert_one_seat_failed(asked: Asked, kind: str, text: str, words: str) -> None:
    """The second of three seats failed in words, the others answered, and the run merged them."""
    first, failed, last = asked.ends()
    assert [(each["event"], each["text"]) for each in (first, last)] == [
        ("seat_finished", WHOLE)
    ] * 2
    assert (failed["event"], failed["kind"], failed["text"]) == ("seat_failed", kind, text)
    assert words in failed["message"]
    assert failed["hint"]
    assert (asked.code, asked.err) == (0, [])
    ending = asked.events[-1]
    assert (ending["event"], ending["answer"]) == ("run_finished", WHOLE)
    assert ending["references"] == [[1, 1], [1, 3]]


@pytest.mark.parametrize("dialect", ["openai", "ollama"])
@pytest.mark.parametrize("scenario", FAILURES)
def test_one_failing_seat_is_told_and_the_others_are_merged(
    tmp_path: Path, scenario: str, dialect: str
) -> None:
    asked = ask(tmp_path, Table(seats=["one", scenario, "three"], kind=dialect))

    assert_one_seat_failed(asked, *FAILURES[scenario])


@pytest.mark.parametrize("scenario", ["500-x3", "429-then-ok", "first-chunk-error"])
def test_a_seat_that_is_tried_again_says_so_and_answers(tmp_path: Path, scenario: str) -> None:
    asked = ask(tmp_path, Table(seats=["one", scenario, "three"]))

    retries = [each for each in asked.events if each["event"] == "seat_retrying"]
    assert {tuple(each["seat"]) for each in retries} == {(1, 2)}
    assert all(each["message"] and each["wait_s"] >= 1 for each in retries)
    assert [each["event"] for each in asked.ends()] == ["seat_finished"] * 3
    assert asked.code == 0


def test_a_model_that_loads_is_a_phase_and_no_failure(tmp_path: Path) -> None:
    asked = ask(tmp_path, Table(seats=["one", "503-loading-x3"]))

    told = [each["phase"] for each in asked.events if each["event"] == "seat_phase"]
    assert "loading" in told
    assert not [each for each in asked.events if each["event"] == "seat_retrying"]
    assert asked.code == 0


@pytest.mark.parametrize("scenario", ["hang-midstream", "hang-before-headers", "hang-pings"])
def test_a_quorum_waits_for_no_seat_that_hangs(tmp_path: Path, scenario: str) -> None:
    asked = ask(tmp_path, Table(seats=["one", scenario, "three"], rules="quorum = 2"))

    first, stopped, last = asked.ends()
    assert (first["event"], last["event"]) == ("seat_finished", "seat_finished")
    assert (stopped["event"], stopped["kind"]) == ("seat_failed", "stopped")
    assert stopped["text"] == ("" if scenario == "hang-before-headers" else "Hel")
    assert (asked.code, asked.events[-1]["event"]) == (0, "run_finished")
    assert asked.events[-1]["seconds"] < 60


@pytest.mark.parametrize("dialect", ["openai", "ollama"])
def test_when_every_seat_is_dead_the_run_fails_with_the_cause(tmp_path: Path, dialect: str) -> None:
    asked = ask(tmp_path, Table(seats=DEAD, kind=dialect))

    kinds = [each["kind"] for each in asked.ends()]
    assert (asked.code, kinds) == (1, ["auth", "server", "cut"])
    assert asked.events[-1]["event"] == "run_failed"
    (told,) = asked.err
    assert told == (
        "moa-tui: 0 of 3 proposers of layer 1 answered, 1 needed: "
        "acme: the key was not accepted (401): who are you. Check $ACME_KEY"
    )


def test_too_few_proposals_fail_the_run_with_the_cause(tmp_path: Path) -> None:
    table = Table(seats=["one", "404-model", "drop-after-3"], rules="min_proposals = 2")

    asked = ask(tmp_path, table)

    assert (asked.code, asked.events[-1]["event"]) == (1, "run_failed")
    assert "1 of 3 proposers of layer 1 answered, 2 needed: acme: not found" in asked.err[0]


@pytest.mark.parametrize("scenario", ["401", "500-ever", "drop-after-3", "empty-answer"])
def test_a_dead_aggregator_is_replaced_by_its_fallback(tmp_path: Path, scenario: str) -> None:
    asked = ask(tmp_path, Table(seats=["one", "two"], merger=scenario, fallback=["second"]))

    failed, merged = asked.ends(layer=2)
    assert (failed["event"], merged["event"]) == ("seat_failed", "seat_finished")
    assert (asked.code, asked.events[-1]["answer"]) == (0, WHOLE)


def test_a_dead_aggregator_without_a_fallback_fails_the_run_in_words(tmp_path: Path) -> None:
    asked = ask(tmp_path, Table(seats=["one", "two"], merger="402"))

    assert (asked.code, asked.events[-1]["kind"]) == (1, "quota")
    (told,) = asked.err
    assert told == (
        "moa-tui: The aggregator acme/402 failed: "
        "acme: payment is due (402): Insufficient credits. Add credit. "
        "Ask with --strategy none for the proposals themselves, or with another --aggregator."
    )


@pytest.mark.parametrize("dialect", ["openai", "ollama"])
@pytest.mark.parametrize("case", UNREACHABLE)
def test_a_seat_that_can_not_be_reached_says_why(
    tmp_path: Path, case: str, dialect: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def unreached() -> tuple[Asked, str]:
        async with serving("openai") as plain:
            _, _, place = plain.base_url.rpartition(":")
            ports = {"closed": str(free_port()), "plain": place.removesuffix("/v1")}
            monkeypatch.setenv("no_proxy", "no-such-host.invalid")
            monkeypatch.setenv("http_proxy", f"http://me:s3cretpw@127.0.0.1:{ports['closed']}")
            url, words = (text.format(**ports) for text in UNREACHABLE[case])
            table = Table(seats=["one", "dead/m", "three"], kind=dialect, dead_url=url)
            asked = await run(tmp_path, table, ["--json"])
            assert plain.calls == []
            return asked, words

    asked, words = virtual_time.run(unreached())

    assert_one_seat_failed(asked, "connect", "", words)
    assert_safe(asked)


def test_without_json_a_failing_seat_is_a_line_that_says_what_to_do(tmp_path: Path) -> None:
    asked = ask(
        tmp_path, Table(seats=["one", "404-model", "drop-after-3"]), "--strategy", "synthesize"
    )

    assert (asked.code, asked.out) == (0, f"{WHOLE}\n")
    assert "  3 drop-after-3: failed: acme closed the connection. Try again" in asked.err
