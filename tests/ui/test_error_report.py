"""The report of a failure: whole enough to be of use, and nothing private in it."""

from __future__ import annotations

from dataclasses import replace
from types import MappingProxyType
from typing import TYPE_CHECKING

from racing_seats import done, failed

from moa_tui import __version__
from moa_tui.engine.mixture import Agent, Aggregator, Layer, Mixture, Seat
from moa_tui.engine.provider import Endpoint
from moa_tui.engine.state import RunState
from moa_tui.ui.report import program_line, report

if TYPE_CHECKING:
    from moa_tui.engine.state import SeatState

PROMPT = "Why is the sky blue on Mars, but not on the Moon?"
ANSWER = "The sky on Mars is rather butterscotch by day."
KEY = "gsk_abcdefgh1jklmnopqrstuvwx"
GROQ = Endpoint(
    name="groq",
    kind="openai",
    base_url="https://user:secret@groq.test:8443/account-1234/v1?token=5678",
    headers=MappingProxyType({"x-team": "the moon team"}),
    api_key_env="GROQ_API_KEY",
)
MIXTURE = Mixture(
    name="trio",
    layers=(
        Layer(
            proposers=(
                Agent(model="groq/a", temperature=0.2, seed=7, stop=("THE END",)),
                Agent(model="groq/b", system="You are the captain of a small ship."),
            )
        ),
    ),
    aggregator=Aggregator(agent=Agent(model="groq/m")),
)
SEAT = replace(
    failed("rate_limit", "Groq: the rate limit is reached", "wait a minute"),
    model="groq/a",
    attempt=3,
    started_t=1.0,
    first_t=1.4,
    ended_t=5.0,
    notes=("seed isn't taken here",),
)


def state(*seats: SeatState) -> RunState:
    return RunState(
        status="failed",
        mixture=MIXTURE,
        seats=MappingProxyType({seat.seat: seat for seat in seats}),
        kind="rate_limit",
        message="no proposal came",
        hint="retry a seat",
        t=9.1,
    )


def test_a_seats_report_says_what_where_when_and_what_was_tried() -> None:
    other = replace(done(ANSWER, 2), model="groq/b")
    found = report(state(SEAT, other), SEAT, endpoint=GROQ, prompt=PROMPT, program="moa-tui 1.0")
    assert found.text.split("\n") == [
        "moa-tui 1.0",
        "happened  proposer 1.1, groq/a: failed",
        "cause     rate_limit, 429",
        "message   Groq: the rate limit is reached",
        "hint      wait a minute",
        "model     groq/a",
        "options   temperature 0.2, max_tokens 2048, seed 7, 1 stop text",
        "attempt   3",
        "times     asked at 1.0s, first token at 1.4s, ended at 5.0s",
        "note      seed isn't taken here",
        "endpoint  groq, openai, groq.test",
        "limits    10 s to connect, 60 s to the first token, 60 s between two, 600 s in all",
        "seats     proposer 1.1, groq/a: failed, 4.0s",
        "          proposer 1.2, groq/b: done, 4.0s",
    ]
    assert (found.title, found.facts) == ("a: 429", "attempt 3 · 4.0s")
    assert (found.message, found.hint) == ("Groq: the rate limit is reached", "wait a minute")


def test_a_runs_report_says_why_each_seat_failed() -> None:
    found = report(state(SEAT))
    assert found.text.split("\n") == [
        "happened  the run: failed",
        "cause     rate_limit, 429",
        "message   no proposal came",
        "hint      retry a seat",
        "seats     proposer 1.1, groq/a: failed, 4.0s: Groq: the rate limit is reached",
    ]
    assert (found.title, found.facts) == ("the run: 429", "9.1s")


def test_a_run_that_called_nobody_has_a_report_too() -> None:
    refused = RunState(status="failed", kind="invalid", message="unknown endpoint 'x'")
    assert report(refused).text.split("\n") == [
        "happened  the run: failed",
        "cause     invalid, request refused",
        "message   unknown endpoint 'x'",
        "seats     none was called",
    ]
    assert report(RunState(status="failed")).message == "failed"


def test_an_aggregators_options_are_its_own_and_a_swapped_models_are_unknown() -> None:
    merging = replace(SEAT, seat=Seat(2, 1), role="aggregator", model="groq/m")
    assert "aggregator 2.1, groq/m: failed" in report(state(merging), merging).text
    assert "options   temperature 0.7" in report(state(merging), merging).text
    swapped = replace(SEAT, model="groq/other")
    assert "options" not in report(state(swapped), swapped).text


def test_no_key_prompt_answer_header_or_account_is_in_a_report() -> None:
    echo = f'bad request: {{"key": "{KEY}", "messages": ["{PROMPT}"], "was": "{ANSWER}"}}'
    seat = replace(SEAT, model="groq/b", message=echo, hint=f"Bearer {KEY}", notes=(echo,))
    other = replace(done(ANSWER, 2), message=echo)
    found = report(state(seat, other), seat, endpoint=GROQ, prompt=PROMPT)
    everything = f"{found.title} {found.facts} {found.message} {found.hint} {found.text}"
    private = (KEY, PROMPT, ANSWER, "secret", "1234", "5678", "moon team", "THE END", "captain")
    assert [word for word in private if word in everything] == []
    assert "bad request" in found.message
    assert "[left out]" in found.message
    assert "a system text" not in everything


def test_what_a_server_repeats_in_part_is_left_out_too() -> None:
    seat = replace(SEAT, message=f"invalid content: {PROMPT[8:40]}…")
    found = report(state(seat), seat, prompt=f"x\n{PROMPT}\ny")
    assert found.message == "invalid content: [left out]…"


def test_a_report_is_clean_and_every_line_is_one() -> None:
    seat = replace(
        SEAT, message="a\n\x1b[2Jb\a", notes=("c\nd",), model="groq/a\x1b\n", label="l\n"
    )
    found = report(state(seat), seat, program="moa\x1b\n")
    everything = f"{found.title}{found.message}{found.hint}{found.text}"
    assert not {"\x1b", "\a"} & set(everything)
    assert found.message == "a ␛[2Jb␇"
    assert "note      c d" in found.text


def test_the_program_tells_its_versions() -> None:
    line = program_line()
    assert line.startswith(f"moa-tui {__version__}, Python 3.")
    assert ", Textual 8." in line
