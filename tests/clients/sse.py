"""Server-sent events as a strict client reads them: every frame must be one, and hold JSON."""

import json
from typing import Any


def events(body: bytes) -> list[tuple[str, Any]]:
    """Return (event name, data) of each event; `[DONE]` stays text. Raises AssertionError for what is no event."""
    found: list[tuple[str, Any]] = []
    text = body.decode()
    assert text.endswith(("\n\n", "\r\n\r\n")), f"the stream ends inside an event: {text[-80:]!r}"
    for frame in text.replace("\r\n", "\n").split("\n\n"):
        name, data = "", []
        for line in frame.split("\n"):
            field, _, value = line.partition(":")
            if field == "event":
                name = value.strip()
            elif field == "data":
                data.append(value.removeprefix(" "))
            else:
                assert line == "" or line.startswith(":"), f"no field of an event: {line!r}"
        if data:
            joined = "\n".join(data)
            found.append((name, joined if joined == "[DONE]" else json.loads(joined)))
    return found


def loaded(text: str) -> Any:
    """Return JSON text as data, or the text itself."""
    try:
        return json.loads(text)
    except ValueError:
        return text
