"""The model list as Codex CLI reads it: every version finds all it has no default for, in words it knows."""

import json
from enum import Enum

import msgspec
import pytest

from proxx.api import codex_shape
from routing.snapshot import ModelEntry
from tests.live import LiveProxx
from tests.until import until

Effort = Enum("Effort", {name: name for name in ("none", "minimal", "low", "medium", "high", "xhigh")})


class Preset(msgspec.Struct):
    effort: Effort
    description: str


class Shell(Enum):
    DEFAULT = "default"
    LOCAL = "local"
    UNIFIED = "unified_exec"
    DISABLED = "disabled"
    COMMAND = "shell_command"


class Visibility(Enum):
    LIST = "list"
    HIDE = "hide"
    NONE = "none"


class Patch(Enum):
    FREEFORM = "freeform"
    FUNCTION = "function"


class Mode(Enum):
    BYTES = "bytes"
    TOKENS = "tokens"


class Truncation(msgspec.Struct):
    mode: Mode
    limit: int


class Common(msgspec.Struct, kw_only=True):
    """What all versions ask for: members without a default are those the client cannot do without."""

    slug: str
    display_name: str
    description: str | None
    supported_reasoning_levels: list[Preset]
    shell_type: Shell
    visibility: Visibility
    supported_in_api: bool
    priority: int
    upgrade: None
    supports_reasoning_summaries: bool
    support_verbosity: bool
    default_verbosity: str | None
    apply_patch_tool_type: Patch | None
    truncation_policy: Truncation
    supports_parallel_tool_calls: bool
    experimental_supported_tools: list[str]
    context_window: int | None


class Late2025(Common, kw_only=True):
    default_reasoning_level: Effort | None
    minimal_client_version: tuple[int, int, int]
    base_instructions: str | None
    reasoning_summary_format: str


class Early2026(Common, kw_only=True):
    base_instructions: str
    effective_context_window_percent: int
    input_modalities: list[str]
    default_reasoning_level: Effort | None = None


class Late2026(Early2026, kw_only=True):
    availability_nux: None
    additional_speed_tiers: list[str]
    web_search_tool_type: str
    supports_image_detail_original: bool
    max_context_window: int | None
    default_reasoning_summary: str


ENTRIES = [
    ModelEntry(name, "someone", 1, metadata)
    for name, metadata in [
        ("gpt-5.4", {"context_window": 400_000, "supports_reasoning": True}),
        ("claude-opus-4-6", {}),
        ("gemini-3-pro", {}),
        ("llama3:8b", {"context_window": None}),
        ("some-reasoner", {"supports_reasoning": True}),
    ]
]


@pytest.mark.parametrize("version", [Late2025, Early2026, Late2026])
@pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: entry.id)
def test_every_version_can_read_every_model(entry: ModelEntry, version: type):
    """D187."""
    raw = msgspec.json.encode(codex_shape.one(entry))
    model = msgspec.json.decode(raw, type=version)
    assert model.slug == entry.id
    assert model.base_instructions


def test_facts_of_the_model_are_the_catalogues():
    """D187."""
    page = codex_shape.page(ENTRIES, {})["models"]
    assert [model["priority"] for model in page] == [0, 1, 2, 3, 4]
    assert page[0]["context_window"] == 400_000
    assert page[3]["supported_reasoning_levels"] == []
    assert [level["effort"] for level in page[4]["supported_reasoning_levels"]] == ["low", "medium", "high"]


@pytest.mark.parametrize("path", ["/v1/models", "/models"])
def test_the_question_with_a_version_gets_the_catalogue(module_proxx: LiveProxx, path: str):
    """D187."""
    module_proxx.run(
        "from routing.models import ModelPreference as Words; Words.objects.update_or_create(name='m', declared=True)"
    )
    path = f"{path}?client_version=0.169.0"
    until(lambda: b'"slug":"m"' in module_proxx.request("GET", path)[2], seconds=10)
    status, _, answer = module_proxx.request("GET", path)
    assert status == 200
    assert msgspec.json.decode(answer, type=dict[str, list[Late2026]]).keys() == {"models"}
    assert set(json.loads(module_proxx.request("GET", "/v1/models")[2])) == {"object", "data"}
