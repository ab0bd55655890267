"""One call in full, for its page: what happened when, why this account, what it cost, what was lost on the way.

Bars and tables of facts are pictures.py's. Who may look is admin.py's.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.http import HttpRequest
from django.urls import reverse
from django.utils.http import urlencode

from accounts.sanitized import PLAIN, Masks
from analytics import labels, pictures, queries, repricing, tags
from analytics.call_list import masks_of
from analytics.models import RequestAttempt, RequestLog
from routing import plan_notes, price_lines, pricing
from routing.models import PriceVersion
from routing.pages import NAMES

NANO = 1_000_000_000
SOURCES = {
    "console": "a price set in the console",
    "provider": "the provider's own list",
    "list": "the list of prices",
    "maker": "what the model's maker takes",
    "local": "the operator's own machines",
}
# Why no account was asked, by the code of the error, where the plan itself had somebody or was not written down.
UNASKED = {
    "all_keys_rate_limited": ["Every account that could serve the model rested, because its provider limits it."],
    "upstream_unavailable": ["Every account that could serve the model had failed too often just before, and rested."],
    "rate_limit_exceeded": ["A limit of the tenant or key had no room for the call."],
    "insufficient_quota": ["A budget of the tenant or key had no room for the call."],
}


@dataclass(frozen=True, slots=True)
class Step:
    """One thing that happened: how long after the call's start, what, and whether it was good (ok), bad (error), the
    client's doing (cancelled) or neither."""

    at: str
    text: str
    kind: str = ""


@dataclass(frozen=True, slots=True)
class Charge:
    """One line of the cost, as text."""

    name: str
    count: str
    rate: str
    amount: str


def context(request: HttpRequest, call: RequestLog) -> dict[str, Any]:
    """Return what the page's template takes. Four queries beside those for the call."""
    masks, attempts = masks_of(request), queries.attempts_of(call)
    asked = {"model": call.model_requested, "dialect": call.dialect, "caller": _caller(call)}
    explain = f"{reverse('admin:routing_policyrule_explain')}?{urlencode(asked)}"
    return {
        "call": call,
        "bars": pictures.bars(call, attempts, masks),
        "client_bar": pictures.client_bar(call, attempts),
        "marks": pictures.marks(call, attempts),
        "took": pictures.span(call.duration_ms),
        "steps": story(call, attempts, masks),
        "reasons": reasons(call, attempts),
        "explain": explain if request.user.has_perm("routing.view_policyrule") and call.model_requested else "",
        "cost": cost(call),
        "labels": labels.of(call),
        "tags": [(tag, masks.names(tag.added_by)) for tag in tags.of([call])[call.id]],
        "dropped": call.warnings,
        "translated": translated(call, attempts),
        **pictures.facts(call, masks),
    }


def story(call: RequestLog, attempts: Sequence[RequestAttempt], masks: Masks = PLAIN) -> list[Step]:
    """Return the life of a call, from its beginning to its end."""
    steps = [(0, 0, Step("0 ms", f"The request came in: {pictures.size(call.bytes_in)}."))]
    for one in attempts:
        end = one.started_ms + one.duration_ms
        who = f"{one.provider_id}{f' ({masks.accounts(one.account)})' if one.account else ''}"
        steps.append(
            (one.started_ms, one.number, Step(pictures.span(one.started_ms), f"{who} was asked for {one.model}."))
        )
        if one.headers_ms is not None and one.status is not None:
            said = f"{one.provider_id} began to answer with status {one.status}."
            steps.append((one.headers_ms, one.number, Step(pictures.span(one.headers_ms), said)))
        if one.failure:
            after = f", and asked us to wait {one.retry_after:g} s" if one.retry_after is not None else ""
            failed = f"{one.provider_id} failed: {one.failure.replace('_', ' ')}{after}."
            steps.append((end, one.number, Step(pictures.span(end), failed, "error")))
    if call.first_event_ms is not None:
        first = Step(pictures.span(call.first_event_ms), "The client got the first byte of its answer.")
        steps.append((call.first_event_ms, len(attempts) + 1, first))
    steps.append((call.duration_ms, len(attempts) + 2, _end(call, attempts)))
    return [step for _, _, step in sorted(steps, key=lambda one: one[:2])]


def _end(call: RequestLog, attempts: Sequence[RequestAttempt]) -> Step:
    at, sent = pictures.span(call.duration_ms), pictures.size(call.bytes_out)
    if call.outcome == "ok":
        return Step(at, f"The answer was complete: {sent}.", "ok")
    if call.outcome == "cancelled":
        when = "while it was waiting for a provider" if attempts else "before any provider was asked"
        if call.first_event_ms is not None:
            when = f"in the middle of the answer, after {sent}"
        return Step(at, f"The client left, {when}. The call was interrupted.", "cancelled")
    if call.outcome == "refused":
        return Step(at, f"The call was refused: {call.error_code or call.status}.", "refused")
    broke = call.first_event_ms is not None
    said = f"The answer broke off after {sent}" if broke else "The client got an error"
    return Step(at, f"{said}: {call.error_code or call.status}.", "error")


def reasons(call: RequestLog, attempts: Sequence[RequestAttempt]) -> list[str]:
    """Return why the account that answered was asked, or why none was, as far as it was written down."""
    noted = plan_notes.read(call.planned)
    if isinstance(noted, plan_notes.NotedRefusal):
        return plan_notes.sentences_of_refusal(noted, call.started_at + timedelta(milliseconds=call.duration_ms))
    if not attempts:
        return ["No account was asked.", *UNASKED.get(call.error_code, [])]
    first, last = attempts[0], attempts[-1]
    said = (
        [
            f"{first.provider_id} was asked first. {one}" if not place else one
            for place, one in enumerate(plan_notes.sentences(noted))
        ]
        if noted
        else []
    )
    for one, following in zip(attempts, attempts[1:], strict=False):
        said.append(f"It failed ({one.failure.replace('_', ' ') or 'no answer'}), so {following.provider_id} was next.")
    if len(attempts) > 1 and not last.failure:
        said.append(f"{last.provider_id} answered.")
    return said


def translated(call: RequestLog, attempts: Sequence[RequestAttempt]) -> str:
    """Return which dialect was spoken on the other side, where that was another one."""
    last = attempts[-1].protocol if attempts else ""
    if not last or last == call.dialect:
        return ""
    return f"Translated from {NAMES.get(call.dialect, call.dialect)} to {NAMES.get(last, last)} and back."


def cost(call: RequestLog) -> dict[str, Any]:
    """Return the lines of the cost, their sum, and which price was taken; one query."""
    total = pictures.cost(call) if call.cost_nano is None else dollars(call.cost_nano * pricing.MILLION)
    found: dict[str, Any] = {"state": pictures.PRICED.get(call.price_state, ""), "total": total}
    row = PriceVersion.objects.filter(pk=call.price_version).first() if call.price_version is not None else None
    price = pricing.from_dict(row.rates, source=row.source) if row is not None else None
    if row is None or price is None:
        return found | {"lines": []}
    lines = price_lines.lines(repricing.usage_of(call), price, repricing.buckets_of(call))
    return found | {
        "lines": [_charge(one) for one in lines],
        "version": f"{row.pk:016x}",
        "source": SOURCES.get(row.source, row.source or "unknown"),
        "since": row.first_used_at,
        "is_estimated": call.usage_state in pictures.ESTIMATED,
    }


def _charge(line: price_lines.PriceLine) -> Charge:
    each = "each" if line.is_pieces else "per million"
    rate = "–" if line.rate is None else f"{dollars(line.rate * pricing.MILLION)} {each}"
    return Charge(line.name, f"{line.count:,}", rate, "–" if line.amount is None else dollars(line.amount))


def dollars(millionths: int) -> str:
    """Return an amount in dollars, whole: no digit is dropped that counts."""
    whole, rest = divmod(millionths, NANO * pricing.MILLION)
    digits = f"{rest:015d}".rstrip("0")
    return f"${whole:,}.{digits:0<2}"


def _caller(call: RequestLog) -> str:
    return f"{call.tenant_id}/{call.key_id}" if call.key else str(call.tenant_id)
