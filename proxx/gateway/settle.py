"""How a call ends: its usage, its record, its upstream closed. Hung on the request's task, so it runs once, however
it ends.

Being a done-callback it never awaits. The record is offered first: after that line a crash loses nothing.
"""

import asyncio
from typing import Any
from uuid import UUID

from accounts.keys import KeyHolder
from analytics import queue, traces, traits
from analytics.record import AttemptRecord, UsageRecord
from proxx.gateway import charge, keepsakes, overheard, recall
from proxx.gateway.call import Attempt, Call
from proxx.gateway.errors import GatewayError, NotFound
from proxx.kit import clock
from proxx.protocols.hub.events import Usage
from proxx.protocols.spec import Seen
from routing import affinity, buckets, health, plan_notes, price_versions, pricing, quota
from routing.buckets import Buckets
from routing.snapshot.views import OWN_KEY

BYTES_PER_TOKEN = 4  # the usual rule of thumb for English text; every use is marked as an estimate
MESSAGE_LIMIT = 240
END_PATIENCE = 1.0  # seconds an upstream may take to close a message whose end mark we have seen


# What an answer cost, how that is known, by which price, and that price if the database may not have it yet.
Paid = tuple[int | None, str, int | None, dict[str, Any] | None]

NOTHING_USED: Paid = (None, "none", None, None)
UNPRICED: Paid = (None, "unpriced", None, None)
UNKNOWN = Usage()


def when_done(call: Call) -> None:
    """Settle this call when the current task ends: answered, failed, or cancelled at any await."""
    task = asyncio.current_task()
    if task is None:
        raise RuntimeError("a call is settled at the end of its task, and there is none")
    task.add_done_callback(lambda _: finish(call))


def failed(call: Call, error: GatewayError) -> None:
    """Note the error that a call ends with. It was refused if it was not acceptable before a provider had said a word,
    or if nobody knows its model; all else is a failure of a provider's or ours."""
    is_ours = all(attempt.status is None for attempt in call.attempts) or isinstance(error, NotFound)
    is_refused = error.refuses and is_ours
    call.outcome = "refused" if is_refused else "error"
    call.status, call.error_code = error.status, error.facts.code or error.facts.kind


def finish(call: Call) -> None:
    """Settle a call, once. Called with the last byte of an answer, else at the end of its task.

    With the last byte: under load a task's callbacks run a whole turn of the loop later, and a crash in that turn would
    lose the record of an answer that its client has already read.
    """
    if call.settled:
        return
    call.settled = True
    now = clock.monotonic()
    winner = call.attempts[-1] if call.attempts and call.attempts[-1].failure is None else None
    if winner is not None:
        winner.ended = now
    record = _record(call, winner, now)
    if call.held is not None:
        charge.settle(call, call.held, record)
    queue.offer(record)
    if call.bodies is not None:
        overheard.over(call, call.bodies)
    traces.offer(record, call.traceparent)
    if call.envelope.stream:
        _measure(call)
    if winner is not None:
        health.done(winner.candidate.key)
        if call.outcome == "ok":
            health.good(winner.candidate.key, winner.candidate.model)
        _remember(call, winner)
    if call.own_key is not None:
        health.forget(call.own_key.id)
    if call.seen is not None and call.seen.blobs:
        keepsakes.keep(call.tenant.id, call.seen.blobs)
    recall.remember_account(call)
    if call.response is not None:
        if call.outcome == "ok":
            call.response.finish_later(END_PATIENCE)
        else:
            call.response.abandon()


def _measure(call: Call) -> None:
    """Tell how long each account took to its first event; one that was given up waiting for took at least that long.

    Of streams only: a whole answer waits for its last word.
    """
    for attempt in call.attempts:
        until = attempt.first_event_at
        if until is None and attempt.failure is not None and attempt.failure.kind == "timed_out":
            until = attempt.ended
        if until is not None:
            health.spoke(attempt.candidate.key, attempt.candidate.model, until - attempt.started)


def _remember(call: Call, winner: Attempt) -> None:
    """Tell where this turn of a conversation was answered; one that the client did not hear to its end counts, too."""
    belonging = call.plan.belonging if call.plan is not None else None
    if belonging is None or winner.first_event_at is None or call.outcome not in ("ok", "cancelled"):
        return
    bound = belonging.bound.get(winner.candidate.place)
    if bound is None:
        return
    spent = bound in quota.spent or any(
        one.failure is not None and one.failure.kind == "quota_spent"
        for one in call.attempts
        if one.candidate.key == bound
    )
    affinity.spoke(belonging.conversation, winner.candidate, bound=bound, lets_go=spent)


def _record(call: Call, winner: Attempt | None, now: float) -> UsageRecord:
    usage, state = _usage(call)
    last = winner or (call.attempts[-1] if call.attempts else None)
    tokens = buckets.of(usage)
    cost, price_state, version, price = NOTHING_USED if state == "none" else _cost(call, last, usage, tokens)
    holder: KeyHolder = call.holder
    return UsageRecord(
        id=call.id,
        tenant_id=holder.tenant_id,
        key_id=holder.key_id,
        endpoint=call.endpoint,
        dialect=call.dialect.name,
        stream=call.envelope.stream,
        model_requested=call.envelope.model[:200],
        model_routed=last.candidate.model[:200] if last else "",
        provider_id=last.candidate.provider.id if last else "",
        credential_id=_credential_id(last) if last else None,
        status=call.status,
        outcome=call.outcome,
        error_code=call.error_code,
        duration_ms=_ms(now - call.started),
        first_event_ms=None if call.first_event_at is None else _ms(call.first_event_at - call.started),
        bytes_in=len(call.envelope.body),
        bytes_out=call.bytes_out,
        client_address=call.client_address,
        user_agent=call.user_agent[:200],
        request_id=call.client_request_id,
        input_tokens=usage.input_total,
        cache_read_tokens=None if usage.cache_read is None else tokens.cache_read,
        cache_write_tokens=None if usage.cache_write is None else tokens.cache_write,
        output_tokens=usage.output_total,
        reasoning_tokens=None if usage.reasoning is None else tokens.reasoning,
        usage_state=state,
        cost_nano=cost,
        price_state=price_state,
        warnings=call.warnings,
        attempts=[_attempt_record(call, attempt, now) for attempt in call.attempts],
        tokens=tokens,
        pictures=usage.pictures,
        server_tools=usage.web_searches,
        service_tier=usage.tier,
        price_version=version,
        price=price,
        conversation=_conversation(call),
        traits=traits.of(call.envelope.traits) | (traits.of_ending(call.seen.finish) if call.seen is not None else 0),
        planned=_planned(call),
    )


def _planned(call: Call) -> str:
    return plan_notes.written(call.plan, call.attempts[0].candidate if call.attempts else None) if call.plan else ""


def _conversation(call: Call) -> str:
    """Return the digest of its conversation, as far as the plan asked for it: where several accounts could answer."""
    belonging = call.plan.belonging if call.plan is not None else None
    return f"{belonging.conversation:016x}" if belonging is not None else ""


def _usage(call: Call) -> tuple[Usage, str]:
    """Return what the provider reported, and the word for that; where it reported nothing, or nothing that can be
    believed, an estimate."""
    seen = call.seen
    if seen is None:
        return UNKNOWN, "none"
    usage = seen.usage
    if usage is None:
        return (_estimate(call, seen), "estimated") if call.dialect.estimates else (UNKNOWN, "none")
    if why := buckets.doubt(usage):
        call.warnings.append(f"usage: {why}, so it was replaced by an estimate")
        return _estimate(call, seen) if call.dialect.estimates else UNKNOWN, "replaced"
    return usage, "estimated" if usage.estimated else "reported"


def _estimate(call: Call, seen: Seen) -> Usage:
    """Bytes in, and one token per event or four bytes out."""
    out = seen.frames if call.envelope.stream else call.bytes_out // BYTES_PER_TOKEN
    return Usage(input_total=len(call.envelope.body) // BYTES_PER_TOKEN, output_total=out, estimated=True)


def _cost(call: Call, last: Attempt | None, usage: Usage, tokens: Buckets) -> Paid:
    """Return what the answer cost in whole nano-dollars, how that is known, and by which price."""
    if last is None:
        return NOTHING_USED
    price = call.snapshot.facts_of(last.candidate.provider.id, last.candidate.model).price
    cost = pricing.cost(usage, price, tokens)
    if cost is None or price is None:
        return UNPRICED
    if price.is_free:
        return cost, "free", None, None
    if usage.tier and not price.knows(usage.tier):
        call.warnings.append(f"price: no rates of the service tier {usage.tier}, so the usual ones were taken")
    if usage.web_searches and price.search is None:
        call.warnings.append("price: web searches have no rate, so they are not in the cost")
    version = price_versions.version_of(price)
    return cost, "priced", version, price_versions.to_tell(version, price)


def _attempt_record(call: Call, attempt: Attempt, now: float) -> AttemptRecord:
    candidate, failure = attempt.candidate, attempt.failure
    ended = attempt.ended if attempt.ended is not None else now
    return AttemptRecord(
        number=attempt.number,
        provider_id=candidate.provider.id,
        credential_id=_credential_id(attempt),
        account=candidate.account,
        model=candidate.model[:200],
        protocol=candidate.protocol,
        status=attempt.status,
        failure=failure.kind if failure else "",
        message=failure.message[:MESSAGE_LIMIT] if failure else "",
        retry_after=failure.retry_after if failure else None,
        started_ms=_ms(attempt.started - call.started),
        headers_ms=None if attempt.headers_at is None else _ms(attempt.headers_at - call.started),
        first_event_ms=None if attempt.first_event_at is None else _ms(attempt.first_event_at - call.started),
        duration_ms=_ms(ended - attempt.started),
    )


def _credential_id(attempt: Attempt) -> UUID | None:
    """A key that the caller brought is no credential of ours: nothing of it is recorded."""
    credential = attempt.candidate.credential
    return credential.id if credential is not None and credential.kind != OWN_KEY else None


def _ms(seconds: float) -> int:
    return max(0, round(seconds * 1000))
