"""The editor has the terminal to itself while runs go on, and the screen comes back whole."""

from __future__ import annotations

import re
import sys
from pathlib import Path

from terminal import CLEAN, Terminal

APP = Path(__file__).parents[1] / "editor_app.py"
# It stays longer than Textual's queue of thirty writes lasts: who painted would stop for ever.
# In this shell a trapped signal ends a read that has begun.
EDITOR = """#!/bin/sh
trap 'echo interrupted' INT
sleep 1
echo "editing [$(cat "$1")]"
while [ -z "$line" ]; do read line; done
echo "$line" > "$1"
"""


def start(folder: Path, script: str) -> Terminal:
    editor = folder / "edit.sh"
    editor.write_text(script, "utf-8")
    editor.chmod(0o755)
    environment = {
        "HOME": str(folder),
        "EDITOR": str(editor),
        "PYTHONPATH": f"{APP.parent}:{APP.parents[1]}",
    }
    return Terminal([sys.executable, str(APP)], env=environment)


def count(screen: str) -> int:
    found = re.search(r"count (\d+)", screen)
    return int(found[1]) if found else 0


def test_the_editor_gets_terminal_and_keys_and_the_screen_comes_back(tmp_path: Path) -> None:
    with start(tmp_path, EDITOR) as terminal:
        terminal.wait_for("Ask")
        terminal.send("why")
        terminal.wait_for("› why")
        before = count(terminal.text)
        terminal.send("\x1bOS")
        terminal.wait_for("editing [why]")
        terminal.press("ctrl+c")
        terminal.wait_for("interrupted")
        terminal.send("better words\r")
        screen = terminal.wait_for("› better words")

        assert count(screen) > before + 30
        assert "editing" not in screen
        terminal.send(" typed")
        terminal.wait_for("› better words typed")
        terminal.press("ctrl+q")
        assert (terminal.wait(), terminal.leftovers()) == (0, CLEAN)


def test_an_editor_that_fails_gives_the_screen_back_with_words(tmp_path: Path) -> None:
    with start(tmp_path, "#!/bin/sh\nexit 3\n") as terminal:
        terminal.wait_for("Ask")
        terminal.send("why\x1bOS")
        terminal.wait_for("ended with 3; the prompt is as it was")
        terminal.wait_for("› why")
        terminal.press("ctrl+q")
        assert (terminal.wait(), terminal.leftovers()) == (0, CLEAN)
