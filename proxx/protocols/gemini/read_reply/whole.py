"""A whole reply -> Reply: the stream's reader, given everything at once."""

import msgspec

from proxx.protocols.framing.lenient import decode
from proxx.protocols.gemini.read_reply.stream import StreamReader
from proxx.protocols.gemini.read_reply.wire import Chunk, chunk
from proxx.protocols.hub.events import Event
from proxx.protocols.hub.reply import Reply, fold
from proxx.protocols.hub.target import Target

_chunks = msgspec.json.Decoder(list[Chunk])


def read_whole(body: bytes, target: Target, call_id: str) -> Reply:
    """Read a whole reply, or the array of objects that some send instead.

    `watch_whole` has been asked first: a body that is an error or nonsense is not given to this. A malformed call is
    the reply's finish here, for nothing was said yet.
    """
    reader = StreamReader(target, call_id)
    events: list[Event] = []
    for found in decode(_chunks, body) if body.lstrip().startswith(b"[") else [decode(chunk, body)]:
        reader.take(found, events)
    reader.finish(events, whole=True)
    return fold(events)
