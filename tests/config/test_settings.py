from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from moa_tui import config
from moa_tui.__main__ import speaks_utf8
from moa_tui.engine.provider import Endpoint, Price
from moa_tui.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


def load(
    folder: Path, text: str = "", *, state: str = "", environ: Mapping[str, str] | None = None
) -> tuple[config.Settings, list[str]]:
    """Load the two files; the notices' paths are shortened to the file's name."""
    if text:
        (folder / "config.toml").write_text(text, "utf-8")
    if state:
        (folder / "state.toml").write_text(state, "utf-8")
    settings, notices = config.load(folder, environ or {})
    return settings, [notice.replace(f"{folder}/", "") for notice in notices]


def test_without_files_the_known_endpoints_and_defaults_stand(tmp_path: Path) -> None:
    settings, notices = load(tmp_path)
    assert notices == []
    assert settings.preferences == config.Preferences(preset="", theme="moa-dark", notify=True)
    assert list(settings.endpoints) == [
        *("ollama", "lmstudio", "llamacpp", "vllm", "together", "groq", "openai", "openrouter"),
        *("anthropic", "mistral", "deepseek", "gemini", "xai", "embedded", "demo"),
    ]


def test_a_folder_that_is_not_there_is_like_an_empty_one(tmp_path: Path) -> None:
    assert load(tmp_path / "nowhere") == load(tmp_path)


def test_a_new_endpoint_has_all_that_the_table_says(tmp_path: Path) -> None:
    settings, notices = load(
        tmp_path,
        """
        [endpoints.lab]
        kind = "openai"
        base_url = "https://lab.example/v1/"
        api_key_env = "LAB_KEY"
        api_key_cmd = ["pass", "lab"]
        max_concurrency = 4
        headers = { X-Team = "lab" }
        connect_s = 5
        first_token_s = 90.5
        idle_s = 30
        total_s = 300
        [endpoints.lab.prices."big/model"]
        input = 0.59
        output = 1
        """,
    )
    assert notices == []
    assert settings.endpoint("lab") == Endpoint(
        name="lab",
        kind="openai",
        base_url="https://lab.example/v1",
        label="lab",
        api_key_env="LAB_KEY",
        api_key_cmd=("pass", "lab"),
        headers={"X-Team": "lab"},
        max_concurrency=4,
        connect_s=5.0,
        first_token_s=90.5,
        idle_s=30.0,
        total_s=300.0,
        prices={"big/model": Price(0.59, 1.0)},
    )


def test_an_entry_of_a_known_endpoint_changes_only_what_it_names(tmp_path: Path) -> None:
    settings, _ = load(tmp_path, "[endpoints.groq]\nmax_concurrency = 2\n")
    groq = settings.endpoint("groq")
    assert (groq.max_concurrency, groq.base_url, groq.api_key_env, groq.label) == (
        2,
        "https://api.groq.com/openai/v1",
        "GROQ_API_KEY",
        "Groq",
    )


@pytest.mark.parametrize("value", ["https://proxy.example", "https://proxy.example/v1/"])
def test_anthropic_s_url_of_the_environment_has_no_version(tmp_path: Path, value: str) -> None:
    settings, _ = load(tmp_path, environ={"ANTHROPIC_BASE_URL": value})
    assert settings.endpoint("anthropic").base_url == "https://proxy.example/v1"


def test_later_sources_win_field_by_field(tmp_path: Path) -> None:
    settings, notices = load(
        tmp_path,
        '[preferences]\ntheme = "from-config"\n'
        '[endpoints.openai]\nbase_url = "https://config.example/v1"\nidle_s = 2\n',
        state='[preferences]\ntheme = "from-state"\npreset = "from-state"\n'
        "[endpoints.openai]\nidle_s = 1\nconnect_s = 1\n",
        environ={"OPENAI_BASE_URL": "https://environment.example/v1/"},
    )
    assert notices == []
    assert settings.preferences == config.Preferences(preset="from-state", theme="from-config")
    endpoint = settings.endpoint("openai")
    assert (endpoint.base_url, endpoint.idle_s, endpoint.connect_s) == (
        "https://environment.example/v1",
        2.0,
        1.0,
    )


def test_preferences_say_which_file_or_variable_they_come_from(tmp_path: Path) -> None:
    settings, notices = load(
        tmp_path,
        '[preferences]\nglyphs = "ascii"\nmotion = "full"\n',
        state='[preferences]\nglyphs = "unicode"\nsidebar = false\ntitle = false\n',
        environ={"TEXTUAL_ANIMATIONS": "NONE"},
    )
    assert notices == []
    assert settings.preferences == config.Preferences(
        glyphs="ascii", motion="reduced", sidebar=False, title=False
    )
    assert settings.origins == {
        "glyphs": "config.toml",
        "sidebar": "state.toml",
        "title": "state.toml",
        "motion": "TEXTUAL_ANIMATIONS",
    }


def test_only_the_variable_that_asks_for_no_motion_at_all_counts(tmp_path: Path) -> None:
    settings, _ = load(tmp_path, environ={"TEXTUAL_ANIMATIONS": "basic"})
    assert (settings.preferences.motion, settings.origins) == ("full", {})


def test_words_that_a_newer_version_wrote_to_state_toml_are_ignored(tmp_path: Path) -> None:
    settings, notices = load(
        tmp_path, state='[preferences]\nglyphs = "braille"\nmotion = "half"\ncursor = "line"\n'
    )
    assert (settings.preferences, settings.origins) == (config.Preferences(), {})
    assert notices == []


@pytest.mark.parametrize(
    ("environ", "is_utf8"),
    [
        ({}, True),
        ({"LANG": "en_US.UTF-8"}, True),
        ({"LANG": "de_DE.utf8"}, True),
        ({"LANG": "C"}, False),
        ({"LANG": "en_US.UTF-8", "LC_ALL": "POSIX"}, False),
        ({"LANG": "C", "LC_ALL": "", "LC_CTYPE": "C.UTF-8"}, True),
        ({"LC_ALL": "zh_CN.GB18030"}, False),
    ],
)
def test_the_locale_tells_whether_the_terminal_speaks_utf8(
    environ: Mapping[str, str], *, is_utf8: bool
) -> None:
    assert speaks_utf8(environ) == is_utf8


def test_keys_are_kept_as_they_are_written(tmp_path: Path) -> None:
    settings, _ = load(tmp_path, '[keys]\nmerge_now = "m"\n', state='[keys]\nstop = "s"\n')
    assert settings.keys == {"stop": "s", "merge_now": "m"}


@pytest.mark.parametrize(
    ("text", "notice"),
    [
        ("[preference]\n", 'preference is no known key; did you mean "preferences"?'),
        ('[preferences]\nthem = "x"\n', 'preferences.them is no known key; did you mean "theme"?'),
        ("[preferences]\nnotify = 1\n", "preferences.notify must be true or false"),
        ("[preferences]\ntheme = 1\n", "preferences.theme must be a text in quotes"),
        ("[preferences]\nsidebar = 'no'\n", "preferences.sidebar must be true or false"),
        (
            "[preferences]\nglyphs = 'asci'\n",
            'preferences.glyphs must be one of unicode, ascii; did you mean "ascii"?',
        ),
        (
            "[preferences]\nmotion = true\n",
            "preferences.motion must be a text in quotes",
        ),
        ("[keys]\nmerge_now = 1\n", "keys.merge_now must be a text in quotes"),
        ("endpoints = 3\n", "endpoints must be a table"),
        ("[endpoints]\ngroq = 3\n", "endpoints.groq must be a table"),
        (
            "[endpoints.groq]\nbase_ulr = 'x'\n",
            'endpoints.groq.base_ulr is no known key; did you mean "base_url"?',
        ),
        (
            "[endpoints.groq]\nkind = 'opnai'\n",
            (
                "endpoints.groq.kind must be one of openai, ollama, anthropic, embedded, scripted"
                '; did you mean "openai"?'
            ),
        ),
        ("[endpoints.groq]\nconnect_s = 0\n", "endpoints.groq.connect_s must be a number above 0"),
        ("[endpoints.groq]\nidle_s = inf\n", "endpoints.groq.idle_s must be a number above 0"),
        ("[endpoints.groq]\nidle_s = true\n", "endpoints.groq.idle_s must be a number above 0"),
        (
            "[endpoints.groq]\nmax_concurrency = 0\n",
            "endpoints.groq.max_concurrency must be at least 1",
        ),
        (
            "[endpoints.groq]\napi_key_cmd = 'pass groq'\n",
            "endpoints.groq.api_key_cmd must be a list of texts",
        ),
        (
            "[endpoints.groq.prices.m]\ninput = 1\n",
            "endpoints.groq.prices.m needs both input and output, dollars per million tokens",
        ),
        (
            "[endpoints.groq]\nheaders = { X-A = 'a\\tb', X-B = \"a\\nb\" }\n",
            "endpoints.groq.headers.X-B must be plain ASCII on one line",
        ),
        (
            '[endpoints.groq.headers]\n"X Ä" = "b"\n',
            "endpoints.groq.headers.X Ä is no name for a header: use letters, digits and -",
        ),
        (
            "[endpoints.groq]\nheaders = { content-Length = '3' }\n",
            "endpoints.groq.headers.content-Length is set by the program itself",
        ),
        (
            "[endpoints.groq]\nbase_url = 'groq.com'\n",
            "endpoints.groq.base_url must be a URL like http://localhost:8000/v1",
        ),
        (
            "[endpoints.groq]\nbase_url = 'https://me:pass@groq.com'\n",
            (
                "endpoints.groq.base_url must not contain a key or a password: "
                "name its variable in api_key_env"
            ),
        ),
        ("[endpoints.lab]\nidle_s = 3\n", "endpoints.lab needs a base_url"),
        (
            "[endpoints.'a/b']\nbase_url = 'http://localhost'\n",
            "endpoints.a/b is no name for an endpoint: use letters, digits, - _ and .",
        ),
    ],
)
def test_a_mistake_is_told_with_file_and_key(tmp_path: Path, text: str, notice: str) -> None:
    settings, notices = load(tmp_path, text)
    assert notices == [f"config.toml: {notice}"]
    assert len(settings.mistakes) == 1


def test_a_mistake_leaves_the_rest_of_the_file_in_force(tmp_path: Path) -> None:
    settings, _ = load(
        tmp_path,
        '[preferences]\ntheme = "mine"\nnotify = "no"\n'
        '[endpoints.lab]\nbase_url = "http://localhost:1"\n[endpoints.groq]\nidle_s = "long"\n',
    )
    assert settings.preferences == config.Preferences(theme="mine", notify=True)
    assert settings.endpoint("lab").base_url == "http://localhost:1"


def test_an_endpoint_whose_table_has_a_mistake_is_never_called(tmp_path: Path) -> None:
    settings, _ = load(tmp_path, "[endpoints.openai]\nbase_ulr = 'https://own.example'\n")
    with pytest.raises(ConfigError, match=r"openai\.base_ulr is no known key"):
        settings.endpoint("openai")


def test_an_unknown_endpoint_is_refused_with_the_nearest_one(tmp_path: Path) -> None:
    settings, _ = load(tmp_path)
    with pytest.raises(ConfigError) as near:
        settings.endpoint("olama")
    with pytest.raises(ConfigError) as far:
        settings.endpoint("x\x1b[2J")
    assert str(near.value) == 'no endpoint is called "olama"; did you mean "ollama"?'
    assert str(far.value) == (
        'no endpoint is called "x␛[2J"; a new one is a table [endpoints.x␛[2J] in config.toml'
    )


@pytest.mark.parametrize(
    "key", ["sk-abcdefghijklmnop123", "gsk_abcdefghijklmnop123", "AIzaSyA1234567890abcdefghijkl"]
)
@pytest.mark.parametrize(
    "line",
    [
        'api_key_env = "{key}"',
        'headers = {{ X-Key = "{key}" }}',
        'base_url = "https://h.example/v1?key={key}"',
        '{key} = "x"',
    ],
)
def test_a_key_in_config_is_refused_and_never_shown(tmp_path: Path, key: str, line: str) -> None:
    settings, notices = load(tmp_path, f"[endpoints.groq]\n{line.format(key=key)}\n")
    assert len(notices) == 1
    assert "groq" in settings.broken
    assert key not in notices[0] + repr(settings.broken) + repr(settings.mistakes)


@pytest.mark.parametrize(
    "value", ["0123abcd-secret", "aB3dE5gH7jK9mN1p", "abcdefabcdefabcdefabcdefabcdef01"]
)
def test_what_is_no_variables_name_is_refused_as_a_possible_key(tmp_path: Path, value: str) -> None:
    _, notices = load(tmp_path, f'[endpoints.groq]\napi_key_env = "{value}"\n')
    assert notices == [
        (
            "config.toml: endpoints.groq.api_key_env must be the NAME of an environment variable, "
            "like GROQ_API_KEY, not the key itself"
        )
    ]


@pytest.mark.parametrize(
    ("text", "place"),
    [
        (b"[preferences]\ntheme = \n", "line 2, column 9: Invalid value"),
        (b"a = 1\n[endpoints", "line 2, column 11: Expected ']' at the end of a table declaration"),
        (b'a = "x\xff"\n', "line 1, column 7: this isn't UTF-8"),
    ],
)
def test_a_file_that_is_no_toml_is_named_with_line_and_column(
    tmp_path: Path, text: bytes, place: str
) -> None:
    path = tmp_path / "config.toml"
    path.write_bytes(text)
    settings, notices = config.load(tmp_path, {})
    assert notices == (f"{path}, {place}",)
    assert settings.mistakes == notices
    assert path.read_bytes() == text


def test_tables_nested_without_end_are_a_mistake_too(tmp_path: Path) -> None:
    (tmp_path / "config.toml").write_text(f"a = {'[' * 20_000}", "utf-8")
    _, notices = config.load(tmp_path, {})
    assert notices == (f"{tmp_path / 'config.toml'}: its tables are nested too deeply",)


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    (tmp_path / "config.toml").mkdir()
    _, notices = load(tmp_path)
    assert notices == ["config.toml can't be read: Is a directory"]


def test_a_byte_order_mark_is_not_a_mistake(tmp_path: Path) -> None:
    (tmp_path / "config.toml").write_bytes(b'\xef\xbb\xbf[preferences]\npreset = "demo"\n')
    settings, notices = config.load(tmp_path, {})
    assert (settings.preferences.preset, notices) == ("demo", ())


def test_what_a_newer_version_left_in_state_is_ignored(tmp_path: Path) -> None:
    settings, notices = load(
        tmp_path, state="[layout]\nx = 1\n[preferences]\nzoom = 1\n[endpoints.groq]\nnew = 1\n"
    )
    assert notices == []
    assert settings.mistakes == ()
    assert settings.endpoint("groq").base_url == "https://api.groq.com/openai/v1"


def test_a_broken_state_is_a_notice_but_no_mistake_of_the_users(tmp_path: Path) -> None:
    settings, notices = load(tmp_path, state="[preferences\n")
    assert notices == [
        "state.toml, line 1, column 13: Expected ']' at the end of a table declaration"
    ]
    assert settings.mistakes == ()


def test_state_can_not_name_a_command_to_run(tmp_path: Path) -> None:
    settings, _ = load(tmp_path, state='[endpoints.groq]\napi_key_cmd = ["rm"]\nidle_s = 1\n')
    endpoint = settings.endpoint("groq")
    assert (endpoint.api_key_cmd, endpoint.idle_s) == ((), 1.0)


@pytest.mark.parametrize(
    ("host", "url"),
    [
        ("box", "http://box:11434"),
        ("box:1234", "http://box:1234"),
        (":1234", "http://127.0.0.1:1234"),
        ("0.0.0.0", "http://127.0.0.1:11434"),  # noqa: S104 - a text to read, nothing is bound
        ("http://0.0.0.0:9", "http://127.0.0.1:9"),
        ("http://box", "http://box:80"),
        ("https://ollama.example/", "https://ollama.example:443"),
        ("https://box:8443/path/", "https://box:8443/path"),
        ("[::1]:1234", "http://[::1]:1234"),
        ("[::]:1234", "http://127.0.0.1:1234"),
        ("::1", "http://[::1]:11434"),
    ],
)
def test_ollama_host_is_read_as_ollama_reads_it(tmp_path: Path, host: str, url: str) -> None:
    settings, notices = load(tmp_path, environ={"OLLAMA_HOST": host})
    assert (settings.endpoint("ollama").base_url, notices) == (url, [])


def test_base_urls_of_the_environment_are_respected(tmp_path: Path) -> None:
    settings, _ = load(tmp_path, environ={"TOGETHER_BASE_URL": "http://localhost:4000/v1"})
    assert settings.endpoint("together").base_url == "http://localhost:4000/v1"


def test_a_useless_variable_is_told_and_its_endpoint_not_called(tmp_path: Path) -> None:
    settings, notices = load(tmp_path, environ={"OPENAI_BASE_URL": "localhost"})
    assert notices == [
        "the environment's OPENAI_BASE_URL must be a URL like http://localhost:8000/v1"
    ]
    assert settings.mistakes == ()
    with pytest.raises(ConfigError):
        settings.endpoint("openai")


def test_a_pipe_in_a_settings_files_place_is_never_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "config.toml")
    _, notices = load(tmp_path)
    assert notices == ["config.toml can't be read: it is no regular file"]
