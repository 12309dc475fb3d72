"""A controller in another process, over its socket."""

from __future__ import annotations

from typing import Any

import requests

JOBS = "/redfish/v1/Managers/iDRAC.Embedded.1/Oem/Dell/Jobs"


class Remote:
    """What tests ask of it; whatever is not answered well fails the test."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.session = requests.Session()
        self.session.auth, self.session.verify = ("root", "calvin"), False

    def ask(self, method: str, path: str, **options: Any) -> requests.Response:
        answer = self.session.request(method, self.url + path, timeout=60, **options)
        assert answer.ok, answer.text
        return answer

    def advance(self, seconds: float) -> None:
        self.ask("POST", "/jobfish/v1/clock", json={"advance": seconds})

    def job(self, job: str) -> Any:
        """The job as a DellJob."""
        return self.ask("GET", f"{JOBS}/{job}").json()
