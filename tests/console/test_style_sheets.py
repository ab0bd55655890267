"""The console's own style sheets: one owner for each class, and a dark side for each white surface."""

import re
from pathlib import Path

SHEETS = sorted((Path(__file__).parents[2] / "static").glob("*.css"))


def rules(sheet: Path):
    """Yield each selector with what it says."""
    text = re.sub(r"/\*.*?\*/", "", sheet.read_text(), flags=re.S)
    for head, said in re.findall(r"([^{}]+)\{([^{}]*)\}", text):
        for selector in head.split(","):
            yield " ".join(selector.split()), said


def test_no_class_is_styled_by_two_style_sheets():
    owners = {}
    for sheet in SHEETS:
        for selector, _ in rules(sheet):
            if re.fullmatch(r"\.[\w-]+", selector):
                owners.setdefault(selector, set()).add(sheet.name)
    assert {name: sorted(sheets) for name, sheets in owners.items() if len(sheets) > 1} == {}


def test_every_white_surface_has_a_dark_side():
    said = [rule for sheet in SHEETS for rule in rules(sheet)]
    white = {selector for selector, text in said if re.search(r"background(-color)?:\s*(#fff\b|white)", text)}
    dark = {selector for selector, text in said if "background" in text}
    assert white
    assert {one for one in white if not one.startswith(".dark ") and f".dark {one}" not in dark} == set()


def test_a_dark_rule_says_so_once():
    assert [selector for sheet in SHEETS for selector, _ in rules(sheet) if selector.count(".dark ") > 1] == []
