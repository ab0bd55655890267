"""What a Responses call refers to: put in place before the walk, and kept after it.

A response that was kept here (kept.py) is spelt out as input, and the call is then a translated one whoever answers:
the provider knows nothing of the id, and the next one must be ours again. Any other id is the provider's own business:
the call goes to the account that made it, as far as this process remembers, else to whoever speaks the dialect. Tenants
share accounts, never conversations: a response that this process knows for another tenant's is as good as unknown.
"""

from collections import OrderedDict
from collections.abc import AsyncGenerator
from contextlib import aclosing, suppress
from dataclasses import replace
from urllib.parse import unquote
from uuid import UUID

import msgspec

from proxx.gateway import kept
from proxx.gateway.call import Call, Recalled
from proxx.gateway.errors import BadRequest, NotFound, TooLarge
from proxx.gateway.kept import Kept
from proxx.kit.configured import settings
from proxx.protocols.framing.lenient import FAULTS, decode
from proxx.protocols.framing.members import Unclear, replaced, with_first
from proxx.protocols.hub.conversation import traits_of
from routing.planner import Plan

DIALECT = "openai_responses"
NOT_FOUND = "previous_response_not_found"
ACCOUNTS_AT_MOST = 20_000

_PREVIOUS, _REFERENCE = b'"previous_response_id"', b'"item_reference"'

# For which tenant which account made a response that its provider keeps, by response id.
_accounts: OrderedDict[str, tuple[UUID | None, UUID | str]] = OrderedDict()


class _Asked(msgspec.Struct):
    input: str | list[msgspec.Raw] | None = None
    previous_response_id: str | None = None


class _Kind(msgspec.Struct):
    type: str = ""
    id: str = ""


_asked = msgspec.json.Decoder(_Asked)
_kind = msgspec.json.Decoder(_Kind)


async def resolve(call: Call) -> None:
    """Put kept items in the place of references to them; what is not kept here stays as it is."""
    body = call.envelope.body
    if call.dialect.name != DIALECT or (_PREVIOUS not in body and _REFERENCE not in body):
        return
    try:
        asked = decode(_asked, body)
    except FAULTS:
        return  # whoever reads it whole says what is wrong
    owner = kept.owner_of(call.holder)
    previous = asked.previous_response_id or ""
    before = await kept.history(owner, previous) if previous else None
    given = items_of_input(asked.input)
    own = await _with_referred(owner, given)
    call.refers = previous if before is None else ""
    if call.refers:
        _refuse_foreign(call, call.refers)
    if before is None and own is given:
        return
    call.recalled = Recalled("" if before is None else previous, own)
    spelt = _spelt_out(body, [*(before or ()), *own], with_previous=before is None)
    # Only the whole input begins alike in each turn.
    call.envelope = msgspec.structs.replace(call.envelope, body=spelt, traits=traits_of(spelt))


def check_passed(call: Call, path: str) -> None:
    """Refuse a call that goes up as it came and names, in its body or its path, another tenant's response."""
    steps = [unquote(step) for step in path.strip("/").split("/")]
    if "responses" in steps[:-1] and _is_foreign(call, id := steps[steps.index("responses") + 1]):
        raise NotFound(f"Response with id '{id[:100]}' not found.", code="response_not_found", param="id")
    if call.dialect.name == DIALECT and _PREVIOUS in call.envelope.body:
        with suppress(*FAULTS):  # the provider says what is wrong
            _refuse_foreign(call, decode(_asked, call.envelope.body).previous_response_id or "")


def _refuse_foreign(call: Call, id: str) -> None:
    if _is_foreign(call, id):
        message = f"Previous response with id '{id}' not found."
        raise BadRequest(message, code=NOT_FOUND, param="previous_response_id")


def _is_foreign(call: Call, id: str) -> bool:
    """Tell whether this process knows that a response was made for another tenant."""
    return _accounts.get(id, (call.tenant.id,))[0] != call.tenant.id


def in_order(call: Call, plan: Plan) -> Plan:
    """Return the plan with the account first that made what the call refers to, then those who may know it."""
    if not call.refers or len(plan.candidates) < 2:
        return plan
    _, maker = _accounts.get(call.refers, (None, None))
    ordered = sorted(plan.candidates, key=lambda one: (one.key != maker, one.protocol != DIALECT))
    return replace(plan, candidates=tuple(ordered))


def remember_account(call: Call) -> None:
    """Remember who made a response that its provider keeps."""
    if call.seen is None or not call.seen.reply_id or call.whole is not None or not call.attempts:
        return
    _accounts[call.seen.reply_id] = call.tenant.id, call.attempts[-1].candidate.key
    if len(_accounts) > ACCOUNTS_AT_MOST:
        _accounts.popitem(last=False)


async def keep(call: Call) -> None:
    """Keep the call's answer, if it is one that may be referred to and that its provider does not keep."""
    resource = call.whole() if call.whole is not None else b""
    call.whole = None
    if not resource:
        return
    try:
        own = call.recalled.input if call.recalled else items_of_input(decode(_asked, call.envelope.body).input)
    except FAULTS:
        return
    previous = call.recalled.previous if call.recalled else ""
    made = Kept(f"resp_{call.id.hex}", previous, own, msgspec.Raw(resource))
    await kept.keep(kept.owner_of(call.holder), made)


async def keeping(call: Call, pieces: AsyncGenerator[bytes, None]) -> AsyncGenerator[bytes, None]:
    """Pass a stream on; before its end is sent the response is kept, for the client may refer to it at once."""
    async with aclosing(pieces):
        async for piece in pieces:
            if call.outcome == "ok" and call.whole is not None:
                await keep(call)
            yield piece


def items_of_input(given: str | list[msgspec.Raw] | None) -> list[msgspec.Raw]:
    """Return an input as items: a bare text is the user's message."""
    if isinstance(given, str):
        message = {"type": "message", "role": "user", "content": [{"type": "input_text", "text": given}]}
        return [msgspec.Raw(msgspec.json.encode(message))]
    return given or []


async def _with_referred(owner: str, items: list[msgspec.Raw]) -> list[msgspec.Raw]:
    """Return the items with those in the place of an item_reference that are kept here; the same list if none is."""
    named = {place: id for place, raw in enumerate(items) if (id := _referred(bytes(raw)))}
    found = await kept.items(owner, named.values()) if named else {}
    if found.keys().isdisjoint(named.values()):
        return items
    return [found.get(named.get(place, ""), raw) for place, raw in enumerate(items)]


def _referred(raw: bytes) -> str:
    if _REFERENCE not in raw:
        return ""
    try:
        item = decode(_kind, raw)
    except FAULTS:
        return ""
    return item.id if item.type == "item_reference" else ""


def _spelt_out(body: bytes, items: list[msgspec.Raw], *, with_previous: bool) -> bytes:
    written = msgspec.json.encode(items)
    try:
        spelt = replaced(body, b"input", written)
        if spelt is body:
            spelt = with_first(body, b'"input":' + written)
        if not with_previous:
            spelt = replaced(spelt, b"previous_response_id", b"null")
    except (Unclear, *FAULTS):
        raise BadRequest("The body's 'input' and 'previous_response_id' must be written plainly.") from None
    if len(spelt) > settings.PROXY_BODY_LIMIT:
        raise TooLarge("The conversation that 'previous_response_id' names has become too large for one request.")
    return spelt
