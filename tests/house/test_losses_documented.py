"""docs/protocols-losses.md names every loss that a reader or writer can note, and nothing else."""

import re
from pathlib import Path

from proxx.protocols import registry
from proxx.protocols.hub.errors import Inexpressible
from proxx.protocols.hub.losses import Losses
from routing import loss_pages, loss_sites
from routing.concepts import CONCEPTS
from routing.protocol_pages import UPSTREAMS

PAGE = (Path(__file__).resolve().parent.parent.parent / "docs" / "protocols-losses.md").read_text()
NAMES = re.findall(r"^\| `([^`]+)` \|", PAGE, re.MULTILINE)
PATTERNS = [re.compile(".+".join(map(re.escape, name.split("…")))) for name in NAMES]


def test_the_page_of_losses_follows_the_source() -> None:
    assert loss_pages.losses_page() == PAGE


def test_each_place_that_says_a_loss_is_found() -> None:
    code = "".join(path.read_text() for path in loss_sites.ROOT.rglob("*.py"))
    said = len(re.findall(r"losses\.(?:drop|refuse)\(", code))
    assert said > 150
    assert len(loss_sites.sites()) >= said


def test_no_sentence_is_about_a_loss_that_nobody_notes() -> None:
    found = {site.name for site in loss_sites.sites()}
    told = [name for names in loss_pages.sentences().values() for name in names]
    assert sorted(found) == sorted(told)


def test_whatever_the_writers_note_stands_on_the_page() -> None:
    unknown = set()
    for target in UPSTREAMS.values():
        for concept in CONCEPTS.values():
            losses = Losses()
            try:
                registry.get(target.dialect).write_request(concept.said, target, losses)
            except Inexpressible as refused:
                losses.notes.append(refused.param or "")
            noted = {note.partition(";")[0] for note in losses.notes}
            unknown |= {name for name in noted if not any(pattern.fullmatch(name) for pattern in PATTERNS)}
    assert unknown == set()
