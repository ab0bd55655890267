"""The request as the walk knows it: who it is for, how it wants its answer, and the bytes it came in.

Same-dialect calls travel as bytes, so this holds only what planning and streaming need to know.
"""

import msgspec


class Request(msgspec.Struct, frozen=True):
    """One client request.

    `model` is the name as the client wrote it; `stream` whether it wants events; `wants_usage` whether it asked for the
    usage event of a stream; `body` the bytes as they came; `options` the dialect's raw stream options, if any.
    """

    dialect: str
    model: str
    stream: bool
    wants_usage: bool
    body: bytes
    options: bytes = b""
