"""Events -> lines of a streamed answer."""

from collections.abc import Sequence
from typing import Any

import orjson

from proxx.protocols.framing.encode import encoded
from proxx.protocols.hub.errors import ErrorFacts
from proxx.protocols.hub.events import Broken, Ended, Event, Failed, TextDelta
from proxx.protocols.hub.occasion import Occasion
from proxx.protocols.ollama.write_reply.errors import unbroken, write_stream_error
from proxx.protocols.ollama.write_reply.moments import Moments
from proxx.protocols.ollama.write_reply.telling import Telling

_LISTS = ("tool_calls", "images")


class Writer:
    """Write one stream: a line for each delta, and a last one with `done`, the counts and the durations."""

    __slots__ = ("_after", "_before", "_chat", "_head", "_moments", "_over", "_telling")

    def __init__(self, occasion: Occasion) -> None:
        self._chat = occasion.form != "generate"
        self._moments = Moments(occasion.created, occasion.elapsed_ns)
        self._telling = Telling()
        self._over = False
        self._head = unbroken(b'{"model":%b,"created_at":"' % orjson.dumps(occasion.model))
        self._before = b'","message":{"role":"assistant","content":' if self._chat else b'","response":'
        self._after = b'},"done":false}\n' if self._chat else b',"done":false}\n'

    def write(self, events: Sequence[Event]) -> bytes:
        """Return the lines of these events; nothing after the last."""
        out: list[bytes] = []
        for event in events:
            if self._over:
                break
            if type(event) is TextDelta:
                out.append(self._content(self._telling.spaced(event.text)))
            else:
                self._other(event, out)
        return b"".join(out)

    def fail(self, facts: ErrorFacts) -> bytes:
        """Return the line that ends the stream with an error; nothing if one has ended it already."""
        if self._telling.error is not None:
            return b""
        self._over = True
        return write_stream_error(facts)

    def _other(self, event: Event, out: list[bytes]) -> None:
        if isinstance(event, Ended):
            out.append(self._last())
            return
        if isinstance(event, Failed | Broken):  # the gateway says what they mean
            self._over = True
            return
        pieces = self._telling.take(event)
        if pieces:
            out.extend([self._line(name, value) for name, value in pieces])
        if self._telling.error is not None:
            self._over = True
            out.append(write_stream_error(self._telling.error))

    def _content(self, text: str) -> bytes:
        self._moments.begun()
        said = orjson.dumps(text)
        if not said.isascii():
            said = unbroken(said)
        return b"".join((self._head, self._moments.now(), self._before, said, self._after))

    def _line(self, name: str, value: Any) -> bytes:
        if name == "content":
            return self._content(value)
        self._moments.begun()
        if name == "logprobs":
            after = b'%b,"done":false,"logprobs":%b}\n' % (b"}" if self._chat else b"", encoded(value))
        else:
            said = b"[%b]" % value if name in _LISTS else orjson.dumps(value)
            after = b',"%b":%b%b' % (name.encode(), said, self._after)
        return b"".join((self._head, self._moments.now(), self._before, b'""', unbroken(after)))

    def _last(self) -> bytes:
        self._over = True
        ending = orjson.dumps(self._moments.ending(self._telling))
        done = b"}" if self._chat else b""
        return b"".join(
            (self._head, self._moments.now(), self._before, b'""', done, b',"done":true,', ending[1:], b"\n")
        )
