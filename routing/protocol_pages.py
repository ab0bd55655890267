"""docs/protocols.md: the five dialects, the twenty-five cells, and what each upstream is told of each concept.

The table is made by asking: every writer gets every concept of concepts.py alone, and says what it drops or refuses.
`manage.py render_docs` writes the page, and a test compares it with what this module would write.
"""

import json
from typing import Any

from proxx.protocols import registry
from proxx.protocols.hub.errors import Inexpressible
from proxx.protocols.hub.facts import facts_of
from proxx.protocols.hub.losses import Losses
from proxx.protocols.hub.request import Request
from proxx.protocols.hub.target import Target
from routing.concepts import CONCEPTS

# One common model of each dialect: what is dropped may depend on the model, and the page says so.
MODELS = {
    "openai_chat": "gpt-4.1",
    "openai_responses": "gpt-5.1",
    "anthropic": "claude-sonnet-4-6",
    "gemini": "gemini-3-pro",
    "ollama": "qwen3",
}

INTRO = """\
# Protocols

This page is written by asking the code (`manage.py render_docs`). A client speaks one of five dialects, an upstream
speaks one of five, and every pair works, whole and streamed:

| client \\\\ upstream | {heads} |
|---|{rules}|
{cells}

**bytes**: the client's own bytes go up and the provider's come back; only the model name, the credential and hop
headers change, and unknown fields survive. **translated**: request and answer go through the neutral form of
`proxx/protocols/hub`. What cannot be carried is never dropped in silence: it is named in the header
`x-proxx-warnings` (`field;reason`, separated by commas) and on the call's record; a request with the header
`x-proxx-strict: true` gets a 400 instead. [Losses](protocols-losses.md) explains them, [edge cases](edge-cases.md)
says which test proves which odd case.

Candidates of the caller's own dialect are preferred inside a provider; a candidate whose dialect cannot carry the
request at all is passed over, and if nobody can, the answer is 400 `unsupported_parameter` naming the field.

## What an upstream is told

Each row is one thing a client may say, in any dialect that has a word for it; the columns are upstreams, each with a
common model of its kind (models differ: what a model is known to refuse is dropped, too).

- **yes**: sent in the upstream's own words, or done by the gateway itself;
- **dropped**: not sent, and noted by the name in brackets;
- **refused**: 400, because the answer would silently be another one;
- **–**: has no effect on the answer, so it is left out without a note.

| concept | {models} |
|---|{rules}|
"""


def protocols_page() -> str:
    """Return docs/protocols.md."""
    names = list(registry.PROTOCOLS)
    labels = [registry.get(name).label for name in names]
    cells = "\n".join(
        _row(registry.get(client).label, ["bytes" if client == other else "translated" for other in names])
        for client in names
    )
    page = INTRO.format(
        heads=" | ".join(labels),
        rules="|".join("---" for _ in names),
        cells=cells,
        models=" | ".join(f"{label}<br>`{MODELS[name]}`" for name, label in zip(names, labels, strict=True)),
    )
    rows = [
        f"| {concept} | {' | '.join(_told(request, name) for name in names)} |" for concept, request in CONCEPTS.items()
    ]
    return page + "\n".join(rows) + "\n"


def _row(first: str, others: list[str]) -> str:
    return f"| {first} | {' | '.join(others)} |"


def _told(request: Request, dialect: str) -> str:
    losses = Losses()
    model = MODELS[dialect]
    target = Target(provider="example", model=model, dialect=dialect, facts=facts_of(model))
    try:
        written = registry.get(dialect).write_request(request, target, losses)
    except Inexpressible:
        return "refused"
    if losses.notes:
        return "dropped (" + ", ".join(f"`{note.partition(';')[0]}`" for note in losses.notes) + ")"
    same = _body(written.body) == _body(registry.get(dialect).write_request(CONCEPTS["text"], target, Losses()).body)
    return "–" if same and request is not CONCEPTS["text"] and not written.mends else "yes"


def _body(body: bytes) -> Any:
    return json.loads(body)
