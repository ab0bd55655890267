"""The simulated Anthropic refuses what the real one refuses, in its words."""

import pytest

from tests.upstreams import signatures
from tests.upstreams.posting import GIF, PNG, send

KEY = {"x_api_key": "sk-sim-1"}
U = {"role": "user", "content": "hi"}
A = {"role": "assistant", "content": "yes"}
TOOL = {"name": "f", "input_schema": {"type": "object"}}
OBJECT = {"type": "object", "properties": {"n": {"type": "integer"}}, "additionalProperties": False}
MANUAL = {"type": "enabled", "budget_tokens": 1024}
SHORT, LONG = {"type": "ephemeral"}, {"type": "ephemeral", "ttl": "1h"}


def user(*blocks):
    return {"role": "user", "content": list(blocks)}


def assistant(*blocks):
    return {"role": "assistant", "content": list(blocks)}


def text(words, **members):
    return {"type": "text", "text": words, **members}


def use(id="toolu_1", **members):
    return {"type": "tool_use", "id": id, "name": "f", "input": {}, **members}


def result(id="toolu_1", **members):
    return {"type": "tool_result", "tool_use_id": id, "content": "ok", **members}


def thought(words="Hm.", signature=None):
    return {"type": "thinking", "thinking": words, "signature": signature or signatures.sign("anthropic", words)}


def image(kind="image/png", data=PNG):
    return {"type": "image", "source": {"type": "base64", "media_type": kind, "data": data}}


def asked(provider, members, version="2023-06-01"):
    body = {"model": "claude-x", "max_tokens": 4096, "messages": [U], **members}
    kept = {name: value for name, value in body.items() if value is not None}
    headers = {**KEY, **({"anthropic_version": version} if version else {})}
    return send(provider, "POST", "/v1/messages?beta=true", kept, **headers)


def messages(*all):
    return {"messages": list(all)}


REFUSED = {
    "no max_tokens": ({"max_tokens": None}, "max_tokens: Field required"),
    "max_tokens above the model": ({"max_tokens": 64_001, "model": "claude-haiku-4-5"}, "64001 > 64000, which is"),
    "unknown member": ({"frequency_penalty": 1}, "frequency_penalty: Extra inputs are not permitted"),
    "beta member without its header": ({"context_management": {}}, "context_management: Extra inputs"),
    "temperature": ({"temperature": 1.5}, "temperature: range: 0..1"),
    "temperature and top_p": ({"temperature": 1, "top_p": 1}, "cannot both be specified"),
    "temperature on a late model": ({"temperature": 0.5, "model": "claude-opus-4-8"}, "`temperature` is deprecated"),
    "temperature with thinking": ({"temperature": 0.5, "thinking": MANUAL}, "may only be set to 1 when thinking"),
    "top_k with thinking": ({"top_k": 5, "thinking": {"type": "adaptive"}}, "`top_k` must be unset"),
    "top_p with thinking": ({"top_p": 0.5, "thinking": MANUAL}, "`top_p` must be greater than or equal to 0.95"),
    "small budget": ({"thinking": {**MANUAL, "budget_tokens": 1023}}, "greater than or equal to 1024"),
    "budget of max_tokens": ({"thinking": {**MANUAL, "budget_tokens": 4096}}, "must be greater than `thinking.budget"),
    "manual on a late model": ({"thinking": MANUAL, "model": "claude-opus-4-8"}, '"thinking.type.enabled" is not'),
    "adaptive on an early model": (
        {"thinking": {"type": "adaptive"}, "model": "claude-haiku-4-5"},
        "adaptive thinking is not supported on this model",
    ),
    "unknown thinking": ({"thinking": {"type": "auto"}}, "thinking: Input tag 'auto'"),
    "forced tool with manual thinking": (
        {"thinking": MANUAL, "tools": [TOOL], "tool_choice": {"type": "any"}},
        "Thinking may not be enabled when tool_choice forces tool use.",
    ),
    "effort": ({"output_config": {"effort": "extreme"}}, "output_config.effort: Input should be"),
    "effort of another model": (
        {"output_config": {"effort": "xhigh"}, "model": "claude-sonnet-4-6"},
        "Supported levels: high, low, max, medium.",
    ),
    "effort on an early model": (
        {"output_config": {"effort": "low"}, "model": "claude-haiku-4-5"},
        "does not support the effort parameter",
    ),
    "schema without closed objects": (
        {"output_config": {"format": {"type": "json_schema", "schema": {"type": "object"}}}},
        "'additionalProperties' must be explicitly set to false",
    ),
    "schema whose root is no object": (
        {"output_config": {"format": {"type": "json_schema", "schema": {"type": "array"}}}},
        "root of the schema",
    ),
    "schema with a range": (
        {"output_config": {"format": {"type": "json_schema", "schema": {
            **OBJECT, "properties": {"n": {"type": "integer", "minimum": 1}}}}}},
        "For 'integer' type, properties minimum are not supported",
    ),
    "name in the format": (
        {"output_config": {"format": {"type": "json_schema", "name": "x", "schema": OBJECT}}},
        "output_config.format.name: Extra inputs",
    ),
    "blank stop sequence": ({"stop_sequences": [" \n"]}, "each stop sequence must contain non-whitespace"),
    "metadata": ({"metadata": {"session": "x"}}, "metadata: Extra inputs"),
    # Tools.
    "tool without schema": ({"tools": [{"name": "f"}]}, "tools.0.custom.input_schema: Field required"),
    "tool in OpenAI's form": ({"tools": [{"type": "function", "function": TOOL}]}, "Input tag 'function'"),
    "tool name": ({"tools": [{**TOOL, "name": "a.b"}]}, "tools.0.custom.name: String should match pattern"),
    "schema type": ({"tools": [{**TOOL, "input_schema": {"type": "string"}}]}, "Input should be 'object'"),
    "schema without type": ({"tools": [{**TOOL, "input_schema": {}}]}, "input_schema.type: Field required"),
    "joined schema": (
        {"tools": [{**TOOL, "input_schema": {"type": "object", "anyOf": []}}]},
        "does not support oneOf, allOf, or anyOf at the top level",
    ),
    "strict tool": ({"tools": [{**TOOL, "strict": True}]}, "must be explicitly set to false"),
    "same name twice": ({"tools": [TOOL, TOOL]}, "Tool names must be unique"),
    "choice as text": ({"tools": [TOOL], "tool_choice": "auto"}, "tool_choice: Input tag"),
    "choice without tools": ({"tool_choice": {"type": "auto"}}, "may only be specified while providing `tools`"),
    "choice of another tool": ({"tools": [TOOL], "tool_choice": {"type": "tool", "name": "g"}}, "Tool 'g' not found"),
    # Messages and their order.
    "no messages": (messages(), "at least one message is required"),
    "system among early messages": (messages({"role": "system", "content": "x"}, U), 'Unexpected role "system"'),
    "system first": (
        {"model": "claude-opus-4-8", **messages({"role": "system", "content": "x"}, U)},
        'first message must use the "user" role',
    ),
    "role": (messages({"role": "tool", "content": "x"}), "messages.0.role: Input should be 'user' or 'assistant'"),
    "first is the assistant": (messages(A, U), 'first message must use the "user" role'),
    "member of a message": (messages({**U, "name": "x"}), "messages.0.name: Extra inputs"),
    "empty content": (messages(U, {**A, "content": ""}, U), "messages.1: all messages must have non-empty content"),
    "empty text": (messages(user(text(""))), "text content blocks must be non-empty"),
    "blank text": (messages(user(text("  "))), "text content blocks must contain non-whitespace text"),
    "empty system": ({"system": [text("")]}, "system: text content blocks must be non-empty"),
    "member of a block": (messages(user(text("x", index=1))), "messages.0.content.0.text.index: Extra inputs"),
    "input_text": (messages(user({"type": "input_text", "text": "x"})), "Input tag 'input_text'"),
    "call by the user": (messages(user(use())), "Input tag 'tool_use'"),
    "prefill on a late model": (
        {"model": "claude-sonnet-4-6", **messages(U, A)},
        "does not support assistant message prefill",
    ),
    "prefill with thinking": ({"thinking": {"type": "adaptive"}, **messages(U, A)}, "assistant message prefill"),
    "prefill that ends blank": (messages(U, {**A, "content": "so "}), "cannot end with trailing whitespace"),
    # Calls and results.
    "call without result": (messages(U, assistant(use()), U), "were found without `tool_result` blocks immediately"),
    "one of two results": (
        messages(U, assistant(use("a"), use("b")), user(result("a"))),
        "without `tool_result` blocks immediately after: b.",
    ),
    "text before the result": (messages(U, assistant(use()), user(text("x"), result())), "immediately after: toolu_1"),
    "result without call": (messages(user(result())), "unexpected `tool_use_id` found in `tool_result` blocks"),
    "result one turn late": (
        messages(U, assistant(use()), user(result()), A, user(result())),
        "messages.4.content.0: unexpected `tool_use_id`",
    ),
    "two results for one call": (
        messages(U, assistant(use()), user(result(), result())),
        "each tool_use must have a single result",
    ),
    "same id twice": (messages(U, assistant(use(), use()), user(result())), "`tool_use` ids must be unique"),
    "id with a colon": (messages(U, assistant(use("a:b")), user(result("a:b"))), "tool_use.id: String should match"),
    "arguments as text": (messages(U, assistant(use(input="{}")), user(result())), "should be a valid dictionary"),
    # Thoughts.
    "unsigned thought": (
        messages(U, assistant({"type": "thinking", "thinking": "Hm."}, text("x")), U),
        "messages.1.content.0.thinking.signature: Field required",
    ),
    "thought of another vendor": (
        messages(U, assistant(thought(signature=signatures.sign("gemini", "Hm.")), text("x")), U),
        "messages.1.content.0: Invalid `signature` in `thinking` block",
    ),
    "changed thought": (
        messages(U, assistant({**thought(), "thinking": "Hm!"}, text("x")), U),
        "Invalid `signature` in `thinking` block",
    ),
    "foreign redacted thought": (
        messages(U, assistant({"type": "redacted_thinking", "data": "eHg="}, text("x")), U),
        "Invalid `data` in `redacted_thinking` block",
    ),
    "loop without thought": (
        {"thinking": MANUAL, "tools": [TOOL], **messages(U, assistant(use()), user(result()))},
        "messages.1.content.0.type: Expected `thinking` or `redacted_thinking`, but found `tool_use`",
    ),
    # Cache marks.
    "five marks": (messages(user(*(text("x", cache_control=SHORT) for _ in range(5)))), "A maximum of 4 blocks"),
    "long after short": (
        messages(user(text("x", cache_control=SHORT), text("y", cache_control=LONG))),
        "messages.0.content.1.cache_control.ttl: a ttl='1h' cache_control block must not come after a ttl='5m'",
    ),
    "mark on empty text": (
        messages(user(text("", cache_control=SHORT))),
        "messages.0.content.0.text: cache_control cannot be set for empty text blocks",
    ),
    "mark on a thought": (
        messages(U, assistant({**thought(), "cache_control": SHORT}, text("x")), U),
        "thinking.cache_control: Extra inputs",
    ),
    # Media.
    "media type": (messages(user(image("image/bmp"))), "media_type: Input should be 'image/jpeg', 'image/png'"),
    "base64": (messages(user(image(data="no base64!"))), "image.source.base64: invalid base64 data"),
    "no image": (messages(user(image(data="aGVsbG8="))), "Could not process image"),
    "another image": (messages(user(image(data=GIF))), "appears to be a image/gif image"),
    "image in OpenAI's form": (messages(user({"type": "image_url", "image_url": {"url": "x"}})), "tag 'image_url'"),
    "no PDF": (messages(user({**image("application/pdf"), "type": "document"})), "The PDF specified was not valid"),
}  # fmt: skip


@pytest.mark.parametrize("case", REFUSED.values(), ids=REFUSED.keys())
def test_a_bad_request_is_refused_in_the_services_words(provider, case):
    members, words = case
    reply = asked(provider, members)
    assert reply.status == 400, reply.body
    assert reply.json["error"]["type"] == "invalid_request_error"
    assert words in reply.json["error"]["message"]


TAKEN = {
    "plain": {},
    "images": messages(user(image(), image("image/gif", GIF), text("x"))),
    "url": messages(user({"type": "image", "source": {"type": "url", "url": "https://a.example/x.png"}})),
    "joined turns": messages(U, U, A, A, U),
    "loop": messages(U, assistant(text("x"), use("a"), use("b")), user(result("a"), result("b"), text("go on"))),
    "results in two messages": messages(U, assistant(use("a"), use("b")), user(result("a")), user(result("b"))),
    "result without content": messages(U, assistant(use()), user({"type": "tool_result", "tool_use_id": "toolu_1"})),
    "image in a result": messages(U, assistant(use()), user(result(content=[image()]))),
    "loop with a thought": {
        "thinking": MANUAL,
        **messages(U, assistant(thought(), use("a")), user(result("a")), assistant(use("b")), user(result("b"))),
    },
    "adaptive loop without thought": {
        "model": "claude-opus-4-8",
        "thinking": {"type": "adaptive"},
        **messages(U, assistant(use()), user(result())),
    },
    "thought whose text was left out": messages(
        U, assistant(thought("", signatures.sign("anthropic", "Hm.")), text("x")), U
    ),
    "prefill": messages(U, A),
    "system in the middle": {
        "model": "claude-opus-4-8",
        **messages(U, A, U, {"role": "system", "content": "x"}, {"role": "system", "content": "y"}),
    },
    "default sampling on a late model": {"model": "claude-opus-4-8", "temperature": 1},
    "any tool with adaptive thinking": {
        "thinking": {"type": "adaptive"},
        "tools": [TOOL],
        "tool_choice": {"type": "any", "disable_parallel_tool_use": True},
    },
    "hosted search": {"tools": [{"type": "web_search_20250305", "name": "web_search", "max_uses": 2}, TOOL]},
    "marks": {
        "tools": [{**TOOL, "cache_control": LONG}],
        "system": [text("x", cache_control=LONG)],
        **messages(user(text("x", cache_control=SHORT))),
        "cache_control": SHORT,
    },
    "schema": {"output_config": {"effort": "low", "format": {"type": "json_schema", "schema": OBJECT}}},
}


@pytest.mark.parametrize("members", TAKEN.values(), ids=TAKEN.keys())
def test_a_good_request_is_taken(provider, members):
    reply = asked(provider, members)
    assert reply.status == 200, reply.body


NEWER = {
    "temperature": ({"temperature": 1}, "temperature"),
    "top_k": ({"top_k": 3}, "top_k"),
    "cited user text": (messages(user(text("x", citations=[{"type": "char_location"}]))), "citations"),
    "document of the assistant": (
        messages(
            U,
            assistant({"type": "document", "source": {"type": "text", "media_type": "text/plain", "data": "x"}}),
            U,
        ),
        "`document` blocks",
    ),
}


@pytest.mark.parametrize("case", NEWER.values(), ids=NEWER.keys())
def test_the_newer_version_takes_less(provider, case):
    members, words = case
    assert asked(provider, members).status == 200
    reply = asked(provider, members, version="2026-10-21")
    assert reply.status == 400
    assert words in reply.json["error"]["message"]


def test_a_version_is_required_and_known(provider):
    assert asked(provider, {}, version="").json["error"]["message"] == "anthropic-version: header is required"
    assert asked(provider, {}, version="2022-01-01").status == 400
    assert asked(provider, {}, version="2026-10-21").status == 200


def test_imitators_elsewhere_take_unknown_members_and_no_version(provider):
    body = {"model": "claude-x", "max_tokens": 9, "messages": [U], "extra": 1}
    assert send(provider, "POST", "/anthropic/v1/messages", body, **KEY).status == 200
