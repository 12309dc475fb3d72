"""Collects facts of DMTF's schemas into `schemas/resources/`.

    python docs/schema_facts.py FOLDER PRIVILEGES

FOLDER is an unpacked DSP8010 with `csdl/` and `json-schema/`, PRIVILEGES the privilege registry (DSP8011). Written are

* `capabilities.json`: of each schema, whether its resources may be updated, deleted, or be created in it, and by whom
  they may be updated,
* `writable.json`: of each schema that may be updated, the properties that may be written, as JSON Schemas whose `since`
  is the version of the schema in which a property appeared,
* `excerpts.json`: of each schema with excerpts, the properties of an excerpt.

Facts only: names, types, bounds and versions; no prose.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from defusedxml import ElementTree

EDM = "{http://docs.oasis-open.org/odata/ns/edm}"
RESULTS = Path(__file__).resolve().parent.parent / "schemas" / "resources"
RESTRICTIONS = {"Updatable": "Update", "Deletable": "Delete", "Insertable": "Insert"}
OF_OTHERS = frozenset(
    {"AttributeRegistry", "Bios", "JsonSchemaFile", "MessageRegistry", "MessageRegistryFile", "PrivilegeRegistry"}
    | {"AccountService", "ExternalAccountProvider", "ManagerAccount", "Role", "SessionService"}
    | {"BootOption", "EventDestination", "EventService", "Job", "JobService", "TaskService", "UpdateService", "Volume"}
    | {"LogEntry", "LogService", "NetworkPort"}
)
"""Resources that are never patched as if they were mere values: what one writes there is to have consequences."""
NOT_KEPT = frozenset({"Actions", "Links", "Oem"})
"""What is no value of the resource itself."""
FACTS = ("minimum", "maximum", "pattern", "minLength", "maxLength")
Facts = dict[str, Any]


# -- what the CSDL permits --------------------------------------------------------------------------------------------


def capabilities(folder: Path, registry: Facts) -> Facts:
    """Schema -> what may be done with its resources, and the privileges to update one."""
    privileges = {entry["Entity"]: _privileges(entry) for entry in registry["Mappings"]}
    found = {}
    for path in sorted(folder.glob("*_v1.xml")):
        name = path.name.removesuffix("_v1.xml")
        permitted = _permitted(ElementTree.parse(path), name)
        if permitted is None:
            continue
        facts = {word.lower(): permitted.get(word, True) for word in RESTRICTIONS}
        found[name] = facts | (privileges.get(name, {}) if facts["updatable"] else {})
    return found


def _permitted(tree: Any, name: str) -> dict[str, bool] | None:
    """The restrictions of a schema's own entity type; None where the file describes no resource."""
    entities = [entity for entity in tree.iter(f"{EDM}EntityType") if entity.get("Name") == name]
    if not entities:
        return None
    terms = {f"Capabilities.{kind}Restrictions" for kind in RESTRICTIONS.values()}
    return {
        value.get("Property"): value.get("Bool") == "true"
        for entity in entities
        for annotation in entity.findall(f"{EDM}Annotation")
        if annotation.get("Term") in terms
        for value in annotation.iter(f"{EDM}PropertyValue")
    }


def _privileges(entry: Facts) -> Facts:
    """Who may PATCH, and below which other resources somebody else: alternatives, each of privileges that all count."""
    found: Facts = {"privileges": _alternatives(entry["OperationMap"])}
    overrides = {
        override["Targets"][0]: _alternatives(override["OperationMap"])
        for override in entry.get("SubordinateOverrides", ())
        if "PATCH" in override["OperationMap"]
    }
    return found | ({"below": overrides} if overrides else {})


def _alternatives(operations: Facts) -> list[list[str]]:
    return [sorted(choice["Privilege"]) for choice in operations["PATCH"]]


# -- what the JSON schemas let one write ------------------------------------------------------------------------------


class Writables:
    """Reads the newest version of each schema, and collects what of it can be written."""

    def __init__(self, folder: Path) -> None:
        self._newest: dict[str, Facts] = {}
        for path in sorted(folder.glob("*.json"), key=_version_of):
            self._newest[path.name.partition(".")[0]] = json.loads(path.read_text())
        self.definitions: Facts = {}

    def of(self, name: str) -> Facts:
        """The writable properties of a schema."""
        return self._properties(name, self._newest[name]["definitions"].get(name, {}))

    def _properties(self, schema: str, definition: Facts) -> Facts:
        found = {}
        for name, entry in definition.get("properties", {}).items():
            if name in NOT_KEPT or "@" in name or entry.get("readonly") or entry.get("writeOnly"):
                continue
            facts = self._facts(schema, entry)
            if facts:
                since = re.match(r"v(\d+)_(\d+)_", entry.get("versionAdded", ""))
                found[name] = facts | ({"since": [int(since[1]), int(since[2])]} if since else {})
        return found

    def _facts(self, schema: str, entry: Facts) -> Facts | None:
        """What a value has to be; None for what cannot be written, or holds nothing that can."""
        null = False
        if "anyOf" in entry:
            choices = [choice for choice in entry["anyOf"] if choice.get("type") != "null"]
            null = len(choices) < len(entry["anyOf"])
            if any("$ref" not in choice for choice in choices):
                return None
            entry = {**entry, "$ref": choices[-1]["$ref"]}
        if "$ref" in entry:
            return self._referred(schema, entry, null)
        kinds = entry.get("type")
        if kinds == "array":
            return self._array(schema, entry)
        if entry.get("readonly") is not False or "object" in _list(kinds):
            return None
        return {"type": kinds, **{fact: entry[fact] for fact in FACTS if fact in entry}}

    def _array(self, schema: str, entry: Facts) -> Facts | None:
        """Elements may be null, which removes them, or {}, which keeps them (DSP0266, "PATCH on array properties")."""
        if entry.get("readonly"):
            return None
        facts = self._facts(schema, {"readonly": entry.get("readonly"), **entry["items"]})
        if facts is None:
            return None
        if "$ref" in facts:
            return {"type": "array", "items": {**facts, "null": True}}
        return {"type": "array", "items": {**facts, "null": True, "keeps": True}}

    def _referred(self, schema: str, entry: Facts, null: bool) -> Facts | None:
        """What a reference leads to: a list of words, a simple type, or an object."""
        place, _, path = entry["$ref"].partition("#/definitions/")
        other = place.rpartition("/")[2].partition(".")[0] or schema
        if path in ("idRef", "Oem", "OemObject") or other in ("odata-v4", "Settings") or "Excerpt" in path:
            return None
        target = self._newest.get(other, {}).get("definitions", {}).get(path)
        if target is None or target.get("anyOf") or "Excerpt" in path:
            return None
        if "enum" in target or target.get("type") not in ("object", None):
            if entry.get("readonly") is not False:
                return None
            facts = {fact: target[fact] for fact in FACTS if fact in target}
            words = {"enum": target["enum"]} if "enum" in target else {"type": target["type"]}
            return {**facts, **words} | ({"null": True} if null else {})
        return self._object(other, path, target, null)

    def _object(self, schema: str, name: str, definition: Facts, null: bool) -> Facts | None:
        if name == schema or "@odata.type" in definition.get("required", ()):  # a resource of its own
            return None
        key = f"{schema}.{name}"
        if key not in self.definitions:
            self.definitions[key] = {}  # for one that holds itself
            self.definitions[key] = self._properties(schema, definition)
        return {"$ref": key} | ({"null": True} if null else {}) if self.definitions[key] else None


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _version_of(path: Path) -> tuple[int, ...]:
    found = re.search(r"\.v(\d+)_(\d+)_(\d+)\.json$", path.name)
    return tuple(int(number) for number in found.groups()) if found else (-1,)


def writable(folder: Path, permitted: Mapping[str, Facts]) -> Facts:
    """Schema -> writable properties; `objects` holds those of the objects that they are made of."""
    reader = Writables(folder)
    found = {}
    for name, facts in permitted.items():
        if facts["updatable"] and name not in OF_OTHERS:
            properties = reader.of(name)
            if properties:
                found[name] = properties
    used = set(_references(found, reader.definitions))
    return {"schemas": found, "objects": {name: reader.definitions[name] for name in sorted(used)}}


def _references(value: Any, definitions: Facts) -> Iterator[str]:
    """Every object that is referred to, directly or by another one."""
    waiting, seen = [value], set()
    while waiting:
        value = waiting.pop()
        if isinstance(value, dict):
            name = value.get("$ref")
            if isinstance(name, str) and name not in seen:
                seen.add(name)
                yield name
                waiting.append(definitions[name])
            waiting.extend(value.values())
        elif isinstance(value, list):
            waiting.extend(value)


# -- excerpts ---------------------------------------------------------------------------------------------------------


def excerpts(folder: Path) -> Facts:
    """Schema -> the properties that an excerpt of its resources shows."""
    found = {}
    for path in sorted(folder.glob("*_v1.xml")):
        name = path.name.removesuffix("_v1.xml")
        names = [
            entry.get("Name")
            for entity in ElementTree.parse(path).iter(f"{EDM}EntityType")
            if entity.get("Name") == name
            for entry in entity.findall(f"{EDM}Property")
            if _is_excerpted(entry)
        ]
        if names:
            found[name] = sorted(names)
    return found


def _is_excerpted(entry: Any) -> bool:
    """Whether it is in excerpts, and in the resource itself too."""
    terms = {annotation.get("Term") for annotation in entry.findall(f"{EDM}Annotation")}
    return "Redfish.Excerpt" in terms and "Redfish.ExcerptCopyOnly" not in terms


def main(folder: Path, registry: Path) -> None:
    """Write all of them."""
    permitted = capabilities(folder / "csdl", json.loads(registry.read_text()))
    results = {
        "capabilities": permitted,
        "writable": writable(folder / "json-schema", permitted),
        "excerpts": excerpts(folder / "csdl"),
    }
    for name, facts in results.items():
        lines = json.dumps(facts, indent=1, sort_keys=True)
        (RESULTS / f"{name}.json").write_text(lines + "\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
