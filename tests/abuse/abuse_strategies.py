"""What to send: bodies by their schemas and beside them, queries, headers and paths that nobody should send."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import orjson
from abuse_world import Request, Route, World, filled, payload_schema
from hypothesis import strategies as st

DEEP = 200
LONG = "x" * 70_000
JUNK: tuple[Any, ...] = (
    *(None, True, False, 0, -1, 1, 0.5, "", " ", "x", [], {}, [[]], [None], {"": None}, {"a": {"b": {"c": 1}}}),
    *(2**31, 2**53 + 1, 2**63 - 1, -(2**63), LONG, "\0", "\x7f", "\u202e", "\U0001f41f", "é" * 300, "../../etc/passwd"),
    *("%00", "a\r\nSet-Cookie: x=1", "' or 1=1 --", "{}", "%s%n", "${jndi:x}", "/redfish/v1/" + "../" * 40, "NaN"),
    *({"@odata.id": 7}, {"@odata.id": "/redfish/v1"}, {"@odata.id": None}, [{"@odata.id": "x"}] * 50, list(range(300))),
    *(
        orjson.Fragment(raw)
        for raw in (
            *(b"1e400", b"-1e400", b"1" * 401, b"-0", b"-0.0", b"1e-400", b"9223372036854775808"),
            *(b"18446744073709551616", b"1E308", b"0.1e1", b"01", b"NaN", b"Infinity", b"-Infinity", b"undefined"),
            *(b'"\\ud800"', b'"\\udc00\\ud800"', b'"\\u0000"', b'"\xff"', b'"\xed\xa0\x80"', b"'x'", b'"\n"', b"/**/1"),
            *(b"[" * DEEP + b"]" * DEEP, b'{"a":' * DEEP + b"1" + b"}" * DEEP, b"[" * 20_000, b'{"a":1,"a":2}'),
        )
    ),
)
"""Values that few properties want: other types, odd numbers, odd texts, and what is no JSON at all."""
BODIES: tuple[bytes, ...] = (
    *(b"", b" ", b"{", b"}", b"[]", b"null", b"1", b'"x"', b"{}", b"\0", b"\xff\xfe{}", b"\xef\xbb\xbf{}", b"{} {}"),
    *(b'{"":1}', b'{"a":1,"a":2}', b'{"@odata.id":"x"}', b'{"a":NaN}', b"[" * 100_000, b'{"a":' * 100_000),
    *('{"a":1}'.encode("utf-16"), b'{"\\ud800":1}', b'{"\\u0000":1}', b'{"a' + b"x" * 100_000 + b'":1}'),
    *(json.dumps({f"p{n}": n for n in range(2_000)}).encode(), b"[" + b"{}," * 5_000 + b"{}]", b"<xml/>", b"a=1&b=2"),
)
"""Bodies that are no request."""
QUERIES: tuple[str, ...] = (
    *("$expand=*", "$expand=.", "$expand=~", "$expand=*($levels=3)", "$expand=.($levels=999)", "$expand=*($levels=0)"),
    *("$expand=", "$expand=*($levels=-1)", "$expand=*($levels=1e9)", "$expand=**", "$expand=*($levels=٣)", "$expand"),
    *("$select=", "$select=Name", "$select=Members,,,/", "$select=" + "a/" * 500, "$select=*", "$select=Name/%00"),
    *("$filter=", "$filter=Name eq 'x'", "$filter=" + "(" * 500, "$filter=" + "not " * 500, "$filter=a eq", "$filter=%FF"),
    *("$filter=Id eq '" + "'" * 31, "$filter=a eq 1e400", "$filter=a eq " + "9" * 900, "$filter=a lt 2020-99-99T00:00"),
    *("$top=0", "$top=-1", "$top=1", "$top=99999999999999999999", "$top=x", "$top=", "$top=٣", "$skip=5", "$skip=1e3"),
    *("$skip=999999999", "$count=true", "$nope", "$", "$$", "only", "only=1", "excerpt", "excerpt=x", "only&$top=1"),
    *("&&&&", "=", "=1", "%00=%00", "%", "%zz", "a=%ff", "$top=1&$top=x", "$TOP=1", ";", "#", "?", "a" * 3_000),
    *("&".join(f"p{n}={n}" for n in range(400)), "&".join(["$top=1"] * 300), "$select=" + ",".join("Id" for _ in range(900))),
)  # fmt: skip
HEADERS: tuple[tuple[str, str], ...] = (
    *(("Accept", value) for value in ("", "*/*", "text/html", "application/json;q=0", ",,,", "a" * 3000, "\xff")),
    *(("Content-Type", value) for value in ("", "text/plain", "application/json; charset=utf-16", "multipart/form-data", "multipart/form-data; boundary=", "application/x-www-form-urlencoded", "\xff", ";" * 500)),
    *(("If-Match", value) for value in ("", "*", '"x"', 'W/"x"', "x", '"', ",", '"a",' * 500, "\xff")),
    *(("If-None-Match", value) for value in ("", "*", '"x"', "\xff", ",,", '"a",' * 500)),
    *(("OData-Version", value) for value in ("", "4.0", "4.1", "x", "4.0, 4.0", "\xff")),
    *(("X-Auth-Token", value) for value in ("", "x", "0" * 40, "\xff", "a" * 5000)),
    *(("Authorization", value) for value in ("", "Basic", "Basic ", "Basic !!!", "Basic cm9vdA==", "Basic " + "QUFB" * 2000, "Basic /zov/w==", "Bearer x", "Digest username=root", "\xff", "Basic cm9vdDpjYWx2aW4", "Basic cm9vdDpjYWx2aW4= x", "Basic OkE=", "Basic cm9vdDo=")),
    *(("Host", value) for value in ("", "x", "127.0.0.1:99999", "[::1]:1", "a b", "a/b", "\xff", "@", "evil.test", "127.0.0.999", ":", "x" * 3000, "a,b", "127.0.0.1:x")),
    *(("Content-Length", value) for value in ("-1", "x", "", "0", "99999999999999999999", "1e3", "+5", "0x10", "5, 5")),
    *(("Transfer-Encoding", value) for value in ("chunked", "gzip", "identity", "x", "chunked, chunked")),
    *(("Expect", value) for value in ("100-continue", "x")),
    *(("Range", "bytes=0-1"), ("X-Forwarded-For", "10.0.0.1"), ("X-HTTP-Method-Override", "DELETE"), ("Origin", "http://evil.test"), ("Cookie", "a=b; " * 200), ("Accept-Encoding", "gzip;q=x"), ("Last-Event-ID", "x"), ("Forwarded", "for=\"_x"), ("Upgrade", "websocket")),
)  # fmt: skip
"""What a header may wrongly say."""
PATHS: tuple[Callable[[str], str], ...] = (
    lambda uri: uri + "/",
    lambda uri: uri + "//",
    lambda uri: uri.replace("/", "//"),
    lambda uri: "//" + uri.lstrip("/"),
    lambda uri: uri + "/.",
    lambda uri: uri + "/..",
    lambda uri: uri + "/%2e%2e/%2e%2e",
    lambda uri: uri + "/..%2f..%2f..%2fetc%2fpasswd",
    lambda uri: uri.replace("/v1/", "/v1/%2e/"),
    lambda uri: uri.replace("/v1/", "/v1/x/../"),
    lambda uri: uri.replace("/", "%2F"),
    lambda uri: uri.replace("/", "\\"),
    lambda uri: uri + "%00",
    lambda uri: uri + "%00.json",
    lambda uri: uri + "%ff%fe",
    lambda uri: uri + "%C0%AE%C0%AE",
    lambda uri: uri + "%0d%0aX-Evil:%201",
    lambda uri: uri + "%25",
    lambda uri: uri + "%",
    lambda uri: uri + "%zz",
    lambda uri: uri + ";a=b",
    lambda uri: uri + "#/Name",
    lambda uri: uri + "%23/Name",
    lambda uri: uri + "/index.json",
    lambda uri: uri + "/" + "a" * 5_000,
    lambda uri: uri + "/a" * 2_000,
    lambda uri: uri + "/*",
    lambda uri: uri + "/{id}",
    lambda uri: uri + "/Members",
    lambda uri: uri + "/Actions/Nope",
    lambda uri: uri.upper(),
    lambda uri: uri + "é\u2028",
    lambda uri: uri.replace("/redfish/v1", "/redfish/v2"),
    lambda uri: uri.replace("/redfish/v1", "/jobfish/v1"),
    lambda uri: uri.removeprefix("/redfish"),
)
"""Other ways to spell a place, most of which lead nowhere."""
METHODS = ("GET", "HEAD", "POST", "PATCH", "PUT", "DELETE", "OPTIONS", "TRACE", "CONNECT", "PROPFIND", "x", "GET ")


class Strategies:
    """What hypothesis draws for one controller."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._bodies: dict[str, st.SearchStrategy[Any]] = {}
        self._words = world.words()
        self._values = world.attributes()
        self._ids = {uri: world.ids(uri) for uri in world.readable if "{" in uri}
        self.words = pick(self._words)

    def requests(self) -> st.SearchStrategy[Request]:
        """Any request: to what lives, to what is only shown, to nowhere."""
        # made once: a strategy that is drawn from strategies made on the way is looked over anew each time
        writes = _any([self._write(route) for route in self._world.routes])
        return _any([*[writes] * 6, self._reads(), self._odd()])

    def _write(self, route: Route) -> st.SearchStrategy[Request]:
        body = st.just(b"") if route.payload is None else st.one_of(self._spoilt(route.payload), pick(BODIES))
        headers = st.one_of(st.just(()), st.lists(pick(HEADERS), max_size=2, unique_by=lambda pair: pair[0]).map(tuple))  # fmt: skip
        return st.builds(Request, st.just(route.method), self._places(route.uri), body, headers)

    def _reads(self) -> st.SearchStrategy[Request]:
        places = _any([*(self._places(uri) for uri in self._world.readable), pick(self._world.passive)])
        queries = st.lists(pick(QUERIES), min_size=1, max_size=3).map("&".join)
        return st.builds(lambda place, query: Request("GET", f"{place}?{query}"), places, queries)

    def _odd(self) -> st.SearchStrategy[Request]:
        """Any method, anywhere, spelled in any way."""
        uris = pick([*self._world.readable, *self._world.passive, *(route.uri for route in self._world.routes)])
        places = st.builds(lambda uri, odd: odd(filled(uri, "1")), uris, pick((lambda uri: uri, *PATHS)))
        headers = st.lists(pick(HEADERS), max_size=3, unique_by=lambda pair: pair[0]).map(tuple)
        return st.builds(Request, pick(METHODS), places, pick((None, *BODIES)), headers)

    def _places(self, uri: str) -> st.SearchStrategy[str]:
        if "{" not in uri:
            return st.just(uri)
        known = next((ids for place, ids in self._ids.items() if uri.startswith(place) and ids), [])
        return pick([*known, "1", "0", "x", "%00", "é", "-1", "9" * 30, "JID_1"]).map(lambda one: filled(uri, one))

    # -- bodies -------------------------------------------------------------------------------------------------------

    def _spoilt(self, name: str) -> st.SearchStrategy[bytes]:
        """A body that its schema allows, as it is or spoilt in up to two places."""
        if name not in self._bodies:
            valid = self._of(payload_schema(name), 0)
            spoils = st.lists(st.tuples(st.integers(0, 40), st.integers(0, 3), pick(JUNK)), max_size=2)
            self._bodies[name] = st.builds(_spoil, valid, spoils)
        return self._bodies[name]

    def _of(self, found: Mapping[str, Any], depth: int) -> st.SearchStrategy[Any]:
        """Values that a schema allows, nearly: rules across properties are left to chance."""
        if "$ref" in found:
            return self._of(payload_schema(found["$ref"]), depth)
        if "enum" in found or "const" in found:
            return pick(found.get("enum") or [found["const"]])
        kinds = found.get("type", ["object", "string", "integer"])
        kinds = [kinds] if isinstance(kinds, str) else kinds
        return st.one_of(*(self._kind(kind, found, depth) for kind in kinds))

    def _kind(self, kind: str, found: Mapping[str, Any], depth: int) -> st.SearchStrategy[Any]:
        if kind == "object":
            return self._object(found, depth)
        if kind == "array":
            longest = min(found.get("maxItems", 3), 3)
            return st.lists(self._of(found.get("items", {}), depth + 1), min_size=min(found.get("minItems", 0), longest), max_size=longest)  # fmt: skip
        if kind in ("integer", "number"):
            low, high = found.get("minimum", -5), found.get("maximum", 2**40)
            return pick(sorted({low, min(low + 1, high), min(max(low, 300), high), high}))
        if kind == "boolean":
            return st.booleans()
        return st.none() if kind == "null" else self._text(found)

    def _text(self, found: Mapping[str, Any]) -> st.SearchStrategy[str]:
        if "pattern" in found:
            return st.from_regex(found["pattern"]) if "(?=" not in found["pattern"] else st.just("Aa1!Aa1!")
        said = ("TIME_NOW", "20300101000000", "2030-01-01T00:00:00Z", "http://127.0.0.1/x", "127.0.0.1", "x", "root")
        return st.one_of(self.words, pick(said), st.text(max_size=20))

    def _object(self, found: Mapping[str, Any], depth: int) -> st.SearchStrategy[dict[str, Any]]:
        properties = found.get("properties", {})
        required = set(found.get("required", ()))
        if not properties and depth < 3:
            names = pick(sorted(self._values) or ["x"])
            some = st.lists(names, min_size=1, max_size=3).map(
                lambda chosen: {name: self._values.get(name) for name in chosen}
            )
            return st.one_of(some, st.dictionaries(names, pick(JUNK), max_size=2))
        must = {name: self._of(properties[name], depth + 1) for name in required if name in properties}
        may = {name: self._of(inner, depth + 1) for name, inner in properties.items() if name not in required}
        return st.fixed_dictionaries(must, optional=may if depth < 4 else {})


def _any(strategies: list[st.SearchStrategy[Any]]) -> st.SearchStrategy[Any]:
    """Draws from one of these, each as likely as the others."""
    return st.integers(0, len(strategies) - 1).flatmap(lambda number: strategies[number])


def pick(values: Sequence[Any]) -> st.SearchStrategy[Any]:
    """As `st.sampled_from`, without writing out what there is: hypothesis would spend minutes on it."""
    return st.integers(0, len(values) - 1).map(lambda number: values[number])


def _spoil(body: Any, spoils: list[tuple[int, int, Any]]) -> bytes:
    """The body as bytes, with so many of its values replaced, removed, doubled or joined by others."""
    body = _copied(body)
    for where, how, junk in spoils:
        body = _spoilt_at(body, where, how, _copied(junk))
    return orjson.dumps(body)


def _copied(value: Any) -> Any:
    """Nothing of what is drawn from is changed: each run would try something else."""
    if isinstance(value, dict):
        return {key: _copied(inner) for key, inner in value.items()}
    return [_copied(inner) for inner in value] if isinstance(value, list) else value


def _spoilt_at(body: Any, where: int, how: int, junk: Any) -> Any:
    holders = list(_holders(body))
    if not holders:
        return junk
    holder, key = holders[where % len(holders)]
    if how == 0 or not isinstance(holder, dict):
        holder[key] = junk
    elif how == 1:
        del holder[key]
    elif how == 2:
        holder[junk if isinstance(junk, str) and junk.isprintable() else "Nope"] = junk
    else:
        holder[key] = [holder[key]]
    return body


def _holders(value: Any) -> list[tuple[Any, Any]]:
    """Every place within a body: what holds it, and its key there."""
    entries = list(value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ())
    return [place for key, inner in entries for place in ((value, key), *_holders(inner))]
