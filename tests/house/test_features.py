"""docs/features.md has every feature of the routing half once, with tests that are really there or a reason."""

import re
from itertools import chain

from tests.house import files
from tests.house.test_edge_cases import TEST, names_in

ALL = {*range(47, 80), *range(143, 188)}
PAGE = files.text("docs/features.md")
ROWS = re.findall(r"^\| F-(\d{3}) \| ([^|]+) \| ([^|]+) \| ([^|]+) \|$", PAGE, re.MULTILINE)
NUMBERS = [int(number) for number, *_ in ROWS]


def test_every_feature_stands_there_once() -> None:
    assert set(NUMBERS) >= ALL
    assert len(NUMBERS) == len(set(NUMBERS)) == len(re.findall(r"^\| F-", PAGE, re.MULTILINE))


def test_every_named_test_is_there() -> None:
    named = chain.from_iterable(TEST.findall(proof) for *_, proof in ROWS)
    missing = [f"{name}::{test}" for name, test in named if name not in files.tracked() or test not in names_in(name)]
    assert missing == []


def test_every_feature_has_a_test_or_says_why_not() -> None:
    bare = [
        number
        for number, _, does, proof in ROWS
        if not TEST.search(proof) and (not does.startswith("Not ") or len(does.split()) < 10)
    ]
    assert bare == []
