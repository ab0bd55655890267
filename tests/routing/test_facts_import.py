"""Price lists from addresses: on request, or where the operator names them; through the rules for public addresses."""

from pathlib import Path

import pytest

from proxx.upstream import fetch
from routing import facts_file, facts_import, tasks
from routing.facts_file import FactsFault

LIST = b'{"openai": {"models": {"gpt-x": {"cost": {"input": 7, "output": 9}}}}}'
ADDRESS = "https://lists.example/api.json"

pytestmark = pytest.mark.django_db


@pytest.fixture
def asked(monkeypatch, settings, tmp_path: Path) -> list[str]:
    settings.PROXY_DATA_DIR = str(tmp_path)
    settings.PROXY_PRICE_LISTS = []
    addresses: list[str] = []

    async def document(address: str, *, limit: int) -> bytes:
        addresses.append(address)
        if "broken" in address:
            raise fetch.NotFetched("The answer was 500.")
        return LIST

    monkeypatch.setattr(fetch, "document", document)
    return addresses


def test_lists_are_fetched_only_where_they_are_named(asked, settings):
    tasks.fetch_prices()
    assert asked == []
    assert not facts_file.imported().exists()
    settings.PROXY_PRICE_LISTS = [ADDRESS]
    tasks.fetch_prices()
    assert asked == [ADDRESS]
    price = facts_file.current().providers["openai"]["gpt-x"].price
    assert price is not None
    assert price.input == 7_000_000_000


def test_a_list_that_cannot_be_had_changes_nothing(asked, settings, caplog):
    settings.PROXY_PRICE_LISTS = [ADDRESS, "https://lists.example/broken.json"]
    tasks.fetch_prices()
    assert not facts_file.imported().exists()
    assert "broken.json cannot be fetched" in caplog.text


def test_an_address_inside_the_network_is_not_asked():
    with pytest.raises(FactsFault, match="cannot be fetched"):
        facts_import.fetched("https://127.0.0.1/list.json")
    with pytest.raises(FactsFault, match="https"):
        facts_import.fetched("http://lists.example/list.json")
