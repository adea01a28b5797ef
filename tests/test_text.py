from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING
from urllib.parse import quote

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from moa_tui.text import (
    Cleaner,
    Secret,
    SurrogateJoiner,
    clean,
    escaped,
    is_variable_name,
    looks_like_key,
    may_be_key,
    one_line,
    redact,
)

if TYPE_CHECKING:
    from collections.abc import Callable

NASTY = (
    "a\x00b\x1b]52;c;aGk=\x07\x7f\x85\x9b31m\r\nc\td\u2028e\u2029f\u202eg\u2066h\u061ci\u200ej"
    "\xadk\u200bl\u2060m\ufeffn\ufff9o\U000e0041p\U000e0100q👩‍👩‍👧\u200c❤\ufe0f"
    "z" + "\u0301" * 9 + "!日本\ud83e\udd99\ud83ex\udd99"
)
KEY = Secret("planted/secret+value")


def cleaned(pieces: list[str]) -> str:
    cleaner = Cleaner()
    return "".join(cleaner.feed(piece) for piece in pieces) + cleaner.close()


def test_each_kind_of_character_becomes_what_the_map_says() -> None:
    assert clean(NASTY) == (
        "a␀b␛]52;c;aGk=␇␡\ufffd\ufffd31m\nc\td\ne\nf\ufffdg\ufffdh\ufffdi\ufffdj"
        "klmnopq👩‍👩‍👧\u200c❤\ufe0f"
        "z" + "\u0301" * 4 + "!日本🦙\ufffdx\ufffd"
    )


def test_where_a_text_is_cut_changes_nothing() -> None:
    whole = clean(NASTY)

    for place in range(len(NASTY) + 1):
        assert cleaned([NASTY[:place], NASTY[place:]]) == whole
    assert cleaned(list(NASTY)) == whole


@settings(max_examples=300, deadline=None)
@given(st.lists(st.text(st.characters(categories=None, exclude_categories=()), max_size=8)))
def test_no_cut_of_any_text_matters_and_nothing_unsafe_is_left(pieces: list[str]) -> None:
    found = cleaned(pieces)

    assert found == clean("".join(pieces))
    assert not [char for char in found if ord(char) < 32 and char not in "\n\t"]
    assert not [char for char in found if 0x7F <= ord(char) < 0xA0 or 0xD800 <= ord(char) < 0xE000]


def test_halves_of_a_character_are_joined() -> None:
    joiner = SurrogateJoiner()

    assert [joiner.feed("a\ud83e"), joiner.feed("\udd99b"), joiner.close()] == ["a", "🦙b", ""]


def test_a_half_that_stays_alone_shows() -> None:
    joiner = SurrogateJoiner()

    assert [joiner.feed("a\ud83e"), joiner.close()] == ["a", "\ufffd"]


def test_a_line_is_short_and_one() -> None:
    assert one_line(" a\n\n b\x1b ") == "a b␛"
    assert one_line("x" * 300, 10) == "x" * 9 + "…"


def test_json_says_the_same_without_what_a_terminal_obeys() -> None:
    told = {"a\x9b": "b\x1b\u202e\x7f\u2028日本🦙"}
    document = escaped(json.dumps(told, ensure_ascii=False))
    assert json.loads(document) == told
    assert document == r'{"a\u009b": "b\u001b\u202e\u007f\u2028日本🦙"}'


def test_a_secret_shows_itself_only_when_asked() -> None:
    assert [str(KEY), repr(KEY), f"{KEY}", f"{KEY:>10}"] == ["Secret(•••)"] * 4
    assert KEY.reveal() == "planted/secret+value"


@pytest.mark.parametrize(
    "spelling",
    [
        KEY.reveal(),
        quote(KEY.reveal(), safe=""),
        quote(KEY.reveal(), safe="/"),
        quote(KEY.reveal(), safe="").lower(),
        base64.b64encode(KEY.reveal().encode()).decode(),
        base64.urlsafe_b64encode(b"~~~???" + KEY.reveal().encode()).decode()[8:],
    ],
)
def test_a_known_key_is_masked_in_every_spelling(spelling: str) -> None:
    found = redact(f"key={spelling}.", [KEY])

    assert "•••" in found
    assert spelling.rstrip("=") not in found


@pytest.mark.parametrize("before", ["user:", "Bearer ", "u:", "ab", ""])
@pytest.mark.parametrize("encode", [base64.b64encode, base64.urlsafe_b64encode])
def test_a_known_key_is_masked_inside_of_base64(
    encode: Callable[[bytes], bytes], before: str
) -> None:
    secret = Secret("abc/def?ghi>jkl~MNO123456")
    encoded = encode(f"{before}{secret.reveal()}:x".encode()).decode()

    found = redact(encoded, [secret])

    left = found.replace("•••", "")
    assert len(left) <= len(encoded) - len(secret.reveal()) * 8 // 6 + 2


def test_a_key_that_is_no_unicode_is_masked_too() -> None:
    odd = Secret("\udcff\udcfeabcd")
    assert redact(f"it is {odd.reveal()}.", [odd]) == "it is •••."


@pytest.mark.parametrize(
    "text",
    [
        "sk-proj-0123456789abcdef",
        "gsk_0123456789abcdef",
        "hf_0123456789abcdef",
        "AIzaSyA0123456789abcdefghijk",
        "nvapi-0123456789abcdef",
        "csk-0123456789abcdef",
        "fw_0123456789abcdef",
        "eyJ0123456789abcdef.eyJzdWIiOiIxMjM0.dozjgNryP4J3",
        "0123456789abcdef0123456789abcdef.AbCdEfGhIjKlMnOp",
        "Authorization: Bearer abcdefgh12345678",
    ],
)
def test_what_looks_like_a_key_is_masked_unknown(text: str) -> None:
    assert looks_like_key(text)
    assert "0123456789" not in redact(text)
    assert "abcdefgh1234" not in redact(text)


def test_a_name_of_a_variable_is_no_key() -> None:
    assert not looks_like_key("GROQ_API_KEY")


@pytest.mark.parametrize(
    "word",
    [
        "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",
        "abcdefabcdefabcdefabcdefabcdefab",
        "Xy7kQ29mPz4RtW8vLn3B",
        "LAB_API_KEY=0123456789abcdef0123",
        "0123456789abcdef0123456789abcdef.AbCdEfGhIjKl",
        "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N",
        "nvapi-abcdefghijklmnopqrstuvwxyzABCDEF",
        "csk-abcdefghijklmnopqrstuvwxyz",
        "fw_abcdefghijklmnopqrstuvw",
        "AbC+de/EfghHiJKlmnop",
        "AbC1+23/dEf456gHi789jKl012==",
        '"0123456789abcdef0123456789abcdef"',
    ],
)
def test_a_long_word_of_no_vendors_shape_may_be_a_key(word: str) -> None:
    assert may_be_key(word)
    assert not is_variable_name(word)


@pytest.mark.parametrize(
    "word",
    [
        "GROQ_API_KEY",
        "MY_LAB_2026_GATEWAY_KEY",
        "localhost:11434",
        "http://a.example/v1",
        "https://Host.example:8000/v1/openai/Deployment",
        "gpu-server-of-the-whole-lab",
        "ip-10-0-0-12.eu.internal",
        "192.168.100.200",
        "gpu2026",
        "my-gpu-box-2.lan:8000",
        "api.example.com/v1",
        "[::1]:8080",
        "localhost/v1/chat/completions",
    ],
)
def test_no_address_and_no_name_of_a_variable_may_be_one(word: str) -> None:
    assert not may_be_key(word)


@pytest.mark.parametrize("name", ["GROQ_API_KEY", "lab_key", "MY_LAB_2026_GATEWAY_KEY", "Key2"])
def test_a_variables_name_is_one(name: str) -> None:
    assert is_variable_name(name)


@pytest.mark.parametrize("name", ["", "2KEY", "LAB-KEY", "aB3dE5gH7jK9mN1p", "a.b"])
def test_what_no_variable_is_called_or_what_may_be_a_key_is_none(name: str) -> None:
    assert not is_variable_name(name)
