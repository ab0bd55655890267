"""What one finished call owes its limits: plain data that travels with the call's record, through journal and restart.

It is written as an array, so the order of the fields is a format: a new one goes last and has a default.
"""

import uuid

import msgspec


class Bill(msgspec.Struct, array_like=True, kw_only=True, gc=False):
    """`tokens` and `nano` (nano-dollars) are what is charged; `charges` name limit, start of its window (unix seconds)
    and the amount that counts there; `tranches`, if there are any, say for each of them what it was held in."""

    tokens: int = 0
    nano: int = 0
    charges: list[tuple[uuid.UUID, int, int]] = []
    tranches: list[uuid.UUID] = []
