"""docs/failures.md, docs/providers.md and docs/protocols.md are what `manage.py render_docs` would write now."""

from pathlib import Path

from routing import pages, protocol_pages

DOCS = Path(__file__).resolve().parent.parent.parent / "docs"


def test_the_page_of_failures_follows_the_tables() -> None:
    assert (DOCS / "failures.md").read_text() == pages.failures_page()


def test_the_page_of_providers_follows_the_registry() -> None:
    assert (DOCS / "providers.md").read_text() == pages.providers_page()


def test_the_page_of_protocols_follows_the_writers() -> None:
    assert (DOCS / "protocols.md").read_text() == protocol_pages.protocols_page()
