"""A list of facts and prices is taken over: fetched or read, joined, compared, and written whole or not at all.

Fetching goes through upstream's rules for public addresses; it happens when an operator asks for it, and once a day
where PROXY_PRICE_LISTS names lists. What the lists say is facts_sources.py's, the file that is written facts_file.py's.
"""

import asyncio
import logging
import os
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from django.conf import settings

from proxx.kit import clock, fastjson
from proxx.upstream import fetch
from routing import facts_file, facts_sources, revision
from routing.capabilities import PriceList
from routing.facts_file import FILE_LIMIT, FactsFault

log = logging.getLogger(__name__)

SOURCE_LIMIT = 64 * 1024 * 1024
NAMES_SHOWN = 10


def refresh() -> list[str]:
    """Fetch the lists that PROXY_PRICE_LISTS names and put them in force; say what changed. Nothing if it names none.

    Raises `FactsFault`, and then the list that was in force stays.
    """
    if not settings.PROXY_PRICE_LISTS:
        return []
    text = written([fetched(address) for address in settings.PROXY_PRICE_LISTS], settings.PROXY_PRICE_LISTS)
    new = checked(text)
    lines = list(differences(facts_file.current(), new))
    put(text, facts_file.imported())
    revision.raise_number()
    log.info("Price lists were fetched: %s.", "; ".join(lines))
    return lines


def fetched(address: str) -> facts_sources.Entries:
    """Fetch one list; raise `FactsFault` with a sentence that may be shown."""
    try:
        body = asyncio.run(fetch.document(address, limit=SOURCE_LIMIT))
        return facts_sources.read(fastjson.loads(body))
    except fetch.NotFetched as fault:
        raise FactsFault(f"{address} cannot be fetched: {fault}") from None
    except FactsFault as fault:
        raise FactsFault(f"{address}: {fault}") from None
    except ValueError:
        raise FactsFault(f"{address} is not valid JSON.") from None


def written(
    lists: Sequence[facts_sources.Entries], names: Iterable[str], *, only: Sequence[str] = (), origin: str = ""
) -> bytes:
    """Return lists as one file's content, one line per model, so that changes of it can be read."""
    entries = facts_sources.joined(list(lists))
    if only:
        entries = {one: models for one, models in entries.items() if one in only}
    return _text(entries, origin or f"Imported {clock.now():%Y-%m-%d} from {', '.join(names)}.")


def checked(text: bytes) -> PriceList:
    """Read a file's content as it will be read; raise `FactsFault` for what could not be used."""
    if len(text) > FILE_LIMIT:
        raise FactsFault(f"The list would be larger than {FILE_LIMIT} bytes; keep fewer providers.")
    return facts_file.parse(fastjson.loads(text))


def put(text: bytes, path: Path) -> None:
    """Write a list whole or not at all: serving processes read it while it is written."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(path.name + ".new")
    draft.write_bytes(text)
    os.replace(draft, path)


def differences(old: PriceList, new: PriceList) -> Iterable[str]:
    """Say in lines what a new list brings, changes and no longer has."""
    for provider_id in sorted({*old.providers, *new.providers}):
        before, after = old.providers.get(provider_id, {}), new.providers.get(provider_id, {})
        repriced = [name for name in before.keys() & after.keys() if before[name].price != after[name].price]
        counts = [
            _count("new", after.keys() - before.keys()),
            _count("gone", before.keys() - after.keys()),
            _count("with another price", repriced),
        ]
        yield f"{provider_id}: {len(after)} models" + "".join(filter(None, counts))


def _count(words: str, names: Iterable[str]) -> str:
    some = sorted(names)
    if not some:
        return ""
    shown = ", ".join(some[:NAMES_SHOWN]) + (", ..." if len(some) > NAMES_SHOWN else "")
    return f"; {len(some)} {words} ({shown})"


def _text(entries: facts_sources.Entries, origin: str) -> bytes:
    makers = [one for one in facts_sources.MAKERS if one in entries]
    blocks = []
    for provider_id, models in sorted(entries.items()):
        lines = [f"   {_json(name)}: {_json(entry)}" for name, entry in sorted(models.items())]
        blocks.append(f"  {_json(provider_id)}: {{\n" + ",\n".join(lines) + "\n  }")
    head = f'{{\n "origin": {_json(origin)},\n "makers": {_json(makers)},\n "providers": {{\n'
    return (head + ",\n".join(blocks) + "\n }\n}\n").encode()


def _json(value: Any) -> str:
    return fastjson.dumps(value).decode()
