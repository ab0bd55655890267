"""docs/protocols.md: the five dialects, the twenty-five cells, and what each upstream is told of each concept.

The table is made by asking: every writer gets every concept of concepts.py, once said and once not, and what it writes,
drops or refuses is compared. `manage.py render_docs` writes the page, and a test compares it with what this module
would write.
"""

import json
from collections.abc import Iterable
from typing import Any

from proxx.protocols import registry
from proxx.protocols.hub.errors import Inexpressible
from proxx.protocols.hub.facts import facts_of
from proxx.protocols.hub.losses import Losses
from proxx.protocols.hub.request import Request
from proxx.protocols.hub.target import Target
from proxx.protocols.spec import Written
from routing import providers
from routing.concepts import CONCEPTS, Concept


def _upstream(dialect: str, provider: str, model: str) -> Target:
    quirks = frozenset(providers.load()[provider].quirks)
    return Target(provider=provider, model=model, dialect=dialect, quirks=quirks, facts=facts_of(model))


# One provider of each kind with a common model of its own: what is dropped depends on both, and the page says so.
UPSTREAMS = {
    "OpenAI Chat": _upstream("openai_chat", "openai", "gpt-4.1"),
    "another's chat (Groq)": _upstream("openai_chat", "groq", "llama-3.3-70b-versatile"),
    "OpenAI Responses": _upstream("openai_responses", "openai", "gpt-5.1"),
    "Anthropic": _upstream("anthropic", "anthropic", "claude-sonnet-4-6"),
    "Gemini": _upstream("gemini", "gemini", "gemini-3-pro"),
    "Ollama": _upstream("ollama", "ollama", "qwen3"),
}

INTRO = """\
# Protocols

This page is written by asking the code (`manage.py render_docs`). A client speaks one of five dialects, an upstream
speaks one of five, and every pair works, whole and streamed:

{cells}

**bytes**: the client's own bytes go up and the provider's come back; only the model name, the credential and hop
headers change, and unknown fields survive. **translated**: request and answer go through the neutral form of
`proxx/protocols/hub`. What cannot be carried is never dropped in silence: it is named in the header
`x-proxx-warnings` (`field;reason`, separated by commas) and on the call's record; a request with the header
`x-proxx-strict: true` gets a 400 instead. [Losses](protocols-losses.md) explains each name,
[edge cases](edge-cases.md) says which test proves which odd case.

Inside a provider the caller's own dialect is preferred; a candidate whose dialect cannot carry the request at all is
passed over, and if nobody can, the answer is 400 `unsupported_parameter` and names the field.
Pictures and documents given by address, which Gemini and Ollama do not read, are refused unless the operator lets the
gateway fetch them (`PROXY_FETCH_MEDIA` in [settings](settings.md)).

## What an upstream is told

Each row is one thing a client may say, in any dialect that has a word for it. The columns are upstreams of which
something is asked in a translation, each with one common model; providers and models differ, and what one is known to
refuse is dropped or changed for it. `tests/protocols/test_matrix.py` tries whole calls, their answers and errors in all
fifty cells.

- **yes**: said in the upstream's own words;
- **emulated**: the upstream is told something else that it knows, or nothing, and the gateway sees to it in the answer;
- **changed**: said another way that may not have the same effect, and noted by the name in brackets;
- **dropped**: not said, and noted by the name in brackets;
- **refused**: 400, because the answer would silently be another one;
- **–**: left out without a note, because the answer stays what was asked for (settings of another server, caching,
  a promise to keep to a schema).

"""


def protocols_page() -> str:
    """Return docs/protocols.md."""
    names = list(registry.PROTOCOLS)
    labels = [registry.get(name).label for name in names]
    ways = (["bytes" if client == other else "translated" for other in names] for client in names)
    cells = _table("client \\ upstream", labels, zip(labels, ways, strict=True))
    heads = [f"{label}<br>`{target.model}`" for label, target in UPSTREAMS.items()]
    rows = ((name, [told(concept, target) for target in UPSTREAMS.values()]) for name, concept in CONCEPTS.items())
    return INTRO.format(cells=cells) + _table("concept", heads, rows) + "\n"


def told(concept: Concept, target: Target) -> str:
    """Return what becomes of a concept on its way to an upstream, in the words of the page."""
    notes, with_it = _written(concept.said, target)
    if with_it is None:
        return "refused"
    _, without = _written(concept.unsaid, target)
    assert without is not None  # every upstream can be asked without anything special
    same = _body(with_it) == _body(without)
    if notes:
        named = ", ".join(f"`{note.partition(';')[0]}`" for note in notes)
        return f"{'dropped' if same else 'changed'} ({named})"
    if {type(mend) for mend in with_it.mends} - {type(mend) for mend in without.mends}:
        return "emulated"
    return "–" if same else "yes"


def _written(request: Request, target: Target) -> tuple[list[str], Written | None]:
    losses = Losses()
    try:
        return losses.notes, registry.get(target.dialect).write_request(request, target, losses)
    except Inexpressible:
        return losses.notes, None


def _body(written: Written) -> Any:
    return json.loads(written.body)


def _table(corner: str, heads: list[str], rows: Iterable[tuple[str, list[str]]]) -> str:
    lines = [_row(corner, heads), "|---" * (len(heads) + 1) + "|"]
    return "\n".join([*lines, *(_row(name, cells) for name, cells in rows)])


def _row(first: str, others: list[str]) -> str:
    return f"| {first} | {' | '.join(others)} |"
