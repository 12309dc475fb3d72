"""The command line: the machine first, then a table for each benchmark."""

from __future__ import annotations

import argparse
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import NoReturn

from benchmarks import advance, durable, fleet, get, start
from benchmarks.support.hardware import describe
from benchmarks.support.options import Options

BENCHMARKS: Mapping[str, tuple[str | None, Callable[[Options], None]]] = {
    module.__name__.rpartition(".")[2]: (module.__doc__, module.run) for module in (start, get, fleet, durable, advance)
}
ROUNDS, QUICK_ROUNDS = 3, 1


def main() -> int:
    """Measure what was asked for; returns the exit status."""
    names, options = _asked()
    signal.signal(signal.SIGTERM, _end)
    began = time.perf_counter()
    print(describe(), end="\n\n", flush=True)
    try:
        for name in names:
            _run(name, options)
    except KeyboardInterrupt:
        print("benchmarks: stopped", file=sys.stderr)
        return 130
    print(f"median (least-most) of {options.rounds} rounds; {time.perf_counter() - began:.0f} s in all")
    return 0


def _run(name: str, options: Options) -> None:
    about, run = BENCHMARKS[name]
    print(about, flush=True)
    with tempfile.TemporaryDirectory(prefix="jobfish-bench-") as folder:
        run(Options(options.rounds, options.quick, Path(folder)))


def _asked() -> tuple[list[str], Options]:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description="Measure the emulator on this machine.")
    parser.add_argument("names", metavar="NAME", nargs="*", help=f"which: {', '.join(BENCHMARKS)} (default: all)")
    parser.add_argument("--rounds", type=int, help=f"how often each is measured (default: {ROUNDS})")
    parser.add_argument("--quick", action="store_true", help="one round, and smaller fleets and queues")
    asked = parser.parse_args()
    if unknown := [name for name in asked.names if name not in BENCHMARKS]:
        parser.error(f"there is no benchmark {', '.join(unknown)}; there are {', '.join(BENCHMARKS)}")
    if asked.rounds is not None and asked.rounds < 1:
        parser.error("--rounds: at least 1")
    rounds = asked.rounds or (QUICK_ROUNDS if asked.quick else ROUNDS)
    return asked.names or list(BENCHMARKS), Options(rounds, asked.quick, Path())


def _end(*_: object) -> NoReturn:
    raise SystemExit(143)


if __name__ == "__main__":
    raise SystemExit(main())
