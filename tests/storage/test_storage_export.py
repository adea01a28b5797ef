"""A session leaves as a page to read or as JSON, and comes back from JSON whole and harmless."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from storage.shelf import MIXTURE, ONE, TEST, TWO, asked, cut_short, run_of, stored, told

from moa_tui.engine.events import RunFinished
from moa_tui.storage.export import from_json, to_json, to_markdown
from moa_tui.storage.records import Asked, StoreError

if TYPE_CHECKING:
    from pathlib import Path

    from moa_tui.storage.records import Archive
    from moa_tui.storage.store import Store


async def rich_session(store: Store) -> str:
    session = store.begin_session()
    first = store.begin_turn(session, Asked("long paste", "see [pasted]", "see"))
    old = await told(store, first, run_of("the answer"))
    merged = store.begin_run(first, MIXTURE, given_from=old)
    for event in run_of("merged anew"):
        merged.record(event)
    store.take(first, merged.id, TWO, "two says")
    store.take(first, merged.id, ONE, "one says")
    store.keep_test(merged.id, TEST)
    store.begin_turn(session, asked("left aside"), parent=first)
    second = store.begin_turn(session, asked("二"), parent=first)
    cut = store.begin_run(second, MIXTURE)
    for event in cut_short():
        cut.record(event)
    cut.close()
    store.keep_draft(session, "draft", queue=[asked("next")])
    store.rename(session, "A name")
    return session


async def archive(folder: Path) -> Archive:
    async with stored(folder) as store:
        return await store.whole(await rich_session(store))


async def test_json_comes_back_without_loss(tmp_path: Path) -> None:
    text = to_json(await archive(tmp_path / "one"))
    assert to_json(from_json(text)) == text
    async with stored(tmp_path / "two") as store:
        session = await store.add(from_json(text))
        assert to_json(await store.whole(session)) == text
        assert {hit.where for hit in await store.search("paste")} == {"prompt"}
        other = await store.add(from_json(text))
        assert other != session
        assert len(await store.sessions()) == 2


async def test_each_proposal_that_was_taken_comes_back_in_order(tmp_path: Path) -> None:
    text = to_json(await archive(tmp_path / "one"))
    async with stored(tmp_path / "two") as store:
        turn = (await store.load(await store.add(from_json(text)))).turns[0]
        assert [run.taken_from for run in turn.runs] == [None, None, TWO, ONE]
        assert (turn.shown_run, turn.answer) == (turn.runs[-1].id, "one says")
        assert await store.run(turn.runs[-1].id) == await store.run(turn.runs[1].id)


async def test_a_proposal_that_stands_in_the_place_of_an_answer_becomes_a_run(
    tmp_path: Path,
) -> None:
    document = json.loads(to_json(await archive(tmp_path / "one")))
    turn = document["turns"][0]
    *ran, _, _ = turn["runs"]
    ran[-1] |= {"taken": "one says", "taken_from": [1, 1]}
    turn |= {"runs": ran, "shown_run": ran[-1]["id"]}
    async with stored(tmp_path / "two") as store:
        read = (await store.load(await store.add(from_json(json.dumps(document))))).turns[0]
        assert [(run.status, run.taken_from) for run in read.runs] == [
            ("done", None),
            ("done", None),
            ("taken", ONE),
        ]
        assert (read.shown_run, read.answer) == (read.runs[-1].id, "one says")


async def test_markdown_reads_as_the_conversation_with_proposals_folded(tmp_path: Path) -> None:
    page = to_markdown(await archive(tmp_path))
    assert page.startswith("# A name\n")
    assert "left aside" not in page
    assert page.index("## see [pasted]") < page.index("one says") < page.index("## 二")
    assert page.count("<details>") == page.count("</details>") == 4
    assert "Interrupted" in page
    assert "half a prop" in page
    assert "the answer is the proposal 1.1" in page


async def test_markdown_says_whose_proposal_an_answer_is_and_how_it_was_chosen(
    tmp_path: Path,
) -> None:
    *events, end = run_of("A")
    assert isinstance(end, RunFinished)
    picked = replace(end, answer="two says", strategy="pick", chosen=TWO)
    voted = replace(picked, strategy="vote", votes=((TWO, ONE),))
    async with stored(tmp_path) as store:
        session = store.begin_session()
        first = store.begin_turn(session, asked("Why?"))
        await told(store, first, [*events, picked])
        second = store.begin_turn(session, asked("And?"), parent=first)
        await told(store, second, [*events, voted])
        page = to_markdown(await store.whole(session))
    assert "the answer is the proposal 1.2, picked from 2 by " in page
    assert "the answer is the proposal 1.2, both agree*" in page


async def test_a_proposal_cannot_break_out_of_its_fold(tmp_path: Path) -> None:
    async with stored(tmp_path) as store:
        session = store.begin_session()
        hostile = "```python\nprint(1)\n</details>\nleft open"
        await told(store, store.begin_turn(session, asked("Why?")), run_of("so", hostile, "fine"))
        page = to_markdown(await store.whole(session))
    assert page.count("</details>") == 2
    assert page.count("```") == 2


async def test_an_imported_session_is_made_harmless(tmp_path: Path) -> None:
    document = json.loads(to_json(await archive(tmp_path / "one")))
    esc, bidi = "\x1b]52;c;x\x07", "\u202e"
    document["session"]["title"] = f"{esc}title"
    document["turns"][0]["prompt"]["text"] = f"{bidi}prompt"
    for event in document["turns"][0]["runs"][0]["events"]:
        if event["event"] == "text_delta":
            event["text"] += esc + "e" + "\u0301" * 9
    text = json.dumps(document)
    async with stored(tmp_path / "two") as store:
        kept = to_json(await store.whole(await store.add(from_json(text))))
    assert "\\u001b" not in kept
    assert "\u202e" not in kept
    assert "\u0301" * 5 not in kept


def changed(text: str, *path: Any, to: object) -> str:  # noqa: ANN401 - keys and numbers
    document = json.loads(text)
    at = document
    for key in path[:-1]:
        at = at[key]
    at[path[-1]] = to
    return json.dumps(document)


RUN = ("turns", 0, "runs", 0)
TAKEN = ("turns", 0, "runs", 3)
ENTRY = {"text": 1, "seat": [1, 1], "role": "proposer", "model": "t/a", "is_picked": True}


@pytest.mark.parametrize(
    ("path", "value", "complaint"),
    [
        (("format",), "tar", "format"),
        (("version",), 2, "newer moa-tui"),
        (("version",), True, "version must be a whole number"),
        (("session",), [], "session must be an object"),
        (("session", "id"), "../../etc", "session.id must be"),
        (("session", "touched_at"), "now", "session.touched_at must be a number"),
        (("session", "touched_at"), float("nan"), "session.touched_at must be a number"),
        (("turns",), {}, "turns must be a list"),
        (("turns", 0, "prompt", "text"), 5, "turns[1].prompt.text must be a text"),
        (("turns", 0, "parent"), "x", "turns[1].parent must be a whole number"),
        ((*RUN, "status"), "great", "turns[1].runs[1].status must be one of"),
        ((*RUN, "mixture"), {"layers": []}, "aggregator must be an object"),
        ((*RUN, "mixture", "temperature"), 9, "temperature"),
        ((*RUN, "mixture", "layers", 0, "proposers"), ["nomodel"], "endpoint/model"),
        ((*RUN, "mixture", "layers", 0, "proposers", 0), {"model": "a/b", "label": 5}, "label"),
        ((*RUN, "events", 0, "event"), "boom", "is no event that is known here: 'boom'"),
        ((*RUN, "events", 2, "seat"), [0, 1], "must be a seat"),
        ((*RUN, "events", 2, "n"), None, "must be a whole"),
        ((*RUN, "events", 2), {"event": "run_failed", "n": 1}, "t is missing"),
        ((*RUN, "events", 2), {"event": "seat_note", "n": 3, "t": 0}, "is missing"),
        ((*RUN, "taken_from"), "1.1", "taken_from must be a seat"),
        ((*RUN, "test"), [ENTRY | {"text": 9}], "test[1].text must be from 1 to 4"),
        ((*RUN, "test"), [ENTRY | {"is_picked": "no"}], "test[1].is_picked must be true"),
        ((*RUN, "test"), [ENTRY, ENTRY], "test must name each seat once"),
        ((*RUN, "test"), [ENTRY, ENTRY | {"seat": [1, 2], "text": 2}], "one text picked at most"),
        ((*TAKEN, "given_from"), 9, "taken from no run before it"),
        ((*TAKEN, "given_from"), 4, "taken from no run before it"),
        ((*TAKEN, "taken"), None, "must have a text and a seat"),
    ],
)
async def test_what_is_wrong_with_a_file_is_said(
    path: tuple[Any, ...], value: object, complaint: str, tmp_path: Path
) -> None:
    text = changed(to_json(await archive(tmp_path)), *path, to=value)
    with pytest.raises(StoreError) as raised:
        from_json(text)
    assert complaint in str(raised.value)


@pytest.mark.parametrize(
    "text", ["", "{", "[]", "null", "[" * 100_000, '"moa-tui session"', "1e999"]
)
def test_what_is_no_session_is_refused(text: str) -> None:
    with pytest.raises(StoreError, match="no moa-tui session"):
        from_json(text)
