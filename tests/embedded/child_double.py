"""Stands in for llama.cpp's child: same pipe, same API, answers at once; run as a script.

Its arguments: a file that gets a line at each start, and what goes wrong at start ("" nothing).
The user's message says what it does: "pid" tells its process id, "die" ends it in mid-answer,
"die first" before a byte, "together" answers once three such requests are there.
"""

from __future__ import annotations

import json
import os
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

THREE = threading.Barrier(3)


class Handler(BaseHTTPRequestHandler):
    key = ""

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if self.headers["Authorization"] != f"Bearer {self.key}":
            self.send_error(401)
            return
        wish = body["messages"][-1]["content"]
        if wish == "die first":
            os._exit(9)
        if wish == "together":
            THREE.wait(timeout=20)
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.end_headers()
        self._say({"delta": {"content": str(os.getpid())}, "finish_reason": None})
        if wish == "die":
            os._exit(9)
        self._say({"delta": {}, "finish_reason": "stop"})
        self.wfile.write(b"data: [DONE]\n\n")

    def _say(self, choice: dict[str, object]) -> None:
        chunk = {"choices": [{"index": 0, **choice}]}
        self.wfile.write(b"data: " + json.dumps(chunk).encode() + b"\n\n")
        self.wfile.flush()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base's name
        """Say nothing."""


def main() -> None:
    starts, trouble = sys.argv[1:]
    order = json.loads(sys.stdin.readline())
    with Path(starts).open("a", encoding="utf-8") as file:
        file.write(f"{order['alias']}\n")
    if trouble == "stillborn":
        sys.stderr.write(
            f"0.00.1 I srv init: hm\n0.00.2 E srv   init: no room, {order['key']}\nbye\n"
        )
        os._exit(1)
    if trouble == "endless":
        threading.Event().wait()
    Handler.key = order["key"]
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    sys.stdout.write(json.dumps({"port": server.server_port}) + "\n")
    sys.stdout.flush()
    sys.stdin.read()
    os._exit(0)


if __name__ == "__main__":
    main()
