"""Whom a request is written for: the provider's model, its habits, and what is known of the model.

Facts of models stand in facts.py; what a catalogue knows better replaces them. Quirks are names from the provider's
entry in the registry; each writer reads the ones of its dialect.
"""

import msgspec

from proxx.protocols.hub.parts import Blob


class ModelFacts(msgspec.Struct, frozen=True):
    """What a model takes. `None` and empty mean unknown, and then the request is sent as it was meant.

    `family`: claude, gpt, gemini or another vendor's word; models of one family read each other's blobs.
    `thinking`: how it is told to think: "none" (it cannot), "manual" (a budget), "adaptive" (an effort), "both",
    "budget" (Gemini 2.5), "level" (Gemini 3 and later), "effort" (OpenAI), or "" (unknown).
    `efforts`: those it takes. `budget`: the smallest and largest. `always_thinks`: it cannot be switched off.
    `sampling`: whether temperature and its like are taken; `one_sampling`: only one of temperature and top_p.
    `prefill`: whether a final assistant turn is continued. `native_schema`: whether it takes a schema for its answer.
    `system_in_place`: whether system turns may stand in the middle. `limit_name`: chat's name of the output limit.
    `off`: Messages' word for least thinking, where not "disabled". `forced_tool`: whether a call may be forced.
    """

    family: str = ""
    max_output: int | None = None
    context_window: int | None = None
    thinking: str = ""
    efforts: tuple[str, ...] = ()
    budget: tuple[int, int] | None = None
    always_thinks: bool = False
    sampling: bool | None = None
    one_sampling: bool = False
    prefill: bool | None = None
    native_schema: bool | None = None
    system_in_place: bool | None = None
    limit_name: str = ""
    images: bool | None = None
    off: str = ""
    forced_tool: bool | None = None


class Target(msgspec.Struct, frozen=True):
    """One upstream model: the provider's id and name for it, the dialect it is asked in, and `facts`.

    `default_max_output` is the operator's limit for requests that name none, where the dialect demands one.
    `restored` are blobs kept by the gateway for calls whose client could not carry them, by upstream call id.
    """

    provider: str
    model: str
    dialect: str
    quirks: frozenset[str] = frozenset()
    facts: ModelFacts = ModelFacts()
    default_max_output: int | None = None
    restored: dict[str, Blob] = {}
