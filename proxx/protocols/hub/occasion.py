"""What a reply's writer must know that the events do not say: for whom it is, when, and under which name."""

from collections.abc import Callable

import msgspec

from proxx.protocols.hub.request import Request


class Occasion(msgspec.Struct, frozen=True):
    """One reply's circumstances, handed down by the gateway: translators have no clock and no chance.

    `id`: the call's id in 32 hexadecimal letters, of which the dialect makes its own ids. `created`: unix seconds.
    `model`: the name to show. `wants_usage`: whether a stream tells its usage. `input_estimate`: tokens of the request,
    for dialects that speak of them first. `elapsed_ns`: nanoseconds since the call began. `request`: what was asked,
    for dialects that repeat it. `form`: as in the envelope.
    """

    id: str
    created: int
    model: str
    wants_usage: bool = False
    input_estimate: int = 0
    elapsed_ns: Callable[[], int] = lambda: 0
    request: Request | None = None
    form: str = ""
