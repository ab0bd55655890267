"""Requests written for Claude models, for tests."""

import json
from typing import Any

from proxx.protocols.anthropic.write_request import write_request
from proxx.protocols.hub.losses import Losses
from proxx.protocols.hub.parts import Part, Text, Turn
from proxx.protocols.hub.request import Request
from proxx.protocols.spec import Written
from tests.protocols.anthropic.samples import target

HI = Turn("user", (Text("Hi"),))


def write(model: str = "claude-sonnet-4-5", losses: Losses | None = None, **request: Any) -> Written:
    told = {"dialect": "openai_chat", "model": "m", "turns": (HI,)} | request
    return write_request(Request(**told), target(model), losses or Losses())


def body(model: str = "claude-sonnet-4-5", losses: Losses | None = None, **request: Any) -> dict[str, Any]:
    return json.loads(write(model, losses, **request).body)


def messages(*turns: Turn, model: str = "claude-sonnet-4-5", losses: Losses | None = None, **request: Any) -> Any:
    return body(model, losses, turns=turns, **request)["messages"]


def user(*parts: Part | str) -> Turn:
    return Turn("user", tuple(Text(part) if isinstance(part, str) else part for part in parts))


def assistant(*parts: Part | str) -> Turn:
    return Turn("assistant", tuple(Text(part) if isinstance(part, str) else part for part in parts))


def system(text: str, role: str = "system") -> Turn:
    return Turn(role, (Text(text),))


def text(text: str, **more: Any) -> dict[str, Any]:
    return {"type": "text", "text": text, **more}
