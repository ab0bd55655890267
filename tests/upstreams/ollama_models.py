"""Ollama's pages about models, and what each model can do.

By name: `sim-plain...`, llama2, gemma2 and phi3 only complete; llama3, mistral and the like take tools too; names with
`embed` only embed; every other model completes, calls tools, sees and thinks.
"""

import hashlib
import json
import re
from typing import Any

from tests.upstreams.answer import Answer, Frame, whole
from tests.upstreams.connection import Arrival
from tests.upstreams.dialect import Ask, World
from tests.upstreams.model_names import script_of
from tests.upstreams.ollama_checks import refused, typed

VERSION = "0.23.1"
WHEN = "2026-01-01T00:00:00.000000000Z"
CONTEXT = 131072  # of the models; a request has `num_ctx`, or less
ALL = ("completion", "tools", "vision", "thinking")
ABILITIES: tuple[tuple[re.Pattern[str], tuple[str, ...]], ...] = (
    (re.compile(r".*embed.*"), ("embedding",)),
    (re.compile(r"(sim-plain|llama2|gemma2|phi3).*"), ("completion",)),
    (re.compile(r"(llama3|mistral|qwen2).*"), ("completion", "tools")),
)


def plain(name: str) -> str:
    """Return a model's name without the tag that means nothing."""
    return name.removesuffix(":latest")


def abilities(name: str) -> tuple[str, ...]:
    """Return what a model can do."""
    return next((able for pattern, able in ABILITIES if pattern.fullmatch(name)), ALL)


def gives_ids(name: str) -> bool:
    """Say whether calls of this model have ids; those of llama3 have none, as on older servers."""
    return not name.startswith("llama3")


def known(name: str, world: World) -> bool:
    """Say whether there is such a model."""
    return name in world.models or script_of(Ask(name, stream=False, text="", prompt_tokens=0)) is not None


def model_of(body: dict[str, Any], *, missing: str = "model is required") -> str:
    """Return the model that is asked for; raise Refused."""
    name = body.get("model") or ""
    if not isinstance(name, str):
        raise refused("json: cannot unmarshal the model's name into Go struct field of type string")
    name = plain(name)
    if not name:
        raise refused(missing)
    return name


def read_body(arrival: Arrival) -> dict[str, Any]:
    """Return the JSON object of a request; raise Refused as Go's reader does."""
    if not arrival.body:
        raise refused("missing request body")
    try:
        body = json.loads(arrival.body)
    except ValueError:
        raise refused("invalid character in JSON: the body could not be read") from None
    if not isinstance(body, dict):
        raise refused("json: cannot unmarshal the body into Go value of type api.ChatRequest")
    return body


def tags(_: Arrival, world: World) -> Answer:
    """List the models."""
    return whole(200, {"models": [_entry(name) for name in world.models]})


def running(_: Arrival, world: World) -> Answer:
    """List the models that are loaded: the first one."""
    loaded = [
        {**_entry(name), "expires_at": "2318-01-01T00:00:00Z", "size_vram": 1_000_000_000, "context_length": 4096}
        for name in world.models[:1]
    ]
    for entry in loaded:
        del entry["modified_at"], entry["capabilities"]
    return whole(200, {"models": loaded})


def shown(arrival: Arrival, world: World) -> Answer:
    """Show a model: what it can do, and how long its context is."""
    body = read_body(arrival)
    typed(body, {"model": "string", "name": "string", "verbose": "bool"}, "ShowRequest")
    named = body.get("model") or body.get("name")
    name = model_of({"model": named})
    if not known(name, world):
        raise refused(f"model '{named}' not found", 404)
    family = _family(name)
    return whole(
        200,
        {
            "license": "simulated",
            "modelfile": f"FROM {name}\n",
            "parameters": 'stop                           "<|end|>"',
            "template": "{{ .Prompt }}",
            "details": _details(name),
            "model_info": {
                "general.architecture": family,
                "general.basename": name,
                "general.parameter_count": 8_000_000_000,
                f"{family}.context_length": CONTEXT,
                f"{family}.embedding_length": 4096,
            },
            "capabilities": list(abilities(name)),
            "modified_at": WHEN,
        },
    )


def version(_: Arrival, __: World) -> Answer:
    """Return the version."""
    return whole(200, {"version": VERSION})


def alive(_: Arrival, __: World) -> Answer:
    """Say that the server runs."""
    return Answer(200, (("content-type", "text/plain; charset=utf-8"),), (Frame("whole", b"Ollama is running"),))


def _family(name: str) -> str:
    return re.split(r"[^a-z]", name.lower())[0] or "sim"


def _details(name: str) -> dict[str, Any]:
    family = _family(name)
    return {
        "parent_model": "",
        "format": "gguf",
        "family": family,
        "families": [family],
        "parameter_size": "8.0B",
        "quantization_level": "Q4_K_M",
    }


def _entry(name: str) -> dict[str, Any]:
    tagged = name if ":" in name else f"{name}:latest"
    return {
        "name": tagged,
        "model": tagged,
        "modified_at": WHEN,
        "size": 4_700_000_000,
        "digest": hashlib.sha256(name.encode()).hexdigest(),
        "details": _details(name),
        "capabilities": list(abilities(name)),
    }
