from __future__ import annotations

import pytest
from wire_cases import DECODERS, Case, cases, cuts, decoded


def named(case: Case) -> str:
    return case.name


@pytest.mark.parametrize("case", cases(), ids=named)
def test_a_body_comes_to_what_its_case_says(case: Case) -> None:
    assert decoded(DECODERS[case.protocol](), case.chunks) == case.expect


@pytest.mark.parametrize("case", cases(), ids=named)
def test_where_a_body_is_cut_changes_nothing(case: Case) -> None:
    wrong = [
        chunks
        for chunks in cuts(case.body)
        if decoded(DECODERS[case.protocol](), chunks) != case.expect
    ]

    assert wrong == []


def test_every_case_has_a_name_of_its_own() -> None:
    names = [case.name for case in cases()]

    assert len(set(names)) == len(names)
