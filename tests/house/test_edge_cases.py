"""docs/edge-cases.md has every case once, with a reason or with tests that are really there."""

import ast
import re
from functools import cache
from itertools import chain

from tests.house import files

LAST = 189
PAGE = files.text("docs/edge-cases.md")
ROWS = re.findall(r"^\| D(\d+) \| ([^|]+) \| ([^|]+) \|$", PAGE, re.MULTILINE)
TEST = re.compile(r"`(tests/[\w/]+\.py)::(\w+)`")


@cache
def names_in(name: str) -> frozenset[str]:
    found = (
        node
        for node in ast.walk(ast.parse(files.text(name)))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    )
    return frozenset(node.name for node in found if node.name.startswith("test_"))


def test_every_case_stands_there_once_and_in_order() -> None:
    assert [int(number) for number, _, _ in ROWS] == list(range(1, LAST + 1))


def test_every_named_test_is_there() -> None:
    named = chain.from_iterable(TEST.findall(proof) for _, _, proof in ROWS)
    missing = [f"{name}::{test}" for name, test in named if name not in files.tracked() or test not in names_in(name)]
    assert missing == []


def test_every_case_has_a_test_or_says_why_not() -> None:
    bare = [number for number, _, proof in ROWS if not TEST.search(proof) and len(proof.split()) < 10]
    assert bare == []


def test_every_number_in_a_test_stands_on_the_page() -> None:
    numbers = set()
    for name in files.tracked():
        if name.startswith("tests/") and name.endswith(".py"):
            numbers |= {int(number) for number in re.findall(r'"""[^"]*\bD(\d{1,3})\b', files.text(name))}
    assert numbers <= set(range(1, LAST + 1))
