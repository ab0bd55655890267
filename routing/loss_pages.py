"""docs/protocols-losses.md: every name that may stand in `x-proxx-warnings`, what it means, and what to do.

Names and reasons come from the source (loss_sites.py), one sentence per name from data/losses.toml. `manage.py
render_docs` writes the page, and a test compares it with what this module would write.
"""

import tomllib
from collections.abc import Iterable
from pathlib import Path

from routing.loss_sites import Site, sites
from routing.pages import NAMES

SENTENCES = Path(__file__).parent / "data" / "losses.toml"

INTRO = """\
# Losses

This page is written from the source (`manage.py render_docs`). When a request is translated into another dialect
(see [protocols](protocols.md)), something it says may have no counterpart there. Then one of two things happens:

- it is **dropped**, or said in another way, and noted: in the answer's header `x-proxx-warnings` as `name;reason`,
  several separated by commas, at most 32, and on the call's record in the console;
- it is **refused** with 400 `unsupported_parameter`, the name in `param`, because the answer would look right and be
  wrong. If another provider of the model can say it, that one is asked instead.

A request with the header `x-proxx-strict: true` is refused for everything that would otherwise be dropped. Where client
and provider speak the same dialect their bytes pass and nothing is lost, unless the provider itself refuses something.

What a provider refuses and can be taken away is taken away in any dialect, and noted under the provider's own name for
it (see [failures](failures.md)): `name;the provider refused it`, `anthropic-beta;the provider refused it`,
`reasoning;the provider could not read its own seals`, and `reasoning;the provider takes no such effort and was asked
for the nearest`. With `x-proxx-strict: true` the provider's 400 is passed on instead.

What has no effect on an answer (a user id, metadata, `keep_alive`, how a stream is padded) is left out without a note.

In the names, `…` stands for a part that depends on the request, such as a tool's name.
"""

_OTHERS = {"hub": "all", "openai_media": "OpenAI images", "embeddings": "embeddings"}


def losses_page() -> str:
    """Return docs/protocols-losses.md; raise KeyError for a name without a sentence."""
    found: dict[str, list[Site]] = {}
    for site in sites():
        found.setdefault(site.name, []).append(site)
    sections = [f"\n## {title}\n\n{_table(names, found)}" for title, names in sentences().items()]
    missing = found.keys() - {name for names in sentences().values() for name in names}
    if missing:
        raise KeyError(f"losses without a sentence: {', '.join(sorted(missing))}")
    return INTRO + "".join(sections)


def sentences() -> dict[str, dict[str, str]]:
    """Return the sentence of each name, by section."""
    return tomllib.loads(SENTENCES.read_text())


def _table(names: dict[str, str], found: dict[str, list[Site]]) -> str:
    rows = (f"| {_code(name)} | {_reasons(found[name])} | {sentence} |\n" for name, sentence in names.items())
    return "| name | reasons, and at whose door | what it means, what to do |\n|---|---|---|\n" + "".join(rows)


def _code(name: str) -> str:
    return name if " " in name else f"`{name}`"


def _reasons(places: Iterable[Site]) -> str:
    """Return each reason once, with the dialects that give it; reading is the client's dialect, writing the other."""
    said: dict[str, list[str]] = {}
    for site in places:
        folder = site.file.partition("/")[0]
        dialect = _OTHERS.get(folder) or NAMES[folder]
        doors = said.setdefault("the answer says why" if site.reason == "…" else site.reason, [])
        door = f"from {dialect}" if "read_request" in site.file else dialect
        if door not in doors:
            doors.append(door)
    return "; ".join(f"{reason} ({', '.join(doors)})" for reason, doors in said.items())
