"""Reads Responses requests: what the platform and the ChatGPT backend have in common, and the platform's entry."""

import json
from collections.abc import Callable
from typing import Any

from tests.upstreams import responses_checks, responses_items, responses_pairs, responses_tools
from tests.upstreams.answer import Refused
from tests.upstreams.connection import Arrival
from tests.upstreams.dialect import Tool, World, count_tokens
from tests.upstreams.ids import letters
from tests.upstreams.refusals import invalid, openai
from tests.upstreams.responses_errors import empty_array, missing, refused, wrong_type
from tests.upstreams.responses_speaker import ResponsesAsk
from tests.upstreams.responses_store import Store, store_of

# What ids of kept items begin with, where the caller gave none.
PREFIXES = {
    "message": "msg", "reasoning": "rs", "function_call": "fc", "custom_tool_call": "ctc", "web_search_call": "ws",
    "compaction": "cmp",
}  # fmt: skip


def body_of(arrival: Arrival) -> dict[str, Any]:
    """Return the JSON object of a request; raise Refused."""
    try:
        body = json.loads(arrival.body)
    except ValueError:
        raise Refused(invalid("We could not parse the JSON body of your request.")) from None
    if not isinstance(body, dict):
        raise Refused(invalid("We could not parse the JSON body of your request: it is no object."))
    return body


def account_of(arrival: Arrival) -> str:
    """Return the organization of a key: `sk-sim-org-NAME.x` belongs to `org-NAME`, every other key to `org-sim`."""
    key = (arrival.header("authorization") or "").rpartition(" ")[2]
    owner = key.removeprefix("sk-sim-").partition(".")[0]
    return owner if owner.startswith("org-") else "org-sim"


def read(arrival: Arrival, world: World) -> ResponsesAsk:
    """Read a request as OpenAI would; raise Refused with its 400."""
    body, official = body_of(arrival), arrival.path.startswith("/v1")
    responses_checks.check(body, strict=official)
    return asked(body, store_of(world), account=account_of(arrival), named=official)


def asked(
    body: dict[str, Any],
    store: Store,
    *,
    account: str,
    named: bool = True,
    check_items: Callable[[list[dict[str, Any]]], None] = lambda _: None,
) -> ResponsesAsk:
    """Return what is asked by a body whose top level is good; raise Refused for its input and tools."""
    history = _history(body, store, account)
    items = responses_items.check(_listed(body))
    check_items(items)
    declared = responses_tools.check(body.get("tools"))
    for index, item in enumerate(items):
        if item["type"] == "additional_tools":
            known = {(tool.namespace, tool.name) for tool in declared}
            more = responses_tools.check(item["tools"], f"input[{index}].tools")
            declared += [tool for tool in more if (tool.namespace, tool.name) not in known]
    must_call = responses_tools.check_choice(body.get("tool_choice"), declared)
    responses_pairs.check(items, history, store, account=account, kept=body.get("store") is not False)
    items = [_with_id(item) for item in responses_pairs.resolve(items, store, account)]
    everything = [*history, *items]
    return ResponsesAsk(
        model=body["model"],
        stream=bool(body.get("stream")),
        text=_last_user_text(everything),
        prompt_tokens=tokens(everything, body),
        tools=tuple(Tool(tool.name, tool.schema) for tool in declared if tool.kind in ("function", "custom")),
        must_call=must_call,
        tool_result=_tool_result(everything),
        limit=body.get("max_output_tokens"),
        thinks=(body.get("reasoning") or {}).get("effort") != "none",
        schema=_schema((body.get("text") or {}).get("format") or {}),
        body=body,
        items=tuple(items),
        declared=tuple(declared),
        account=account,
        store=store,
        named_events=named,
        compacts=bool(items) and items[-1]["type"] == "compaction_trigger",
    )


def tokens(items: list[dict[str, Any]], body: dict[str, Any]) -> int:
    """Count the tokens of items and instructions roughly."""
    return sum(count_tokens(written(item)) + 4 for item in items) + count_tokens(body.get("instructions") or "") + 3


def written(item: dict[str, Any]) -> str:
    """Return the text of an item, whatever its type."""
    if item["type"] == "message":
        return text_of(item["content"])
    return str(item.get("arguments") or item.get("input") or text_of(item.get("output")))


def text_of(content: Any) -> str:
    """Return the text of content: a string, or parts."""
    if isinstance(content, str):
        return content
    if isinstance(content, list):
        return "".join(part.get("text", "") for part in content if isinstance(part, dict))
    return ""


def _listed(body: dict[str, Any]) -> list[Any]:
    given = body.get("input")
    if given is None:
        if any(body.get(name) is not None for name in ("previous_response_id", "conversation", "prompt")):
            return []
        raise missing("input")
    if isinstance(given, str):
        content = [{"type": "input_text", "text": given}]
        return [{"type": "message", "role": "user", "status": "completed", "content": content}]
    if not isinstance(given, list):
        raise wrong_type("input", "one of a string or array of input items", given)
    if not given and body.get("previous_response_id") is None:
        raise empty_array("input")
    return given


def _history(body: dict[str, Any], store: Store, account: str) -> list[dict[str, Any]]:
    for name, kind in (("conversation", "Conversation"), ("prompt", "Prompt")):
        value = body.get(name)
        if value is not None:  # none is ever made here
            id = value.get("id") if isinstance(value, dict) else value
            raise Refused(openai(404, f"{kind} with id '{id}' not found.", "invalid_request_error", None, param=name))
    previous = body.get("previous_response_id")
    if previous is None:
        return []
    if not previous.startswith("resp"):
        text = f"Invalid 'previous_response_id': '{previous}'. Expected an ID that begins with 'resp'."
        raise refused(text, "previous_response_id", "invalid_value")
    items = store.history(previous, account)
    if items is None:
        text = f"Previous response with id '{previous}' not found."
        raise refused(text, "previous_response_id", "previous_response_not_found")
    return items


def _with_id(item: dict[str, Any]) -> dict[str, Any]:
    return item if item.get("id") else {"id": f"{PREFIXES.get(item['type'], 'item')}_{letters(48)}", **item}


def _last_user_text(items: list[dict[str, Any]]) -> str:
    users = (item for item in reversed(items) if item.get("role") == "user" and item["type"] == "message")
    return next((text_of(item["content"]) for item in users), "")


def _tool_result(items: list[dict[str, Any]]) -> str | None:
    last = items[-1] if items else {"type": ""}
    return text_of(last.get("output")) if last["type"] in responses_pairs.ANSWERS else None


def _schema(shape: dict[str, Any]) -> dict[str, Any] | None:
    if shape.get("type") == "json_schema":
        return dict(shape["schema"])
    return {} if shape.get("type") == "json_object" else None
