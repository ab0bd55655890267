"""Credits with which an account of ChatGPT begins a used-up window anew: how many there are, and the use of one.

The backend has the pair of paths twice, an older and a newer one; the second is tried only where the first is not
there. A use that was sent and not answered may have counted: sent again under its own name, it counts once.
"""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from proxx.kit import fastjson
from proxx.upstream import auth, client, codex, failures
from proxx.upstream.message import HeaderList, Timeouts, UpstreamRequest

ANSWER_LIMIT = 256 * 1024
DEEPEST = 6  # objects inside objects that are looked into
TRANSPORT_FAULTS = tuple(fault for fault, _ in failures.EXCEPTIONS)
PATHS = (("/api/codex/rate-limit-reset-credits", "idempotencyKey"), ("/wham/rate-limit-reset-credits",
                                                                    "redeem_request_id"))  # fmt: skip
COUNTS = ("availableCount", "available_count", "available", "amount", "remaining", "balance")


class CreditsUnknown(Exception):
    """The provider did not do or say it; the text is one sentence for the operator."""


async def read(*, base_url: str, headers: HeaderList, seconds: float) -> int:
    """Return how many credits an account has; raise `CreditsUnknown`."""
    said = await _asked("GET", base_url, "", headers, seconds, None)
    count = _count(said, DEEPEST)
    if count is None:
        raise CreditsUnknown("The answer names no number of credits.")
    return count


async def use(*, base_url: str, headers: HeaderList, seconds: float, redemption: UUID) -> None:
    """Use one credit; `redemption` names this use, so that it counts once. Raise `CreditsUnknown`."""
    await _asked("POST", base_url, "/consume", headers, seconds, redemption)


async def _asked(
    method: str, base_url: str, tail: str, headers: HeaderList, seconds: float, redemption: UUID | None
) -> Any:
    base = base_url.rstrip("/").removesuffix("/codex")
    status = 404
    for path, name in PATHS:
        body = fastjson.dumps({name: str(redemption)}) if redemption is not None else b""
        status, said = await _exchange(method, f"{base}{path}{tail}", headers, seconds, body)
        if status != 404:
            break
    if 200 <= status < 300:
        return said
    if status == 404:
        raise CreditsUnknown("This account knows no such credits.")
    raise CreditsUnknown(f"The provider said {status}.")


async def _exchange(method: str, url: str, headers: HeaderList, seconds: float, body: bytes) -> tuple[int, Any]:
    timeouts = Timeouts(connect=seconds, headers=seconds, idle=seconds)
    kind = [(b"content-type", b"application/json")] if body else []
    try:
        response = await client.send(UpstreamRequest(method, client.url(url), [*headers, *kind], body, timeouts))
        try:
            answer = await response.read(ANSWER_LIMIT)
        finally:
            await response.aclose()
    except TRANSPORT_FAULTS as fault:
        raise CreditsUnknown(failures.from_exception(fault).message) from None
    try:
        return response.status, fastjson.loads(answer) if answer.strip() else {}
    except ValueError:
        return response.status, {}


def account_headers(secret: str, account_id: str) -> HeaderList:
    """Return the headers by which the backend knows an account."""
    usual = [(b"accept", b"application/json"), (b"accept-encoding", b"identity")]
    return [*usual, *codex.usual(), *auth.headers("bearer", secret), *auth.workspace(account_id)]


def _count(said: Any, depth: int) -> int | None:
    """Return the first number of credits that is named, the outer objects first."""
    if depth <= 0:
        return None
    inner: list[Any] = []
    if isinstance(said, Mapping):
        for name in COUNTS:
            found = said.get(name)
            if isinstance(found, int | float) and not isinstance(found, bool) and 0 <= found < 1e9:
                return int(found)
        inner = list(said.values())
    elif isinstance(said, list):
        inner = said[:100]
    return next((found for one in inner if (found := _count(one, depth - 1)) is not None), None)
