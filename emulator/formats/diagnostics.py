"""What diagnostics have found, as the text that people read."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby

from emulator.core.diagnostics import DiagnosticsResult, Finding
from emulator.core.host import HOST

MEDIA_TYPE = "text/plain; charset=utf-8"


def render(result: DiagnosticsResult, model: str, service_tag: str) -> bytes:
    """The text: the same result is always the same text."""
    failed = sum(not finding.passed for finding in result.findings)
    heads = {
        "System": model,
        "Service tag": service_tag,
        "Job": result.job_id,
        "Run mode": result.mode,
        "Started": result.started,
        "Ended": result.ended,
    }
    lines = ["Results of the diagnostics", "", *(f"{name:<12} {text}" for name, text in heads.items())]
    for test, findings in groupby(result.findings, key=lambda finding: finding.test):
        lines += ["", f"{test} tests", *_table(list(findings))]
    lines += ["", f"{len(result.findings)} tests, {failed} failed.", ""]
    return "\n".join(lines).encode()


def _table(findings: Sequence[Finding]) -> list[str]:
    names = ["System" if finding.device == HOST else finding.device for finding in findings]
    width = max(map(len, names))
    return [f"  {name:<{width}}  {_word(finding)}" for name, finding in zip(names, findings, strict=True)]


def _word(finding: Finding) -> str:
    if finding.passed:
        return "Passed"
    return f"FAILED  {finding.code}" if finding.code else "FAILED"
