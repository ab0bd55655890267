"""Replies that went wrong on their way: whole ones and streams, with any of the faults that requests have, and events
that are missing, doubled, in the wrong place, or cut off."""

import json
import random
import re
from collections.abc import Callable

from tests.protocols.mutations import mutated

_EVENT = re.compile(rb"[^\n]+\n(?:[^\n]+\n)*\n")
_DATA = re.compile(rb"\{.*\}", re.DOTALL)


def spoiled(answer: bytes, chance: random.Random) -> bytes:
    """Return a provider's answer with one to three faults."""
    frames = _EVENT.findall(answer) or answer.splitlines(keepends=True)
    for _ in range(chance.choice((1, 1, 1, 2, 3))):
        change = chance.choice(_CHANGES if len(frames) > 1 else _CHANGES_OF_ONE)
        change(frames, chance)
        if not frames:
            return b""
    said = b"".join(frames)
    return said[: chance.randrange(len(said))] if said and chance.random() < 0.05 else said


def _changed(frames: list[bytes], chance: random.Random) -> None:
    place = chance.randrange(len(frames))
    found = _DATA.search(frames[place])
    try:
        members = json.loads(found[0]) if found else None
    except (ValueError, RecursionError):
        return  # changed before, and beyond repair
    if found and isinstance(members, dict):
        frames[place] = frames[place][: found.start()] + mutated(members, chance) + frames[place][found.end() :]


def _dropped(frames: list[bytes], chance: random.Random) -> None:
    del frames[chance.randrange(len(frames))]


def _doubled(frames: list[bytes], chance: random.Random) -> None:
    frames.insert(chance.randrange(len(frames)), chance.choice(frames))


def _moved(frames: list[bytes], chance: random.Random) -> None:
    frames.insert(chance.randrange(len(frames)), frames.pop(chance.randrange(len(frames))))


def _flipped(frames: list[bytes], chance: random.Random) -> None:
    place = chance.randrange(len(frames))
    if frame := bytearray(frames[place]):
        frame[chance.randrange(len(frame))] = chance.randrange(256)
        frames[place] = bytes(frame)


_Change = Callable[[list[bytes], random.Random], None]
_CHANGES_OF_ONE: tuple[_Change, ...] = (_changed, _changed, _changed, _flipped)
_CHANGES: tuple[_Change, ...] = (*_CHANGES_OF_ONE, _changed, _changed, _dropped, _doubled, _moved)
