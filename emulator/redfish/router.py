"""From a URI to the resource that answers for it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from emulator.redfish.view import Resource

NO_PARAMS: Mapping[str, str] = {}


class Router:
    """All live resources of a site. What it does not know, the mockup may have."""

    def __init__(self, resources: Iterable[Resource]) -> None:
        self.resources = tuple(resources)
        self._exact: dict[str, Resource] = {}
        self._tree: dict[str, Any] = {}
        for resource in self.resources:
            if "{" in resource.uri:
                self._add(resource)
            else:
                self._exact[resource.uri] = resource

    def find(self, uri: str) -> tuple[Resource, Mapping[str, str]] | None:
        """The resource for a normalised URI, and the URI's parameters."""
        exact = self._exact.get(uri)
        if exact is not None:
            return exact, NO_PARAMS
        node: Any = self._tree
        values = []
        for segment in uri.split("/")[1:]:
            following = node.get(segment)
            if following is None:
                following = node.get("{}")
                if following is None:
                    return None
                values.append(segment)
            node = following
        found = node.get("")
        return (found[0], dict(zip(found[1], values, strict=True))) if found else None

    def target(self, uri: str, method: str) -> str:
        """The URI that a request is for: a POST to the `Members` of a collection is one to the collection (DSP0266,
        "POST (create)").
        """
        if method != "POST" or not uri.endswith("/Members"):
            return uri
        found, collection = self.find(uri), uri.removesuffix("/Members")
        at_collection = self.find(collection)
        if (found is not None and method in found[0].verbs) or at_collection is None:
            return uri
        return collection if method in at_collection[0].verbs else uri

    def has_document(self, uri: str) -> bool:
        """Whether there is always something to read at this URI. Of a resource whose URI has parameters nobody knows
        before a machine is asked.
        """
        exact = self._exact.get(uri)
        return exact is not None and exact.get is not None

    def _add(self, resource: Resource) -> None:
        node, names = self._tree, []
        for segment in resource.uri.split("/")[1:]:
            if segment.startswith("{"):
                names.append(segment[1:-1])
                segment = "{}"  # noqa: PLW2901 - every parameter is the same branch
            node = node.setdefault(segment, {})
        node[""] = (resource, tuple(names))
