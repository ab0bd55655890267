"""`options`: what other dialects know, too, and what only a machine of one's own has."""

from collections.abc import Callable
from typing import Any

import msgspec

from proxx.protocols.hub.errors import Unreadable
from proxx.protocols.hub.losses import Losses
from proxx.protocols.hub.request import Sampling
from proxx.protocols.ollama.read_request.body import unreadable

UNKNOWN = "unknown to other dialects"

# These say where and how a model runs, and change no answer elsewhere; every other unknown option is noted.
_OF_THE_MACHINE = frozenset(
    (
        "num_ctx",
        "num_keep",
        "num_batch",
        "num_gpu",
        "main_gpu",
        "num_thread",
        "use_mmap",
        "use_mlock",
        "low_vram",
        "f16_kv",
        "numa",
        "vocab_only",
        "num_predict",
    )
)

Options = tuple[Sampling, int | None, dict[str, Any] | None]


def read_options(options: dict[str, Any] | None, losses: Losses) -> Options:
    """Return the sampling, the output limit (None for the numbers that mean no limit), and the rest as it was said."""
    sampling: dict[str, Any] = {}
    limit: int | None = None
    rest: dict[str, Any] = {}
    for name, value in (options or {}).items():
        if value is None:
            continue
        if name in _READERS:
            sampling[name] = _READERS[name](value, f"options.{name}")
        elif name == "num_predict" and (said := _whole(value, "options.num_predict")) > 0:
            limit = said
        else:  # -1 and -2 are this dialect's ways to say: as much as fits
            rest[name] = value
            if name not in _OF_THE_MACHINE:
                losses.drop(f"options.{name}", UNKNOWN)
    return Sampling(**sampling), limit, rest or None


def _number(value: Any, param: str) -> float:
    return float(_converted(value, float, param))


def _whole(value: Any, param: str) -> int:
    number = _number(value, param)
    if number != int(number):
        raise Unreadable(f"'{param}' must be a whole number.", code="invalid_type", param=param)
    return int(value)


def _texts(value: Any, param: str) -> tuple[str, ...]:
    said: tuple[str, ...] = _converted([value] if isinstance(value, str) else value, tuple[str, ...], param)
    return tuple(one for one in said if one)


def _converted(value: Any, kind: Any, param: str) -> Any:
    try:
        return msgspec.convert(value, kind)
    except msgspec.ValidationError as fault:
        raise unreadable(str(fault), param) from None


_READERS: dict[str, Callable[[Any, str], Any]] = {
    "temperature": _number,
    "top_p": _number,
    "top_k": _whole,
    "min_p": _number,
    "seed": _whole,
    "stop": _texts,
    "repeat_penalty": _number,
    "presence_penalty": _number,
    "frequency_penalty": _number,
}
