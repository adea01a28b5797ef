"""All benchmarks, each figure beside its baseline from the same run and what it must be.

    .venv/bin/python tests/benchmarks/run.py [first_paint] [streaming] [overhead] [sessions]
        [stopping]

Linux only, since CPU and memory come from /proc. Takes about four minutes; wants an idle machine.
"""

from __future__ import annotations

import argparse
import importlib
import os
import sys
from pathlib import Path

BENCHMARKS = ("first_paint", "streaming", "overhead", "sessions", "stopping")


def main() -> None:
    """Run the benchmarks that were asked for, print one table each."""
    parser = argparse.ArgumentParser(description="Measure the program over a local server.")
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(BENCHMARKS))
    names = parser.parse_args().names or BENCHMARKS
    unknown = sorted(set(names) - set(BENCHMARKS))
    if unknown:
        parser.error(f"no benchmark {unknown[0]!r}; there are {', '.join(BENCHMARKS)}")
    # The local server and the terminal stand one folder up.
    sys.path.append(str(Path(__file__).parent.parent))
    from benchmarks.figures import print_table  # noqa: PLC0415 - with the rest, once the path is set

    # On a busy machine a saturated baseline gets too little to do, and looks cheap.
    print(f"load before: {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")  # noqa: T201 - a fact
    missed = False
    for name in names:
        rows = importlib.import_module(f"benchmarks.{name}").measure()
        print_table(rows)
        missed = missed or any(row.verdict == "MISSED" for row in rows)
    sys.exit(1 if missed else 0)


if __name__ == "__main__":
    main()
