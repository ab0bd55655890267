"""The straight walk of one call: plan, admit, find a candidate that speaks, stream it back. Settling is hung on the
task first.

Where it goes next: planner (routing), admit, failover, attempt, pump; settle when the task ends.
"""

import asyncio
from functools import partial

from proxx.gateway import admit, failover, overheard, pump, recall, settle, translate
from proxx.gateway.asked import CallQuestion
from proxx.gateway.attempt import Speaking
from proxx.gateway.call import Call
from proxx.gateway.errors import GatewayError
from proxx.gateway.pump import Reply
from proxx.kit import clock
from proxx.kit.configured import settings
from routing import planner
from routing.planner import Plan


async def handle(call: Call) -> Reply:
    """Answer one call; raise the `GatewayError` that its caller should see."""
    settle.when_done(call)  # first: a stream that never starts has no `finally` to settle in
    try:
        await recall.resolve(call)
        call.plan = _ordered(call)
        if call.snapshot.limits:
            await admit.reserve(call)
        here = translate.answered_here(call)
        # An answer whose content type is the provider's cannot be begun before the provider's.
        if here is not None:
            reply = pump.reply_here(call, here)
        elif call.envelope.stream and settings.PROXY_COMMIT_AFTER and not call.dialect.keeps_type:
            reply = await _soon_or_early(call)
        else:
            reply = pump.reply(call, await failover.first_to_speak(call, call.plan, partial(_ordered, call)))
        if call.whole is not None or call.seen is None:
            await _keep(call, reply)
    except GatewayError as error:
        settle.failed(call, error)
        if call.bodies is not None:
            overheard.refused(call, call.bodies, error)
        raise
    except Exception:  # not cancellation, which is already the default outcome
        call.outcome, call.status, call.error_code = "error", 500, "internal_error"
        raise
    reply.sent = partial(settle.finish, call)
    if call.bodies is not None:
        overheard.told(call.bodies, reply)
    return reply


def _ordered(call: Call) -> Plan:
    plan = recall.in_order(call, _plan(call))
    return plan if call.held is None else admit.priced(call, plan)


def _plan(call: Call) -> Plan:
    prefer = call.options.prefer if call.options is not None else ""
    if call.own_key is not None:
        return planner.with_own_key(
            model=call.envelope.model,
            dialect=call.dialect.name,
            provider_id=call.own_key.provider_id,
            credential=call.own_key,
            snapshot=call.snapshot,
            who=call.snapshot.restricted(call.tenant.id, None),
            prefer=prefer,
        )
    return planner.plan(
        model=call.envelope.model,
        dialect=call.dialect.name,
        tenant=call.tenant,
        snapshot=call.snapshot,
        now=clock.monotonic(),
        prefer=prefer,
        key=call.holder.key_id,
        lists=call.holder.lists,
        question=CallQuestion(call),
    )


async def _keep(call: Call, reply: Reply) -> None:
    """Keep an answer that the client may refer to, before it has all of it."""
    if reply.pieces is None:
        await recall.keep(call)
    else:
        reply.pieces = recall.keeping(call, reply.pieces)


async def _soon_or_early(call: Call) -> Reply:
    """Wait for the first event only so long; then commit the stream and go on waiting inside it."""
    if call.plan is None:
        raise TypeError("a call is planned before it is spoken")
    waiting: asyncio.Task[Speaking] = asyncio.create_task(
        failover.first_to_speak(call, call.plan, partial(_ordered, call)), name="first-to-speak"
    )
    try:
        done, _ = await asyncio.wait({waiting}, timeout=settings.PROXY_COMMIT_AFTER)
    except asyncio.CancelledError:
        waiting.cancel()
        raise
    return pump.reply(call, waiting.result()) if done else pump.reply_early(call, waiting)
