"""`Idempotency-Key`: a change that is asked for twice is made once, and the second answer is the first one again.

The change and its kept answer are one transaction: whoever is killed between them has made no change, and the next
request with the key makes it. What asks a provider meanwhile is made as it comes: no transaction waits for somebody
else's answer.

A key belongs to whoever asks, and holds for a day. Only what was done is kept: what was refused may be asked again. No
answer shows a client key a second time (security A1), so a repeated one has null in its place.
"""

import hashlib
import json
import re
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

from django.db import transaction
from django.http import HttpRequest, HttpResponse

from accounts import answered, keys
from accounts.acting import ActorKind
from accounts.answered import Answer, AskedOtherwise, Unfinished
from proxx.api.control.callers import SAFE_METHODS, Caller
from proxx.api.control.errors import Refused

HEADER = "idempotency-key"
LONGEST = 255
LARGEST = 256 * 1024  # characters of an answer; a change answers with one row
ASKS_A_PROVIDER = re.compile(
    r"/(?:oauth|sign-ins|probe|refresh|refresh-usage|reset-credits|rate-limit-reset-credit)(?:/|\Z)"
)
REPEATED = "idempotent-replayed"


@dataclass(frozen=True, slots=True)
class _Begun:
    """A change under its name, and the transaction in which it is made and its answer kept."""

    name: str
    together: ExitStack


def begin(request: HttpRequest, caller: Caller) -> HttpResponse | None:
    """Return the answer that was given before; None: go on, and let `end` hear the answer. Raises `Refused`."""
    said = request.headers.get(HEADER, "")
    if not said or request.method in SAFE_METHODS or caller.actor.kind == ActorKind.NOBODY:
        return None  # what anybody may send fills no table
    if len(said) > LONGEST or not said.isprintable():
        raise Refused(400, "invalid_idempotency_key", f"An Idempotency-Key has at most {LONGEST} printable characters.")
    name = _digest(caller.actor.kind, caller.actor.id, said)
    try:
        known = answered.begin(name, _digest(str(request.method), request.get_full_path(), request.body))
    except AskedOtherwise:
        message = "This Idempotency-Key was used for another request. Take a new one."
        raise Refused(422, "idempotency_key_reused", message) from None
    except Unfinished:
        refused = Refused(409, "idempotency_key_in_use", "The first request with this Idempotency-Key still runs.")
        refused.retry_after = 1.0
        raise refused from None
    if known is None:
        together = ExitStack()
        if not ASKS_A_PROVIDER.search(request.path_info):
            together.enter_context(transaction.atomic())
        request.idempotent = _Begun(name, together)  # type: ignore[attr-defined]
        return None
    response = HttpResponse(known.text, status=known.status, content_type="application/json")
    response[REPEATED] = "true"
    if known.mark:
        response["ETag"] = known.mark
    return response


def end(request: HttpRequest, response: HttpResponse) -> None:
    """Keep the answer to a change that was made; forget one that was not. If this raises, no change was made."""
    begun: _Begun | None = getattr(request, "idempotent", None)
    if begun is None:
        return
    text = response.content.decode()
    is_kept = 200 <= response.status_code < 300 and len(text) <= LARGEST
    try:
        with begun.together:
            if is_kept:
                kept = Answer(response.status_code, _without_keys(text), response.get("ETag", ""))
                answered.finish(begun.name, kept)
    except Exception:
        answered.give_up(begun.name)
        raise
    if not is_kept:
        answered.give_up(begun.name)


def abandon(request: HttpRequest, fault: BaseException) -> None:
    """Take back what a request changed that ends without an answer."""
    begun: _Begun | None = getattr(request, "idempotent", None)
    if begun is not None:
        begun.together.__exit__(type(fault), fault, fault.__traceback__)


def _digest(*parts: str | bytes) -> str:
    whole = hashlib.sha256()
    for part in parts:
        raw = part if isinstance(part, bytes) else part.encode()
        whole.update(b"%d:%b" % (len(raw), raw))
    return whole.hexdigest()


def _without_keys(text: str) -> str:
    if keys.TOKEN_MARK not in text:
        return text
    return json.dumps(_blanked(json.loads(text)))


def _blanked(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _blanked(one) for name, one in value.items()}
    if isinstance(value, list):
        return [_blanked(one) for one in value]
    return None if isinstance(value, str) and keys.looks_like_key(value) else value
