"""Public lists of model facts are read in their own shapes, and imported by a command."""

import json
import os
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from routing import capabilities, facts_file, providers, revision
from routing.facts_file import FactsFault
from routing.facts_sources import joined, read
from routing.pricing import NANO
from routing.snapshot import build
from tests.factories import make_credential

MODELS_DEV = {
    "google": {
        "id": "google",
        "models": {
            "gem-x": {
                "reasoning": True,
                "tool_call": True,
                "structured_output": False,
                "limit": {"context": 1000, "output": 100},
                "modalities": {"input": ["text", "image", "pdf"], "output": ["text"]},
                "cost": {
                    "input": 1.25,
                    "output": 10,
                    "cache_read": 0.31,
                    "input_audio": 3,
                    "context_over_200k": {"input": 2.5, "output": 15},
                },
            }
        },
    },
    "nobody-we-know": {"models": {"other": {"limit": {"context": 5}}}},
}
LITELLM = {
    "sample_spec": {"litellm_provider": "one of https://docs.example", "max_tokens": "legacy"},
    "gemini/gem-x": {
        "litellm_provider": "gemini",
        "mode": "chat",
        "max_input_tokens": 1000,
        "max_output_tokens": 100,
        "input_cost_per_token": 1.25e-06,
        "output_cost_per_token": 1e-05,
        "cache_read_input_token_cost": 3.1e-07,
        "input_cost_per_token_above_200k_tokens": 2.5e-06,
        "output_cost_per_token_above_200k_tokens": 1.5e-05,
        "supports_vision": True,
        "supports_function_calling": True,
    },
    "groq/vendor/open": {"litellm_provider": "groq", "mode": "chat", "input_cost_per_token": 1e-07},
    "draw": {"litellm_provider": "openai", "mode": "image_generation"},
}


def test_models_devs_list_is_read() -> None:
    assert read(MODELS_DEV) == {
        "gemini": {
            "gem-x": {
                "context": 1000,
                "output": 100,
                "reads": "ip",
                "does": "tr",
                "lacks": "avs",
                "makes": ["text"],
                "price": {
                    "input": 1.25,
                    "output": 10,
                    "cache_read": 0.31,
                    "audio_in": 3,
                    "tiers": [{"above": 200_000, "input": 2.5, "output": 15}],
                },
            }
        }
    }


def test_litellms_list_is_read_with_prices_per_single_token() -> None:
    found = read(LITELLM)
    assert found["gemini"]["gem-x"] == {
        "context": 1000,
        "output": 100,
        "reads": "i",
        "does": "t",
        "makes": ["text"],
        "price": {
            "input": 1.25,
            "output": 10,
            "cache_read": 0.31,
            "tiers": [{"above": 200_000, "input": 2.5, "output": 15}],
        },
    }
    assert found["openai"]["draw"] == {"makes": ["image"]}


def test_half_a_price_is_none() -> None:
    assert "price" not in read(LITELLM)["groq"]["vendor/open"]


@pytest.mark.parametrize("data", [None, [], {}, {"a": 1}, {"a": {"b": 1}}])
def test_what_is_no_list_is_told(data: Any) -> None:
    with pytest.raises(FactsFault):
        read(data)


@pytest.mark.parametrize(
    "cost", [{"input": -1, "output": 1}, {"input": "1", "output": 1}, {"input": True, "output": 1}, 7]
)
def test_a_price_that_makes_no_sense_is_none(cost: Any) -> None:
    found = read({"openai": {"models": {"a": {"limit": {"context": 5}, "cost": cost}}}})
    assert "price" not in found["openai"]["a"]


def test_the_first_list_counts_member_by_member() -> None:
    whole = joined(
        [{"openai": {"a": {"context": 1}}}, {"openai": {"a": {"context": 2, "output": 3}, "b": {"output": 4}}}]
    )
    assert whole == {"openai": {"a": {"context": 1, "output": 3}, "b": {"output": 4}}}


@pytest.fixture
def lists(settings: Any, tmp_path: Path) -> tuple[str, str]:
    """Write both lists as files, beside an empty data directory."""
    settings.PROXY_DATA_DIR = str(tmp_path / "data")
    paths = []
    for name, data in (("dev.json", MODELS_DEV), ("lite.json", LITELLM)):
        (tmp_path / name).write_text(json.dumps(data))
        paths.append(str(tmp_path / name))
    return paths[0], paths[1]


@pytest.mark.django_db
def test_an_import_is_in_force_at_once_and_can_be_forgotten(
    lists: tuple[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    make_credential("gemini")
    before = revision.number()
    call_command("import_model_facts", *lists)
    assert "gemini: 1 models; 1 new (gem-x)" in capsys.readouterr().out
    assert revision.number() > before
    facts = build().facts_of("gemini", "gem-x")
    assert (facts.context_window, facts.images, facts.audio) == (1000, True, False)
    call_command("import_model_facts", "--forget")
    assert build().facts_of("gemini", "gem-x").context_window is None


@pytest.mark.django_db
def test_a_dry_run_says_what_would_change_and_writes_nothing(
    lists: tuple[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    before = revision.number()
    call_command("import_model_facts", lists[0], "--dry-run", "--only", "gemini")
    assert "gem-x" in capsys.readouterr().out
    assert not facts_file.imported().exists()
    assert revision.number() == before


@pytest.mark.parametrize("content", [None, "not json", "[1]"])
def test_a_file_that_cannot_be_used_is_told_in_a_sentence(tmp_path: Path, content: str | None) -> None:
    path = tmp_path / "list.json"
    if content is not None:
        path.write_text(content)
    with pytest.raises(CommandError) as told:
        call_command("import_model_facts", str(path))
    assert str(path) in str(told.value)


@pytest.mark.django_db
def test_an_import_that_names_no_model_leaves_the_list_in_force(lists: tuple[str, str]) -> None:
    with pytest.raises(CommandError, match="names no model"):
        call_command("import_model_facts", lists[0], "--only", "groq")
    assert not facts_file.imported().exists()


def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "list.json")
    with pytest.raises(CommandError, match="is no regular file"):
        call_command("import_model_facts", str(tmp_path / "list.json"))


def test_helicones_list_is_read_with_its_operators() -> None:
    def row(operator: str, model: str, cost: float) -> dict[str, Any]:
        rates = {"input_cost_per_1m": cost, "output_cost_per_1m": 2 * cost, "prompt_cache_read_per_1m": cost / 10}
        return {"provider": "OPENAI", "model": model, "operator": operator, **rates}

    rows = [
        row("includes", "nano", 5),
        row("startsWith", "gpt-x", 2),
        row("startsWith", "gpt-x-mini", 3),
        row("equals", "gpt-x", 1),
        row("sounds like", "gpt-y", 9),
        {**row("equals", "gpt-z", 9), "provider": "NOBODY"},
    ]
    list_ = facts_file.parse({"providers": read({"metadata": {"total_models": 6}, "data": rows})})
    known = capabilities.Known(list=list_)
    openai = providers.load()["openai"]

    def dollars(name: str) -> float | None:
        price = capabilities.facts_of(openai, name, known).price
        return price.input / NANO if price and price.input is not None else None

    # A whole name, the longer beginning, a piece last; no likeness that the list does not name.
    names = ("gpt-x", "gpt-x-large", "gpt-x-mini-2", "some-nano-one", "gpt-y", "gpt-z")
    assert [dollars(name) for name in names] == [1, 2, 3, 5, None, None]
