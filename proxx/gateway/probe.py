"""A probe of one account: a tiny request to it and to nobody else, and what came of it (F-184).

It goes the way of any call (address, headers, translation) but past the planner: rests, spent quota and limits do not
count, and nothing is recorded or learned of it, save what the answer's headers say of the quota. Blocking, with
connections of its own: it must not meddle with the facts that belong to the loop of the calls.
"""

import asyncio
from dataclasses import dataclass
from uuid import UUID

from accounts.key_memory import KeyHolder
from accounts.models import DEFAULT_TENANT_ID
from oauth import plan_headers, readiness, refresh
from proxx.gateway import asking, posting, translate
from proxx.gateway.attempt import ERROR_BODY_LIMIT, ERROR_BODY_PATIENCE, FAULTS, discreet
from proxx.gateway.call import Call
from proxx.kit import clock, fastjson, ids
from proxx.kit.configured import settings
from proxx.protocols import registry
from proxx.protocols.hub.errors import Inexpressible
from proxx.upstream import client, failures
from proxx.upstream.failures import Failure
from proxx.upstream.message import HeaderList, ReplyTooLarge
from proxx.upstream.opening import opened
from routing import doors, quota, quota_share, quota_store
from routing.auto import seen
from routing.planner import Candidate
from routing.quota import Standing
from routing.snapshot import CredentialView, Snapshot, TenantView, build

SECONDS = 30.0
DIALECT = "openai_chat"
WORD = "hello"
ASKED = f"Answer with the single word {WORD}."
SHOWN = 120  # characters of what was said
NOBODY = "It is switched off, expired, has to be signed in again, or its provider is off."
NO_MODEL = "No model is known that could be asked: name one."
LATE = f"There was no answer within {SECONDS:.0f} seconds."


@dataclass(frozen=True, slots=True)
class Probed:
    """What came of it. `fault` is empty if the account answered; `is_word`: with the very word that was asked for."""

    model: str = ""
    said: str = ""
    is_word: bool = False
    seconds: float = 0.0
    status: int | None = None
    fault: str = ""


def probe(key: UUID, model: str = "") -> Probed:
    """Ask one account for a word; without a model the cheapest one that its provider lists."""
    snapshot = build()
    account = next((one for held in snapshot.credentials.values() for one in held if one.id == key), None)
    if account is None:
        return Probed(model, fault=NOBODY)
    name = model.strip() or _cheapest(account.provider_id, snapshot)
    if not name:
        return Probed(fault=NO_MODEL)
    candidate = _candidate(account, name, snapshot)
    if isinstance(candidate, str):
        return Probed(name, fault=f"{name} cannot be asked here: {candidate.replace('_', ' ')}.")
    heard: HeaderList = []
    found = asyncio.run(_closing(candidate, snapshot, heard))
    _keep(candidate, heard)
    return found


def _cheapest(provider_id: str, snapshot: Snapshot) -> str:
    found = [(one, stop.model) for one in seen(snapshot) for stop in one.stops if stop.provider_id == provider_id]
    if not found:
        return ""

    def price(pair: tuple[object, str]) -> tuple[bool, float]:
        known = snapshot.facts_of(provider_id, pair[1]).price
        blended = known.blended if known is not None else None
        return blended is None, blended or 0.0

    return min(found, key=price)[1]


def _candidate(account: CredentialView, model: str, snapshot: Snapshot) -> Candidate | str:
    """Return the account as one that may be asked, or the code of why it may not."""
    provider = snapshot.providers[account.provider_id]
    door = doors.at(provider, (account.kind == "oauth_bearer", account.base_url), model, doors.wanted((DIALECT,)))
    if door.fault:
        return door.fault
    return Candidate(provider, account, model, door.protocol, door.url, account.id, door.quirks)


async def _closing(candidate: Candidate, snapshot: Snapshot, heard: HeaderList) -> Probed:
    began = clock.monotonic()
    try:
        if not await _is_good(candidate):
            return Probed(candidate.model, fault=readiness.ENDED)
        async with asyncio.timeout(SECONDS):
            found = await _asked(_call(candidate.model, snapshot), candidate, heard)
    except TimeoutError:
        found = Probed(candidate.model, fault=LATE)
    except FAULTS as fault:
        found = _failed(candidate, failures.from_exception(fault), None)
    except Inexpressible as fault:
        found = Probed(candidate.model, fault=fault.message)
    except (ReplyTooLarge, translate.NoReply):
        found = Probed(candidate.model, fault="The answer cannot be read.")
    finally:
        await refresh.finish()
        await client.close_all()
    return Probed(found.model, found.said, found.is_word, clock.monotonic() - began, found.status, found.fault)


async def _is_good(candidate: Candidate) -> bool:
    """Renew the token of a signed-in account if it is time to; tell whether there is one to ask with."""
    credential = candidate.credential
    return credential is None or not credential.sign_in or await readiness.made_good(credential.id) is not None


def _call(model: str, snapshot: Snapshot) -> Call:
    dialect, now = registry.get(DIALECT), clock.monotonic()
    body = fastjson.dumps({"model": model, "messages": [{"role": "user", "content": ASKED}]})
    holder = KeyHolder(None, DEFAULT_TENANT_ID, "", "probe", frozenset(), None, "admin")
    tenant = snapshot.tenants.get(DEFAULT_TENANT_ID) or TenantView(DEFAULT_TENANT_ID, "", True, False)  # noqa: FBT003
    return Call(
        id=ids.new(),
        started=now,
        deadline=now + SECONDS,
        endpoint="probe",
        dialect=dialect,
        envelope=dialect.read_envelope(body),
        holder=holder,
        tenant=tenant,
        snapshot=snapshot,
    )


async def _asked(call: Call, candidate: Candidate, heard: HeaderList) -> Probed:
    chosen = asking.route(call, candidate)
    response = opened(await client.send(posting.request(call, candidate, chosen)))
    heard.extend(response.raw_headers)
    if not 200 <= response.status < 300:
        body = await response.read_some(ERROR_BODY_LIMIT, ERROR_BODY_PATIENCE)
        failure = failures.classify(response.status, response.headers, body)
        return _failed(candidate, failure, response.status)
    body = await response.read(settings.PROXY_REPLY_LIMIT)
    seen_of_it, written = translate.whole(call, chosen, [body])
    if seen_of_it.error is not None:
        return _failed(candidate, failures.from_error_object(seen_of_it.error), response.status)
    if seen_of_it.malformed or not written:
        return Probed(candidate.model, status=response.status, fault="The answer cannot be read, or is empty.")
    said = _text(written)
    return Probed(candidate.model, discreet(said, candidate)[:SHOWN], WORD in said.lower(), status=response.status)


def _keep(candidate: Candidate, heard: HeaderList) -> None:
    """Keep what the answer's headers say of the quota, as of any answer."""
    usage, key = plan_headers.read(candidate.provider.quota, heard), candidate.key
    if usage is not None and isinstance(key, UUID):
        told = {key: Standing(quota.joined(quota.standings.get(key), usage), clock.unix(), "headers")}
        quota_store.save(told)
        quota_share.tell(told)


def _failed(candidate: Candidate, failure: Failure, status: int | None) -> Probed:
    kind = failure.kind.replace("_", " ")
    said = discreet(failure.message, candidate)[:SHOWN]
    return Probed(candidate.model, status=status, fault=f"{kind}: {said}" if said else f"{kind}.")


def _text(written: bytes) -> str:
    """Return what the model said, of an answer in the probe's dialect."""
    try:
        content = fastjson.loads(written)["choices"][0]["message"]["content"]
    except (ValueError, LookupError, TypeError):
        return ""
    return content.strip() if isinstance(content, str) else ""
