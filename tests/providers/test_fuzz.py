"""Streams from a grammar and from noise; ``MOA_TUI_STREAMS=100000`` makes the count a full one."""

from __future__ import annotations

import json
import os

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from wire_cases import DECODERS, decoded

STREAMS = int(os.environ.get("MOA_TUI_STREAMS", "2000"))

PIECES = st.sampled_from(
    ["", " ", "\n", "Hi", "<think>", "</think>", "<th", "ink>", "</", "\ud83e", "\udd99", "日本",
     "\u2028", "\x00"]
)  # fmt: skip
VALUES: st.SearchStrategy[object] = st.one_of(
    st.none(), st.booleans(), st.integers(-2, 500), PIECES, st.just([]), st.just({})
)
PARTS = st.one_of(
    PIECES,
    VALUES,
    st.lists(st.fixed_dictionaries({"type": PIECES, "text": VALUES}), max_size=2),
)
DELTAS = st.dictionaries(
    st.sampled_from(["content", "reasoning", "reasoning_content", "thinking", "refusal"]),
    PARTS,
    max_size=3,
)
REASONS = st.one_of(VALUES, st.sampled_from(["stop", "length", "error", "tool_calls"]))
CHOICES = st.fixed_dictionaries({"delta": st.one_of(DELTAS, VALUES), "finish_reason": REASONS})
BLOCKS = st.one_of(
    st.dictionaries(st.sampled_from(["type", "text", "thinking", "stop_reason"]), PARTS), VALUES
)
EVENTS = st.sampled_from(
    ["message_start", "content_block_start", "content_block_delta", "message_delta", "message_stop",
     "message", "error", "ping"]
)  # fmt: skip
COUNTS = st.dictionaries(st.sampled_from(["input_tokens", "output_tokens"]), VALUES)
FRAMES = st.one_of(
    st.fixed_dictionaries({"choices": st.lists(CHOICES, max_size=2)}),
    st.fixed_dictionaries({"message": DELTAS, "done": st.booleans(), "done_reason": REASONS}),
    st.fixed_dictionaries({"type": EVENTS, "delta": BLOCKS, "usage": st.one_of(COUNTS, VALUES)}),
    st.fixed_dictionaries({"type": EVENTS, "content_block": BLOCKS, "message": BLOCKS}),
    st.fixed_dictionaries({"type": EVENTS, "content": st.lists(BLOCKS), "stop_reason": REASONS}),
    st.fixed_dictionaries({"error": VALUES}),
    st.fixed_dictionaries({"usage": VALUES, "timings": VALUES, "x_groq": VALUES}),
    VALUES,
)
LINES = st.one_of(
    FRAMES.map(lambda frame: b"data: " + json.dumps(frame).encode()),
    FRAMES.map(lambda frame: json.dumps(frame).encode()),
    st.sampled_from(
        [
            b"data: [DONE]",
            b"event: error",
            b"event: message_stop",
            b": ping",
            b"\xef\xbb\xbf",
            b"data",
            b"<p>",
        ]
    ),
    st.binary(max_size=6),
)
ENDS = st.sampled_from([b"\n\n", b"\n", b"\r\n", b"\r\n\r\n", b"\r", b"\r\r", b""])
BODIES = st.lists(st.tuples(LINES, ENDS), max_size=8).map(
    lambda lines: b"".join(line + end for line, end in lines)
)


@settings(max_examples=STREAMS, deadline=None, suppress_health_check=list(HealthCheck))
@given(BODIES, st.integers(0, 300), st.sampled_from(sorted(DECODERS)))
def test_no_stream_raises_and_no_cut_matters(body: bytes, place: int, protocol: str) -> None:
    whole = decoded(DECODERS[protocol](), [body])

    assert decoded(DECODERS[protocol](), [body[:place], body[place:]]) == whole
    assert decoded(DECODERS[protocol](), [bytes([byte]) for byte in body]) == whole
