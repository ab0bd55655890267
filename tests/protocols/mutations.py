"""Requests that went wrong on their way: values of the wrong kind, missing and doubled members, broken bytes."""

import json
import random
from collections.abc import Iterator
from typing import Any

ODD: tuple[Any, ...] = (
    None, True, False, 0, -1, 1.5, 1e300, 2**63, 2**70, -(2**64), "", " ", "x" * 300, "\ud800", "\x00", "🙂",
    [], {}, [[]], [{}], [None], {"": None}, {"type": None}, {"type": "text"}, {"type": "unknown", "x": 1},
    ["text"], {"role": "user"}, "auto", "data:image/png;base64,!!!!", "https://", {"a": {"b": [1, {"c": None}]}},
)  # fmt: skip
NAMES = ("model", "messages", "input", "contents", "tools", "stream", "type", "role", "content", "id", "name", "x")


def mutated(body: dict[str, Any], chance: random.Random) -> bytes:
    """Return the body with one to three faults, sometimes broken as bytes too."""
    changed = _copied(body)
    for _ in range(chance.choice((1, 1, 1, 2, 3))):
        places = list(_places(changed))
        if places:
            chance.choice(_CHANGES)(*chance.choice(places), chance)
    data = json.dumps(changed, ensure_ascii=chance.random() < 0.5).encode(errors="surrogatepass")
    return chance.choice(_BREAKS)(data, chance) if chance.random() < 0.15 else data


def _places(node: Any) -> Iterator[tuple[Any, Any]]:
    keys = list(node) if isinstance(node, dict) else range(len(node)) if isinstance(node, list) else ()
    for key in keys:
        yield node, key
        yield from _places(node[key])


def _copied(value: Any) -> Any:
    return json.loads(json.dumps(value))  # copy.deepcopy gives up on what is nested deeply


def _replaced(holder: Any, key: Any, chance: random.Random) -> None:
    holder[key] = _copied(chance.choice(ODD))


def _removed(holder: Any, key: Any, chance: random.Random) -> None:
    del holder[key]


def _doubled(holder: Any, key: Any, chance: random.Random) -> None:
    if isinstance(holder, list):
        holder.insert(key, _copied(holder[key]))
    else:
        holder[chance.choice(NAMES)] = _copied(holder[key])


def _wrapped(holder: Any, key: Any, chance: random.Random) -> None:
    depth = chance.choice((1, 2, 50, 300))
    value = holder[key]
    for _ in range(depth):
        value = [value]
    holder[key] = value


def _renamed(holder: Any, key: Any, chance: random.Random) -> None:
    if isinstance(holder, dict):
        holder[chance.choice((*NAMES, f"{key}s", key.upper(), "\ud800"))] = holder.pop(key)


def _cut(data: bytes, chance: random.Random) -> bytes:
    return data[: chance.randrange(len(data))]


def _flipped(data: bytes, chance: random.Random) -> bytes:
    spoiled = bytearray(data)
    for _ in range(chance.choice((1, 3))):
        spoiled[chance.randrange(len(spoiled))] = chance.randrange(256)
    return bytes(spoiled)


def _repeated(data: bytes, chance: random.Random) -> bytes:
    return data[:-1] + b',"model":"other","stream":true}'


def _deepened(data: bytes, chance: random.Random) -> bytes:
    depth = chance.choice((1000, 5000, 100_000))
    place = data.rfind(b"{") + 1
    return (
        data[:place]
        + b'"x":'
        + b"[" * depth
        + b"]" * depth
        + (b"" if data[place : place + 1] == b"}" else b",")
        + data[place:]
    )


_CHANGES = (_replaced, _replaced, _replaced, _removed, _doubled, _wrapped, _renamed)
_BREAKS = (_cut, _flipped, _flipped, _repeated, _deepened)
