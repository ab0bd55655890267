"""Errors as Ollama words them, keep-alives, and a whole answer under another model's name."""

import re

import orjson

from proxx.protocols.framing.members import replaced
from proxx.protocols.hub.errors import ErrorFacts

# Sent in silence. Never a blank line: some clients take it for broken JSON (D135). It fits both forms of the dialect.
HEARTBEAT = b'{"model":"","message":{"role":"assistant","content":""},"response":"","done":false}\n'

# Line ends to some clients, but not to JSON. Outside ASCII they can only stand in strings, where escapes mean the same.
_BREAKS = re.compile(b"\xe2\x80\xa8|\xe2\x80\xa9|\xc2\x85")
_ESCAPES = {b"\xe2\x80\xa8": b"\\u2028", b"\xe2\x80\xa9": b"\\u2029", b"\xc2\x85": b"\\u0085"}
_QUOTED = re.compile(r"'([^']{1,256})'")


def unbroken(line: bytes) -> bytes:
    """Return a line's JSON with nothing in it that a client could take for its end (D49)."""
    if line.isascii():
        return line
    return _BREAKS.sub(lambda found: _ESCAPES[found[0]], line)


def write_error(facts: ErrorFacts) -> bytes:
    """Write the body of an HTTP error."""
    return unbroken(orjson.dumps({"error": _words(facts)}))


def write_stream_error(facts: ErrorFacts) -> bytes:
    """Write an error into a stream; it is the stream's last line, and there is no line with `done`."""
    return write_error(facts) + b"\n"


def rename_whole(body: bytes, model: str) -> bytes:
    """Return a whole answer that names another model."""
    return replaced(body, b"model", orjson.dumps(model))


def _words(facts: ErrorFacts) -> str:
    if facts.kind == "not_found" and facts.param in (None, "model"):
        named = _QUOTED.search(facts.message)
        if named:  # clients look for these words, to offer a download
            return f"model '{named[1]}' not found"
    return facts.message.encode(errors="replace").decode()
