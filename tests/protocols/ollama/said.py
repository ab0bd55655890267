"""Lines as an Ollama server writes them, after its own documentation."""

import json

AT = "2026-11-21T13:00:00.123456789Z"


def line(content="", *, done=False, **more):
    message = {"role": "assistant", "content": content}
    for name in ("thinking", "tool_calls"):
        if name in more:
            message[name] = more.pop(name)
    told = {"model": "up", "created_at": AT, "message": message, "done": done, **more}
    return json.dumps(told, separators=(",", ":"), ensure_ascii=False).encode() + b"\n"


def generated(response="", *, done=False, **more):
    told = {"model": "up", "created_at": AT, "response": response, "done": done, **more}
    return json.dumps(told, separators=(",", ":"), ensure_ascii=False).encode() + b"\n"


def last(reason="stop", **counts):
    return line(done=True, done_reason=reason, total_duration=5, load_duration=1, **counts)


def call(name="f", **arguments):
    return {"function": {"name": name, "arguments": arguments}}
