"""Reads the bodies of OpenAI's endpoints beside chat: JSON, and multipart/form-data for files."""

import json
import re
from dataclasses import dataclass, field
from typing import Any

from tests.upstreams.answer import Refused
from tests.upstreams.connection import Arrival
from tests.upstreams.refusals import invalid, openai
from tests.upstreams.responses_errors import missing


@dataclass(frozen=True, slots=True)
class File:
    """A file of a form."""

    field: str
    name: str
    content_type: str
    data: bytes


@dataclass(slots=True)
class Form:
    """The texts by name (the last one counts), lists under `name[]`, and the files in their order."""

    texts: dict[str, str] = field(default_factory=dict)
    lists: dict[str, list[str]] = field(default_factory=dict)
    files: list[File] = field(default_factory=list)

    def names(self) -> list[str]:
        """Return every name, without the brackets of lists."""
        found = [*self.texts, *self.lists, *(file.field for file in self.files)]
        return [name.removesuffix("[]") for name in found]


def read(arrival: Arrival) -> Form:
    """Return the form of a request; raise Refused where there is none."""
    kind = arrival.header("content-type") or ""
    found = re.search(r'multipart/form-data;.*boundary="?([^";]+)"?', kind, re.I)
    if found is None:
        text = f"Unsupported content type: '{kind}'. This API method only accepts 'multipart/form-data' requests, "
        text += "but you specified another header."
        raise Refused(openai(415 if kind else 400, text, "invalid_request_error", "unsupported_content_type"))
    form = Form()
    for part in (b"\r\n" + arrival.body).split(b"\r\n--" + found[1].encode())[1:]:
        if part.startswith(b"--"):
            break
        head, _, data = part.removeprefix(b"\r\n").partition(b"\r\n\r\n")
        _add(form, head.decode(), data)
    return form


def _add(form: Form, head: str, data: bytes) -> None:
    name = re.search(r'name="([^"]*)"', head)
    if name is None:
        return
    file_name = re.search(r'filename="([^"]*)"', head)
    if file_name is not None:
        kind = re.search(r"^content-type:\s*(\S+)", head, re.I | re.M)
        form.files.append(File(name[1], file_name[1], kind[1] if kind else "", data))
    elif name[1].endswith("[]"):
        form.lists.setdefault(name[1], []).append(data.decode())
    else:
        form.texts[name[1]] = data.decode()


def body_of(arrival: Arrival) -> dict[str, Any]:
    """Return the JSON object of a request; raise Refused."""
    try:
        body = json.loads(arrival.body)
    except ValueError:
        body = None
    if not isinstance(body, dict):
        raise Refused(invalid("We could not parse the JSON body of your request."))
    return body


def need(body: dict[str, Any], *names: str) -> None:
    """Raise Refused for the first member that is not there."""
    for name in names:
        if body.get(name) is None:
            raise missing(name)


def typed(form: Form) -> dict[str, Any]:
    """Return the texts of a form, numbers as numbers."""
    numbers = {name: int(value) for name, value in form.texts.items() if value.isdigit()}
    return {**form.texts, **numbers, **({"stream": True} if form.texts.get("stream") == "true" else {})}
