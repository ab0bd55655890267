"""What a reply says, dialect-free. So far the usage: how many tokens went in and came out."""

import msgspec


class Usage(msgspec.Struct, frozen=True):
    """Token counts of one reply. `None` means unknown, never zero.

    `input_total` includes cache reads and writes, `output_total` includes reasoning. `estimated` marks numbers that no
    provider reported.
    """

    input_total: int | None = None
    output_total: int | None = None
    cache_read: int | None = None
    cache_write: int | None = None
    reasoning: int | None = None
    estimated: bool = False
