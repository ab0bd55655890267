"""The form of the answer: plain, JSON, or JSON of a schema."""

import re
from typing import Any

from proxx.protocols.hub.output import JSON_ONLY
from proxx.protocols.hub.schemas import qualifies_strict
from proxx.protocols.openai_chat.write_request.ask import Ask

Json = dict[str, Any]

LONGEST_NAME = 64
_UNNAMED = "response"
_NOT_IN_A_NAME = re.compile(r"[^a-zA-Z0-9_-]")


def write_form(ask: Ask, messages: list[Json]) -> Json:
    """Return `response_format`; JSON without a schema must be asked for in words, too, and is."""
    output = ask.request.output
    if output.format == "text":
        return {"response_format": {"type": "text"}}
    if output.format == "json":
        if "json" not in str([message["content"] for message in messages]).lower():
            messages.insert(_after_instructions(messages), {"role": "system", "content": JSON_ONLY})
        return {"response_format": {"type": "json_object"}}
    if output.format != "schema" or "no_json_schema" in ask.quirks:
        return {}
    schema: Json = {"name": _NOT_IN_A_NAME.sub("_", output.name)[:LONGEST_NAME] or _UNNAMED}
    if output.description:
        schema["description"] = output.description
    if output.schema is not None:
        schema["schema"] = output.schema
    if output.strict is not None:
        schema["strict"] = output.strict and qualifies_strict(output.schema)
        if schema["strict"] != output.strict:
            ask.losses.drop("response_format.strict", "its schema does not qualify")
    return {"response_format": {"type": "json_schema", "json_schema": schema}}


def _after_instructions(messages: list[Json]) -> int:
    leading = (place for place, message in enumerate(messages) if message["role"] not in ("system", "developer"))
    return next(leading, len(messages))
