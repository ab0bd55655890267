"""docs/security.md has every threat of its four chapters once, with tests that are really there or the word that there
are none yet."""

import re
from itertools import chain

from tests.house import files
from tests.house.test_edge_cases import TEST, names_in

COUNTS = {"A": 12, "B": 11, "C": 8, "H": 5}
PAGE = files.text("docs/security.md")
ROWS = re.findall(r"^\| ([A-Z]\d+) \| ([^|]+) \| ([^|]+) \| ([^|]+) \|$", PAGE, re.MULTILINE)


def test_every_threat_stands_there_once_and_in_order() -> None:
    expected = [f"{chapter}{number}" for chapter, count in COUNTS.items() for number in range(1, count + 1)]
    assert [number for number, *_ in ROWS] == expected


def test_every_named_test_is_there() -> None:
    named = chain.from_iterable(TEST.findall(proof) for *_, proof in ROWS)
    missing = [f"{name}::{test}" for name, test in named if name not in files.tracked() or test not in names_in(name)]
    assert missing == []


def test_every_threat_has_a_test_or_says_that_it_has_none_yet() -> None:
    bare = {number for number, _, _, proof in ROWS if not TEST.search(proof) and proof.strip() != "not yet"}
    assert bare == set()
