"""Whoever seals something says where it lies: else a change of keys would leave it behind."""

import ast
from collections.abc import Iterator

from accounts import sealed_places
from tests.house import files

# The field seals columns, which are found by their kind; the other one seals anew what the places hold.
SEALS = {"seal", "seal_bytes"}
MACHINERY = {"accounts/fields.py", "accounts/resealing.py"}


def sealers() -> Iterator[str]:
    """Yield every file of ours that calls `sealing.seal` or `sealing.seal_bytes`, by that name or another."""
    for name in files.python(tests=False):
        tree = ast.parse(files.text(name))
        for node in ast.walk(tree):
            if isinstance(node, ast.Attribute):
                seals = node.attr in SEALS and getattr(node.value, "id", "") == "sealing"
            else:
                takes = isinstance(node, ast.ImportFrom) and node.module == "proxx.kit.sealing"
                seals = takes and any(alias.name in SEALS for alias in node.names)
            if seals:
                yield name


def test_whoever_seals_stands_in_the_list_of_places() -> None:
    known = {place.sealed_by for place in sealed_places.INSIDE} | set(sealed_places.PASSING) | MACHINERY
    assert set(sealers()) == known


def test_what_is_not_moved_has_a_reason() -> None:
    assert [name for name, reason in sealed_places.PASSING.items() if len(reason) < 20] == []
