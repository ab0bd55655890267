"""Error bodies in each vendor's manner, and what they are taken for."""

from typing import Any

import orjson

from proxx.upstream import failures
from proxx.upstream.failures import Failure


def openai(message: str = "", code: Any = None, type: str = "error_type") -> dict[str, Any]:
    return {"error": {"message": message, "type": type, "param": None, "code": code}}


def anthropic(type: str, message: str) -> dict[str, Any]:
    return {"type": "error", "error": {"type": type, "message": message}, "request_id": "req_1"}


def gemini(code: int, status: str, message: str, *details: dict[str, Any]) -> dict[str, Any]:
    return {"error": {"code": code, "message": message, "status": status, "details": list(details)}}


def quota(identity: str) -> dict[str, Any]:
    return {"@type": "type.googleapis.com/google.rpc.QuotaFailure", "violations": [{"quotaId": identity}]}


def seen(status: int | None, body: Any, headers: dict[str, str] | None = None) -> tuple[str, str]:
    """Kind and scope of an answer; status None is an error object inside a 200."""
    failure = full(status, body, headers)
    return (failure.kind, failure.scope)


def full(status: int | None, body: Any, headers: dict[str, str] | None = None) -> Failure:
    if status is None:
        return failures.from_error_object(body)
    raw = body.encode() if isinstance(body, str) else orjson.dumps(body)
    return failures.classify(status, headers or {}, raw)
