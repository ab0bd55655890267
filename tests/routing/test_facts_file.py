"""The shipped list of facts, and one that was imported in its place."""

import json
from pathlib import Path
from typing import Any

import pytest

from routing import facts_file
from routing.facts_file import FactsFault, parse
from routing.pricing import Tier
from routing.providers import load


@pytest.fixture(autouse=True)
def data(settings: Any, tmp_path: Path) -> Path:
    """Let the data directory be an empty one."""
    settings.PROXY_DATA_DIR = str(tmp_path)
    return tmp_path


def test_the_shipped_list_is_whole_and_small() -> None:
    shipped = facts_file.current()
    assert facts_file.SHIPPED.stat().st_size < 300 * 1024
    assert len(shipped.makers) > 100
    assert shipped.origin
    for models in shipped.providers.values():
        for facts in models.values():
            price = facts.price
            assert price is None or (price.input is not None and price.output is not None)


def test_the_shipped_list_names_providers_that_exist_or_makers() -> None:
    named = set(json.loads(facts_file.SHIPPED.read_bytes())["makers"]) | set(load())
    assert set(facts_file.current().providers) <= named


def test_one_entry_says_what_its_letters_mean() -> None:
    entry = {
        "context": 100,
        "reads": "ip",
        "does": "t",
        "lacks": "ar",
        "makes": ["text"],
        "price": {"input": 1.25, "output": 10, "cache_read": 0.125, "tiers": [{"above": 50, "input": 2.5}]},
    }
    found = parse({"makers": ["openai"], "providers": {"openai": {"GPT-X": entry}}})
    facts = found.makers["gpt-x"]
    assert facts is found.providers["openai"]["gpt-x"]
    assert (facts.images, facts.pdf, facts.audio, facts.video, facts.schema) == (True, True, False, None, None)
    assert (facts.tools, facts.reasoning, facts.outputs, facts.max_output) == (True, False, ("text",), None)
    assert facts.price is not None
    assert (facts.price.cache_read, facts.price.tiers) == (125_000_000, (Tier(above=50, input=2_500_000_000),))


def test_an_imported_list_is_used_and_read_again_when_it_changes(data: Path) -> None:
    for context in (10, 200):
        facts_file.imported().write_text(json.dumps({"providers": {"openai": {"gpt-x": {"context": context}}}}))
        assert facts_file.current().providers["openai"]["gpt-x"].context_window == context
    facts_file.imported().unlink()
    assert "gpt-x" not in facts_file.current().providers["openai"]


@pytest.mark.parametrize(
    "text",
    [
        *("", "[]", "{}", '{"providers": {}}', '{"providers": {"openai": {}}}'),
        *('{"providers": {"openai": []}}', '{"providers": {"openai": {"a": 7}}}'),
        '{"providers": {"openai": {"a": {"price": {"input": 1, "output": 1, "tiers": [{"above": "much"}]}}}}}',
    ],
)
def test_a_damaged_import_leaves_the_shipped_list_in_force(text: str, caplog: pytest.LogCaptureFixture) -> None:
    facts_file.imported().write_text(text)
    assert facts_file.current().makers
    assert "is not used" in caplog.text


def test_a_list_without_measure_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(facts_file, "MODELS_AT_MOST", 1)
    with pytest.raises(FactsFault):
        parse({"providers": {"openai": {"a": {}, "b": {}}}})


def test_a_price_beyond_all_measure_is_none() -> None:
    found = parse({"providers": {"openai": {"a": {"price": {"input": "1e999999", "output": 1}}}}})
    price = found.providers["openai"]["a"].price
    assert price is not None
    assert price.input is None
