"""A configuration file -> its rows, with the line of everything. Nothing is looked up; every fault is told at once."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import yaml

from routing.config.tables import SECTIONS, Table

VERSION = 1
MOST_DEEP = 30  # lists and mappings within each other; a configuration has five
MOST_NODES = 200_000  # with what aliases repeat
# Beside the fields of the table; only credentials have a secret, and an id only beside a sealed one.
SECRET_FIELDS = ("secret", "id")


class ConfigFault(Exception):
    """A file that cannot be applied: one sentence a fault, each with its line."""

    def __init__(self, faults: list[str]) -> None:
        self.faults = faults
        super().__init__("\n".join(faults))


@dataclass(slots=True)
class Item:
    """One row of the file: values by field, and the line of each."""

    table: Table
    line: int
    values: dict[str, Any] = field(default_factory=dict)
    lines: dict[str, int] = field(default_factory=dict)

    def fault(self, sentence: str, name: str = "") -> str:
        """Return a sentence with the place that it is about."""
        return f"line {self.lines.get(name, self.line)}: {f'{name} ' if name else ''}{sentence}"


@dataclass(slots=True)
class ConfigFile:
    """What a file holds, by section; a section that is not there is not spoken of."""

    items: dict[str, list[Item]] = field(default_factory=dict)


def read(text: str) -> ConfigFile:
    """Read a file; raise `ConfigFault` with everything that is wrong with its form."""
    try:
        _check_depth(text)
        node = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.YAMLError as fault:
        mark = getattr(fault, "problem_mark", None)
        where = f"line {mark.line + 1}: " if mark else ""
        raise ConfigFault(
            [f"{where}this is no YAML: {getattr(fault, 'problem', None) or 'it cannot be read'}."]
        ) from None
    if node is not None:
        _check_aliases(node, {}, set())
    faults: list[str] = []
    found = ConfigFile()
    version = None
    for name, line, value in _pairs(node, faults, "the file"):
        if name == "version":
            version = _plain(value)
        elif name not in SECTIONS:
            faults.append(f"line {line}: there is no section {name!r}; there are {', '.join(SECTIONS)}.")
        else:
            found.items[name] = list(_items(SECTIONS[name], value, faults))
    if version != VERSION:
        faults.append(f"line 1: the file must say `version: {VERSION}`.")
    if faults:
        raise ConfigFault(faults)
    return found


def _check_depth(text: str) -> None:
    """Refuse before anything is built what would be built by functions that call themselves."""
    depth = 0
    for event in yaml.parse(text, Loader=yaml.SafeLoader):
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        if depth > MOST_DEEP:
            line = event.start_mark.line + 1 if event.start_mark else 1
            raise ConfigFault([f"line {line}: this is nested too deeply."])


def _check_aliases(node: yaml.Node, sizes: dict[int, int], above: set[int]) -> int:
    """Refuse a value that holds itself, or that aliases make huge or deep; return how many values it is in all."""
    known = sizes.get(id(node))
    if known is not None:
        return known
    line = node.start_mark.line + 1
    if id(node) in above:
        raise ConfigFault([f"line {line}: this holds itself."])
    if len(above) > 4 * MOST_DEEP:
        raise ConfigFault([f"line {line}: this is nested too deeply."])
    held = node.value if isinstance(node, yaml.CollectionNode) else []
    inner = [one for part in held for one in (part if isinstance(part, tuple) else (part,))]
    size = 1 + sum(_check_aliases(one, sizes, above | {id(node)}) for one in inner)
    if size > MOST_NODES:
        raise ConfigFault([f"line {line}: this is too much."])
    sizes[id(node)] = size
    return size


def _items(table: Table, node: yaml.Node, faults: list[str]) -> Iterator[Item]:
    if _is_empty(node):
        return
    if not isinstance(node, yaml.SequenceNode):
        faults.append(f"line {node.start_mark.line + 1}: {table.section} must be a list.")
        return
    allowed = (*table.fields, *(SECRET_FIELDS if table.section == "credentials" else ()))
    for one in node.value:
        item = Item(table, one.start_mark.line + 1)
        for name, line, value in _pairs(one, faults, table.noun):
            if name not in allowed:
                faults.append(f"line {line}: {table.section} have no field {name!r}.")
                continue
            try:
                item.values[name], item.lines[name] = _plain(value), line
            except (yaml.YAMLError, ValueError, RecursionError):
                faults.append(f"line {line}: {name} cannot be read.")
        missing = [name for name in table.key if name not in item.values and not _may_lack(table, name)]
        faults.extend(item.fault(f"{table.section} need {name!r}.") for name in missing)
        yield item


def _pairs(node: yaml.Node | None, faults: list[str], what: str) -> Iterator[tuple[str, int, yaml.Node]]:
    if not isinstance(node, yaml.MappingNode):
        line = 1 if node is None else node.start_mark.line + 1
        faults.append(f"line {line}: {what} must hold names and values.")
        return
    seen: set[str] = set()
    for key, value in node.value:
        name, line = str(getattr(key, "value", "")), key.start_mark.line + 1
        if name in seen:
            faults.append(f"line {line}: {name!r} stands there twice.")
            continue
        seen.add(name)
        yield name, line, value


def _may_lack(table: Table, name: str) -> bool:
    found = table.fields[name]
    return bool(found.null or found.blank or found.has_default())


def _is_empty(node: yaml.Node) -> bool:
    return isinstance(node, yaml.ScalarNode) and re.fullmatch(r"~|null|Null|NULL|", node.value) is not None


def _plain(node: yaml.Node) -> Any:
    return yaml.constructor.SafeConstructor().construct_document(node)
