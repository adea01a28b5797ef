"""The table ``[keys]``: read from both files, config.toml above state.toml, mistakes told."""

from __future__ import annotations

from typing import TYPE_CHECKING

from moa_tui.config import load

if TYPE_CHECKING:
    from pathlib import Path


def test_the_keys_of_both_files_hold_and_config_toml_wins(tmp_path: Path) -> None:
    (tmp_path / "state.toml").write_text('[keys]\nmerge_now = "g"\nstop = "f6"\n', "utf-8")
    (tmp_path / "config.toml").write_text(
        '[keys]\nmerge_now = "f3,m"\n"tile.scroll_up" = "^u"\n', "utf-8"
    )
    settings, notices = load(tmp_path, {})
    assert settings.keys == {"merge_now": "f3,m", "stop": "f6", "tile.scroll_up": "^u"}
    assert notices == ()


def test_a_key_that_is_no_text_is_told_and_the_others_hold(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    path.write_text('[keys]\nmerge_now = 3\nstop = ["f6"]\nhelp = "?"\n', "utf-8")
    settings, notices = load(tmp_path, {})
    assert settings.keys == {"help": "?"}
    assert notices == (
        f"{path}: keys.merge_now must be a text in quotes",
        f"{path}: keys.stop must be a text in quotes",
    )


def test_a_name_with_a_dot_needs_no_quotes(tmp_path: Path) -> None:
    (tmp_path / "config.toml").write_text(
        '[keys]\ntile.scroll_up = "^u"\ntile.end = "g"\n[keys.sidebar]\nadd = "a"\n', "utf-8"
    )
    settings, notices = load(tmp_path, {})
    assert settings.keys == {"tile.scroll_up": "^u", "tile.end": "g", "sidebar.add": "a"}
    assert notices == ()


def test_deeper_tables_and_other_values_are_told(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    deep = ".".join("a" * 3000)
    path.write_text(f'[keys]\n{deep} = "x"\n[keys.empty]\n', "utf-8")
    settings, notices = load(tmp_path, {})
    assert settings.keys == {}
    assert notices == (
        f"{path}: keys.a.a must be a text in quotes",
        f"{path}: keys.empty must be a text in quotes",
    )
    path.write_text("keys = 3\n", "utf-8")
    assert load(tmp_path, {})[1] == (f"{path}: keys must be a table",)
