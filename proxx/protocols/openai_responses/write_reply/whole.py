"""A whole reply as one body: the resource that its stream would have ended with."""

import orjson

from proxx.protocols.framing.members import replaced
from proxx.protocols.hub.occasion import Occasion
from proxx.protocols.hub.reply import Reply, unfold
from proxx.protocols.openai_responses.dialect import COMPACT_FORM
from proxx.protocols.openai_responses.write_reply.stream import ReplyWriter


def write_whole(reply: Reply, occasion: Occasion) -> bytes:
    """Write a response, or, where only a compaction was asked for, the resource of one."""
    writer = ReplyWriter(occasion)
    writer.write(unfold(reply))
    if occasion.form != COMPACT_FORM:
        return writer.whole
    whole = orjson.loads(writer.whole)
    kept = {name: whole[name] for name in ("id", "created_at", "output", "usage")}
    return orjson.dumps({**kept, "object": "response.compaction"})


def rename_whole(body: bytes, model: str) -> bytes:
    """Return a whole response that names another model."""
    return replaced(body, b"model", orjson.dumps(model))
