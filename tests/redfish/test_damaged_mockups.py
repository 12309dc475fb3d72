"""A tree with nonsense in it is refused in a sentence, or it is served: no request ends in an error of the program.

The trees are the bundled ones, with values anywhere in them replaced or taken away. In each run they are the same ones;
with JOBFISH_TEST_SEARCH set, hypothesis looks for new ones, many more of them.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from copy import deepcopy
from dataclasses import replace
from random import Random
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import Phase as HypothesisPhase
from hypothesis import strategies as st
from werkzeug.test import Client

from emulator import app
from emulator.mockup.living import living
from emulator.mockup.reader import ROOT, MockupError, Tree, read_tree
from emulator.settings import Settings

SEARCH = "JOBFISH_TEST_SEARCH" in os.environ
EXAMPLES = 300 if SEARCH else 30
DAMAGES_MAX = 200
PHASES = tuple(HypothesisPhase) if SEARCH else (HypothesisPhase.explicit, HypothesisPhase.generate)
SPARED = (f"{ROOT}/Systems", ROOT)
"""Without a system there is nothing to serve."""
ROOT_LINK = {"@odata.id": f"{ROOT}/Systems"}
NONSENSE: list[Any] = [
    *(None, True, 0, -1, 1.5, 1e30, 2**63, "", "nonsense", ROOT, f"{ROOT}/Nowhere"),
    *([], [None], ["nonsense"], [[1]], [{}], [ROOT_LINK]),
    *({}, {"nonsense": 1}, {"@odata.id": 7}, {"@odata.id": f"{ROOT}/Nowhere"}, ROOT_LINK),
]


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The path of everything below a value."""
    steps = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for step, entry in steps:
        yield (*path, step)
        yield from places(entry, (*path, step))


def damaged(tree: Tree, rng: Random, number: int) -> Tree:
    """The tree with so many values replaced, or gone."""
    documents = dict(tree.documents)
    uris = sorted(uri for uri in documents if uri not in SPARED)
    kinds = sorted({str(documents[uri].get("@odata.type")) for uri in uris})
    by_kind = {kind: [uri for uri in uris if str(documents[uri].get("@odata.type")) == kind] for kind in kinds}
    for _ in range(number):
        uri = rng.choice(by_kind[rng.choice(kinds)])  # of most kinds there are few
        if documents[uri] is tree.documents[uri]:
            documents[uri] = deepcopy(documents[uri])
        candidates = list(places(documents[uri]))
        depth = rng.choice((1, 1, 2, 3, 9))
        *above, last = rng.choice([path for path in candidates if len(path) <= depth] or [("nonsense",)])
        holder: Any = documents[uri]
        for step in above:
            holder = holder[step]
        if rng.random() < 0.2 and (isinstance(holder, list) or last in holder):
            del holder[last]
        else:
            holder[last] = deepcopy(rng.choice(NONSENSE))
    return replace(tree, documents=documents)


def built(tree: Tree) -> app.Service | str:
    """The service, or why there is none."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(app, "read_tree", lambda path: tree)
        try:
            return app.build_service(Settings(clock="manual", controllers=2))
        except MockupError as error:
            return str(error)


def is_served(tree: Tree) -> bool:
    """Whether it is, and then every URI in it answers; else it was refused in one line."""
    service = built(tree)
    if isinstance(service, str):
        assert len(service.splitlines()) == 1
        return False
    assert living(service.site)
    resources = app.live_resources(service.site)
    uris = dict.fromkeys([*tree.documents, *service.site.tree.documents, *(resource.uri for resource in resources)])
    client = Client(service.wsgi)
    for uri in uris:
        status = client.get(
            uri.replace("{id}", "1"),
            auth=("root", "calvin"),
            headers={"Host": "127.0.0.2"},
            environ_overrides={"REMOTE_ADDR": "127.0.0.1"},
        ).status_code
        assert status < 500, uri
    return True


@pytest.mark.parametrize("mockup", ["lifecycle-server", "rack-server"])
def test_a_damaged_tree_is_refused_or_served(mockup: str) -> None:
    whole = read_tree(app.find_mockup(mockup))
    outcomes: list[bool] = []

    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        derandomize=not SEARCH,
        database=None,
        phases=PHASES,
        suppress_health_check=list(HealthCheck),
    )
    @given(seed=st.integers(0, 2**32), number=st.integers(1, DAMAGES_MAX))
    def look(seed: int, number: int) -> None:
        outcomes.append(is_served(damaged(whole, Random(seed), number)))

    look()
    assert outcomes.count(True) > len(outcomes) / 2
