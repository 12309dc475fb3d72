"""The command line: serve each mockup, bring it into a busy situation, and let DMTF's validators look at it."""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from benchmarks.support.servers import emulator
from benchmarks.support.table import show
from conformance.situation import bring_about
from conformance.tools import Finding, Tool, ToolError, run, tools

MOCKUPS = ("lifecycle-server", "rack-server")
RATE = "60"
"""The tools wait for resets in real time."""
CONTESTED = (
    ("OpenStackIronicProfile.v1_1_0", "Drives | "),  # wants a collection where DSP8010 has an array; 1.2 has mended it
)
"""(tool, how the fault begins): faults of a tool's rules that no service which follows DSP8010 can avoid."""
PASSES_LEAST = {"protocol": 380}
"""Of a tool that passes over what it does not find: with fewer PASSes something was not found."""
REPOSITORY = Path(__file__).parents[1]


def main() -> int:
    """Run what was asked for; returns the exit status: 1 if a tool found a fault."""
    asked = _asked()
    data = _data()
    if data is None:
        print(
            "conformance: DMTF's CSDL and the profiles are not at hand (JOBFISH_TEST_DATA): two tools of four",
            file=sys.stderr,
        )
    with tempfile.TemporaryDirectory(prefix="jobfish-conformance-") as folder:
        found = tools(data, Path(folder))
        chosen = [tool for tool in found if not asked.tool or any(name in tool.name for name in asked.tool)]
        reports = asked.reports or Path(folder) / "reports"
        good = [_examined(mockup, chosen, reports / Path(mockup).name) for mockup in asked.mockup or MOCKUPS]
    return 0 if all(good) else 1


def _examined(mockup: str, chosen: Sequence[Tool], reports: Path) -> bool:
    """Let the tools look at one mockup, and print what they found; whether that is nothing."""
    with emulator("--mockup", mockup, "--state", "memory", "--rate", RATE, pinned=False) as server:
        url = f"{server.scheme}://127.0.0.1:{server.port}"
        print(f"{mockup}, with {', '.join(bring_about(url))}", flush=True)
        try:
            findings = [run(tool, url, reports / tool.name) for tool in chosen]
        except ToolError as error:
            print(f"conformance: {error}", file=sys.stderr)
            return False
    show(("tool", "pass", "warn", "fail", "not tested", "seconds"), [_row(finding) for finding in findings])
    faults = [fault for finding in findings for fault in _faults(finding)]
    contested = [fault for finding in findings for fault in finding.faults if _is_contested(finding, fault)]
    print(*(f"  contested: {fault}" for fault in contested), sep="\n")
    print(*(f"  {fault}" for fault in faults), sep="\n", flush=True)
    return not faults


def _row(finding: Finding) -> Sequence[str]:
    figures = (finding.passed, finding.warned, finding.failed, finding.not_tested)
    return (finding.tool, *(f"{figure:,}" for figure in figures), f"{finding.seconds:.0f}")


def _is_contested(finding: Finding, fault: str) -> bool:
    return any(finding.tool == tool and fault.startswith(start) for tool, start in CONTESTED)


def _faults(finding: Finding) -> Iterator[str]:
    yield from (f"{finding.tool}: {fault}" for fault in finding.faults if not _is_contested(finding, fault))
    if finding.failed and not finding.faults:
        yield f"{finding.tool}: {finding.failed} FAIL"
    least = PASSES_LEAST.get(finding.tool, 0)
    if finding.passed < least:
        yield f"{finding.tool}: {finding.passed} PASS, where there were to be {least} at least"


def _data() -> Path | None:
    folder = Path(os.environ.get("JOBFISH_TEST_DATA", REPOSITORY.parent / "shared" / "data"))
    return folder if (folder / "dmtf" / "csdl.tar.xz").exists() else None


def _asked() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m conformance", description="Let DMTF's validators look at the emulator."
    )
    parser.add_argument(
        "mockup", nargs="*", help=f"a bundled mockup, a folder or an archive (default: {', '.join(MOCKUPS)})"
    )
    parser.add_argument(
        "--tool", action="append", metavar="NAME", help="only tools whose name has this in it; repeatable"
    )
    parser.add_argument("--reports", type=Path, metavar="DIR", help="keep the tools' reports there")
    return parser.parse_args()


if __name__ == "__main__":
    raise SystemExit(main())
