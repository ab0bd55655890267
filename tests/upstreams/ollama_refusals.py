"""How Ollama says no: one sentence under `error`. Its rows of the table in refusals.py."""

from collections.abc import Callable
from functools import partial

from tests.upstreams.answer import Refusal, seconds

Make = Callable[[float | None], Refusal]


def ollama(status: int, message: str, *headers: tuple[str, str]) -> Refusal:
    """Return a refusal in Ollama's envelope."""
    return Refusal(status, {"error": message}, headers)


def _signed_out(_: float | None) -> Refusal:
    return Refusal(401, {"error": "unauthorized", "signin_url": "https://ollama.com/connect?name=sim&key=sim"})


def _retry(status: int, message: str, after: float | None) -> Refusal:
    return ollama(status, message, ("retry-after", seconds(after)))


_PLAIN: dict[str, tuple[int, str]] = {
    "400": (400, "invalid request: something odd in 'messages'"),
    "400-context": (400, "the input length exceeds the context length"),
    "400-policy": (400, "the prompt was refused for its content"),
    "400-parameter": (400, '"the model" does not support thinking'),
    "402": (402, "this model requires a subscription, upgrade for access"),
    "403": (403, "this model requires a subscription, upgrade for access: https://ollama.com/upgrade"),
    "404": (404, "model 'the-model' not found"),
    "405": (405, "405 method not allowed"),
    "409": (409, "the model is being changed by another request"),
    "413": (413, "request body too large"),
    "422": (422, "the request could not be processed"),
    "429": (429, "too many concurrent requests"),
    "429-session": (429, "you have reached your session usage limit, please wait"),
    "429-weekly": (429, "you have reached your weekly usage limit, please upgrade"),
    "429-quota": (429, "you have reached your weekly usage limit, please upgrade"),
    "429-plan": (429, "you have reached your session usage limit, please wait"),
    "500": (500, "model runner has unexpectedly stopped, this may be due to resource limitations"),
    "502": (502, "upstream error"),
    "503": (503, "server busy, please try again. maximum pending requests exceeded"),
    "529": (529, "server busy, please try again. maximum pending requests exceeded"),
}

TABLE: dict[str, Make] = {
    **{f"{name}-ollama": partial(lambda row, _: ollama(*row), row) for name, row in _PLAIN.items()},
    "429-ollama-session": lambda _: ollama(*_PLAIN["429-session"]),
    "429-ollama-weekly": lambda _: ollama(*_PLAIN["429-weekly"]),
    "401-ollama": _signed_out,
    "403-retry-ollama": lambda after: _retry(403, "not just now", after),
    "503-retry-ollama": lambda after: _retry(503, "server busy, please try again", after),
}
