"""Whatever is sent, wherever: refused in the words of DSP0266 and nothing has changed, or done. Never a 500.

Two ways to try. The tables send each of their rows to every route there is, always the same. The searches put requests
together from what schemas allow and what they do not, after something that is at work already.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from functools import cache

import pytest
from abuse_strategies import BODIES, HEADERS, METHODS, PATHS, QUERIES, Strategies
from abuse_world import Request, World, all_targets, filled
from conftest import capture
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

SEARCH = "JOBFISH_TEST_SEARCH" in os.environ
"""Each run tries the same requests, so that a change is judged by itself; with this set, each run tries others, and
twenty times as many."""
PHASES = (Phase.explicit, Phase.reuse, Phase.generate, Phase.shrink)
BUNDLED = ("lifecycle-server", "rack-server")


@cache
def world(mockup: str) -> World:
    return World(mockup if mockup in BUNDLED else str(capture(mockup)))


@cache
def strategies(mockup: str) -> Strategies:
    return Strategies(world(mockup))


@pytest.fixture(params=BUNDLED)
def victim(request: pytest.FixtureRequest) -> Iterator[World]:
    """A controller as it was delivered."""
    found = world(request.param)
    found.fresh()
    yield found
    found.fresh()


# -- tables: every row to every route ---------------------------------------------------------------------------------


def test_no_body_of_the_table_does_anything_but_what_its_schema_allows(victim: World) -> None:
    for number, route in enumerate(victim.routes):
        for body in BODIES[number % 3 :: 3 if route.payload else 9]:
            victim.ask(Request(route.method, filled(route.uri, "1"), body))


def test_no_query_of_the_table_changes_or_breaks_anything(victim: World) -> None:
    targets = list(all_targets(victim))
    for number, query in enumerate(QUERIES):
        for target in targets[number % 13 :: 13]:
            victim.ask(Request("GET", f"{target}?{query}"))


def test_no_header_of_the_table_changes_or_breaks_anything(victim: World) -> None:
    targets = [Request("GET", target) for target in all_targets(victim)]
    targets += [Request(route.method, filled(route.uri, "1"), b'{"Nope": 1}') for route in victim.routes]
    for number, header in enumerate(HEADERS):
        for request in targets[number % 19 :: 19]:
            victim.ask(request._replace(headers=(header,)))


def test_no_spelling_of_a_place_leads_where_it_should_not(victim: World) -> None:
    targets = [*all_targets(victim), *(filled(route.uri, "1") for route in victim.routes)]
    for number, odd in enumerate(PATHS):
        for target in targets[number % 11 :: 11]:
            victim.ask(Request("GET", odd(target)))


def test_no_method_is_more_than_its_resource_allows(victim: World) -> None:
    for number, method in enumerate(METHODS):
        for target in list(all_targets(victim))[number % 3 :: 3]:
            victim.ask(Request(method, target, b'{"Nope": 1}'))


# -- searches ---------------------------------------------------------------------------------------------------------


def situations(victim: World) -> list[Callable[[], object]]:
    """What may be going on when the requests come."""
    bmc = victim.bmc
    stage = {"Attributes": dict(list(bmc.get(bmc.bios).body["Attributes"].items())[:1])}
    return [
        lambda: None,
        lambda: bmc.patch(bmc.settings, stage),
        lambda: (bmc.patch(bmc.settings, stage), bmc.post(bmc.jobs, {"TargetSettingsURI": bmc.settings})),
        lambda: bmc.reset("ForceOff"),
        lambda: (bmc.reset("ForceRestart"), bmc.post("/jobfish/v1/clock", {"advance": 100})),
        lambda: bmc.post(f"{bmc.manager}/Actions/Manager.Reset", {"ResetType": "GracefulRestart"}),
    ]


def search(mockup: str, examples: int) -> None:
    victim = world(mockup)
    states = situations(victim)

    @settings(
        max_examples=examples * (20 if SEARCH else 1),
        deadline=None,
        phases=PHASES,
        derandomize=not SEARCH,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(st.integers(0, len(states) - 1), st.lists(strategies(mockup).requests(), min_size=1, max_size=6))
    def nothing_breaks(situation: int, requests: list[Request]) -> None:
        victim.fresh()
        states[situation]()
        for request in requests:
            victim.ask(request)

    nothing_breaks()


@pytest.mark.parametrize("mockup", BUNDLED)
def test_whatever_is_sent_is_done_or_refused(mockup: str) -> None:
    search(mockup, 60)


@pytest.mark.slow
@pytest.mark.parametrize("mockup", [*BUNDLED, "poweredge-r750.tar.xz"])
def test_whatever_is_sent_is_done_or_refused_at_length(mockup: str) -> None:
    search(mockup, 1_500)
