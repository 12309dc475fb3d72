"""$filter: which members of a collection a client wants (DSP0266, "The $filter query parameter").

    filter      = alternative *( "or" alternative )
    alternative = term *( "and" term )
    term        = "not" term / "(" filter ")" / comparison
    comparison  = path ( "eq" / "ne" / "gt" / "ge" / "lt" / "le" ) literal
    path        = name *( "/" name )
    literal     = text in quotes / number / date-time / "true" / "false" / "null"

A filter is read once, into a function of a document. What it compares:

* Texts as texts, numbers as numbers; two texts that are both ISO 8601 date-times as moments, whatever their offsets.
  One without an offset has the other's. true, false and null equal themselves and have no order.
* What cannot be compared is not equal, and neither before nor after. A property that is missing is null.
* A list does what one of its elements does: `eq` and the orders hold where they hold for any element. `ne` is always
  the opposite of `eq`.
* A `MessageId` also equals what follows its last dot.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from typing import Any, NamedTuple

from emulator.core.message import Message, Rejected

Test = Callable[[Mapping[str, Any]], bool]
"""Whether a document is wanted."""
Literal = str | int | float | bool | None
LENGTH_MAX = 1000
"""Characters of a filter."""
TERMS_MAX = 64
"""Comparisons in a filter, and how deep its parentheses and negations may lie in each other."""

RELATIONS: Mapping[str, Callable[[Any, Any], bool]] = {
    "eq": operator.eq,
    "ne": operator.eq,  # and then negated
    "gt": operator.gt,
    "ge": operator.ge,
    "lt": operator.lt,
    "le": operator.le,
}
CONSTANTS: Mapping[str, Literal] = {"true": True, "false": False, "null": None}
RESERVED = frozenset({"and", "or", "not", *RELATIONS, *CONSTANTS})

# the plus sign of an offset arrives as a space where a client did not encode it
_MOMENT = r"\d{4}-\d\d-\d\dT\d\d:\d\d(?::\d\d(?:\.\d{1,9})?)?(?:Z|[-+ ]\d\d:\d\d)?"
_IS_MOMENT = re.compile(_MOMENT, re.ASCII)
# nothing follows a token here: what was read of it is never tried as anything else, so time grows with the length only
_TOKEN = re.compile(
    rf"""\s*(?:
        (?P<mark>[()])
      | (?P<text>'(?:[^']|'')*' | "(?:[^"]|"")*")
      | (?P<moment>{_MOMENT})
      | (?P<number>-?\d+(?:\.\d+)?(?:[eE][-+]?\d+)?)
      | (?P<word>[A-Za-z_@\#][\w@\#.:-]*(?:/[\w@\#.:-]+)*)
    )""",
    re.ASCII | re.VERBOSE,
)
_BOUNDARY = re.compile(r"[\s()]|\Z", re.ASCII)
"""What comes after a token that is no mark."""


class _Token(NamedTuple):
    """A piece of a filter, by the name of its group in `_TOKEN`."""

    kind: str
    text: str


class _MalformedError(Exception):
    """A filter does not follow the grammar, or is out of bounds."""


def parse_filter(text: str) -> Test:
    """The test that a $filter describes.

    Raises:
        Rejected: QueryParameterValueFormatError: it does not follow the grammar, has more than `LENGTH_MAX` characters
            or more than `TERMS_MAX` terms.
    """
    try:
        return _Parser(_tokens(text)).parse()
    except _MalformedError:
        raise Rejected(Message("QueryParameterValueFormatError", (text[:50], "$filter"))) from None


def properties_in(text: str) -> set[str]:
    """The properties that a filter compares.

    Raises:
        Rejected: as `parse_filter`.
    """
    parse_filter(text)
    return {token.text for token in _tokens(text) if token.kind == "word" and token.text not in RESERVED}


# -- reading a filter -------------------------------------------------------------------------------------------------


def _tokens(text: str) -> list[_Token]:
    if len(text) > LENGTH_MAX:
        raise _MalformedError
    text = text.rstrip()
    tokens, position = [], 0
    while position < len(text):
        found = _TOKEN.match(text, position)
        if found is None or found.lastgroup is None:
            raise _MalformedError
        if found.lastgroup != "mark" and _BOUNDARY.match(text, found.end()) is None:
            raise _MalformedError
        tokens.append(_Token(found.lastgroup, found[found.lastgroup]))
        position = found.end()
    return tokens


class _Parser:
    """Recursive descent, one method for each rule of the grammar; no deeper than `TERMS_MAX`."""

    def __init__(self, tokens: list[_Token]) -> None:
        self._rest = tokens[::-1]
        self._comparisons = 0

    def parse(self) -> Test:
        """The whole filter.

        Raises:
            _MalformedError: it is none.
        """
        test = self._filter(0)
        if self._rest:
            raise _MalformedError
        return test

    def _filter(self, depth: int) -> Test:
        tests = [self._alternative(depth)]
        while self._took("word", "or"):
            tests.append(self._alternative(depth))
        return _any_of(tests)

    def _alternative(self, depth: int) -> Test:
        tests = [self._term(depth)]
        while self._took("word", "and"):
            tests.append(self._term(depth))
        return _all_of(tests)

    def _term(self, depth: int) -> Test:
        if depth > TERMS_MAX:
            raise _MalformedError
        if self._took("word", "not"):
            return _negated(self._term(depth + 1))
        if self._took("mark", "("):
            test = self._filter(depth + 1)
            if not self._took("mark", ")"):
                raise _MalformedError
            return test
        return self._comparison()

    def _comparison(self) -> Test:
        self._comparisons += 1
        path, relation, literal = self._next(), self._next(), self._next()
        if self._comparisons > TERMS_MAX or path.kind != "word" or path.text in RESERVED:
            raise _MalformedError
        if relation.kind != "word" or relation.text not in RELATIONS:
            raise _MalformedError
        return _comparison(path.text.split("/"), relation.text, _literal(literal))

    def _next(self) -> _Token:
        if not self._rest:
            raise _MalformedError
        return self._rest.pop()

    def _took(self, kind: str, text: str) -> bool:
        if not self._rest or self._rest[-1] != (kind, text):
            return False
        self._rest.pop()
        return True


def _literal(token: _Token) -> Literal:
    kind, text = token
    if kind == "text":
        quote = text[0]
        return text[1:-1].replace(quote * 2, quote)
    if kind == "moment" and _moment(text) is not None:
        return text
    if kind == "number":
        return int(text) if text.removeprefix("-").isdecimal() else float(text)
    if kind == "word" and text in CONSTANTS:
        return CONSTANTS[text]
    raise _MalformedError


# -- testing a document -----------------------------------------------------------------------------------------------


def _any_of(tests: list[Test]) -> Test:
    return tests[0] if len(tests) == 1 else lambda document: any(test(document) for test in tests)


def _all_of(tests: list[Test]) -> Test:
    return tests[0] if len(tests) == 1 else lambda document: all(test(document) for test in tests)


def _negated(test: Test) -> Test:
    return lambda document: not test(document)


def _comparison(path: list[str], relation: str, literal: Literal) -> Test:
    matches = _matcher(RELATIONS[relation], literal)
    # lifecycle controllers take MessageId eq 'UEFI0157' for IDRAC.2.7.UEFI0157, and their clients ask in that way
    is_id = path[-1] == "MessageId" and RELATIONS[relation] is operator.eq

    def test(document: Mapping[str, Any]) -> bool:
        values = _values(document, path)
        return any(matches(value) for value in values) or (is_id and any(matches(bare) for bare in _bare_ids(values)))

    return _negated(test) if relation == "ne" else test


def _bare_ids(values: list[Any]) -> Iterator[str]:
    """Message ids without the registry and its version, which end at the last dot."""
    return (value.rpartition(".")[2] for value in values if isinstance(value, str))


def _values(document: Mapping[str, Any], path: list[str]) -> list[Any]:
    """What lies at the path: one value, or those of a list; lists on the way are gone through. [None]: nothing."""
    found: list[Any] = [document]
    for name in path:
        found = [entry.get(name) for entry in _spread(found) if isinstance(entry, Mapping)]
    return list(_spread(found)) if found else [None]


def _spread(values: list[Any]) -> Iterator[Any]:
    for value in values:
        if isinstance(value, list):
            yield from value
        else:
            yield value


def _matcher(relation: Callable[[Any, Any], bool], literal: Literal) -> Callable[[Any], bool]:
    """The test for one value: False for whatever the literal cannot be compared with."""
    if isinstance(literal, str):
        return _text_matcher(relation, literal)
    if literal is None or isinstance(literal, bool):
        return lambda value: relation is operator.eq and value is literal
    return lambda value: isinstance(value, int | float) and not isinstance(value, bool) and relation(value, literal)


def _text_matcher(relation: Callable[[Any, Any], bool], literal: str) -> Callable[[Any], bool]:
    wanted = _moment(literal)

    def matches(value: Any) -> bool:
        if not isinstance(value, str):
            return False
        moment = _moment(value) if wanted is not None else None
        if wanted is None or moment is None:
            return relation(value, literal)
        zone, other_zone = moment.tzinfo, wanted.tzinfo
        return relation(moment.replace(tzinfo=zone or other_zone), wanted.replace(tzinfo=other_zone or zone))

    return matches


def _moment(text: str) -> datetime | None:
    """The date-time that a text is; None where it is none."""
    if not _IS_MOMENT.fullmatch(text):
        return None
    try:
        return datetime.fromisoformat(text.replace(" ", "+"))
    except ValueError:
        return None
