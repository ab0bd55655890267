"""How much of an answer a request asks for: how long one may be, how many there shall be, to how many prompts.

The worst case of a call hangs on it (admit.py), so a body that says it twice is refused: a provider may heed the other
one.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import msgspec

from accounts.limit import MOST
from proxx.gateway.errors import BadRequest
from proxx.protocols.framing.lenient import FAULTS, decode
from proxx.protocols.framing.members import Unclear, count, escapes_letters, spans

WITHOUT_OUTPUT = frozenset(("openai_embeddings", "ollama_embed", "gemini_embed", "openai_moderations"))


class Wanted(msgspec.Struct, frozen=True, gc=False):
    """The longest answer in tokens (None: the request does not say), how many answers to each prompt, and how many
    prompts."""

    longest: int | None = None
    answers: int = 1
    prompts: int = 1


@dataclass(frozen=True, slots=True)
class _Reader:
    decoder: "msgspec.json.Decoder[Any]"
    groups: tuple[str, ...]
    members: tuple[str, ...]
    times: tuple[str, ...]
    keys: tuple[tuple[str, bytes], ...]  # of members and times, as they stand in a body
    group_keys: tuple[tuple[str, bytes], ...]


def asked(dialect: str, body: bytes) -> Wanted:
    """Read what a body asks for; raise `BadRequest` for one that says it twice."""
    if dialect in WITHOUT_OUTPUT:
        return Wanted(0)
    reader = _READERS.get(dialect, _ELSEWHERE)
    try:
        said = decode(reader.decoder, body)
    except (*FAULTS, ValueError):
        return Wanted()  # a form, or what its provider will judge
    _once(body, reader)
    longest = answers = None
    for one in [getattr(said, name) for name in reader.groups] if reader.groups else (said,):
        longest = _largest(one, reader.members, longest)
        answers = _largest(one, reader.times, answers)
    return Wanted(longest, answers or 1, _count(getattr(said, "prompt", None)))


def _largest(source: Any, names: Iterable[str], least: int | None) -> int | None:
    """Return the largest of these members, if it is more than `least`: whichever of them a provider heeds."""
    is_group = isinstance(source, dict)
    for name in names:
        value = source.get(name) if is_group else getattr(source, name, None)
        if type(value) is int and 0 < value < MOST and (least is None or value > least):
            least = value
    return least


def _count(prompt: Any) -> int:
    """Tell how many prompts there are in texts, lists of texts or of token numbers, and lists of such lists."""
    if not isinstance(prompt, list):
        return 1
    return max(1, sum(1 for one in prompt if type(one) is not int))


def _once(body: bytes, reader: _Reader) -> None:
    escaped = escapes_letters(body)
    repeated = [name for name, key in reader.keys if escaped or body.count(key) > 1]
    for group, key in reader.group_keys:
        if not (repeated or body.count(key) > 1):
            continue
        _check(body, (group,))
        for start, end in spans(body, group.encode()):
            if (inner := body[start:end]).startswith(b"{"):
                _check(inner, repeated)
    if repeated and not reader.groups:
        _check(body, repeated)


def _check(body: bytes, names: Iterable[str]) -> None:
    for name in names:
        try:
            times = count(body, name.encode())
        except Unclear as unclear:
            raise BadRequest(str(unclear), param=name) from None
        if times > 1:
            raise BadRequest(f"The field '{name}' stands more than once in the body.", param=name)


def _keys(names: Iterable[str]) -> tuple[tuple[str, bytes], ...]:
    return tuple((name, b'"%b"' % name.encode()) for name in names)


def _reader(groups: tuple[str, ...], members: tuple[str, ...], times: tuple[str, ...], *more: str) -> _Reader:
    fields = [(name, Any, None) for name in (*(groups or (*members, *times)), *more)]
    decoder = msgspec.json.Decoder(msgspec.defstruct("Asked", fields))
    return _Reader(decoder, groups, members, times, _keys((*members, *times)), _keys(groups))


# Within which members the dialects say how long an answer may be, and how many there shall be; only those that their
# providers heed.
_READERS = {
    "openai_chat": _reader((), ("max_completion_tokens", "max_tokens"), ("n",)),
    "openai_completions": _reader((), ("max_tokens",), ("n", "best_of"), "prompt"),
    "openai_responses": _reader((), ("max_output_tokens",), ()),
    "anthropic": _reader((), ("max_tokens",), ()),
    "gemini": _reader(
        ("generationConfig", "generation_config"),
        ("maxOutputTokens", "max_output_tokens"),
        ("candidateCount", "candidate_count"),
    ),
    "ollama": _reader(("options",), ("num_predict",), ()),
}
_ELSEWHERE = _reader((), (), ("n",))
