"""A call as one line of the console's list: every text as it is shown, so that the template only places it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from accounts.sanitized import PLAIN, Masks
from analytics import pictures
from analytics.models import CallTag, RequestLog


@dataclass(frozen=True, slots=True)
class CallRow:
    """One line. `model` is what was asked for, `routed` what answered where that is another name."""

    id: UUID
    at: str
    day: str
    outcome: str
    result: str
    error: str
    model: str
    routed: str
    provider: str
    account: str
    tenant: str
    key: str
    tokens: str
    cost: str
    took: str
    first: str
    marks: list[str]
    tags: list[str]


def rows(calls: Sequence[RequestLog], tags: Mapping[UUID, Sequence[CallTag]], masks: Masks = PLAIN) -> list[CallRow]:
    """Return calls as lines; `masks` hide names of people and accounts where nobody may read them."""
    return [_row(call, [tag.tag for tag in tags.get(call.id, ())], masks) for call in calls]


def _row(call: RequestLog, tags: list[str], masks: Masks) -> CallRow:
    asked, routed = call.model_requested, call.model_routed
    is_same = not routed or asked in {routed, f"{call.provider_id}/{routed}"}
    first = "" if call.first_event_ms is None else f"first byte {pictures.span(call.first_event_ms)}"
    attempts = [f"{call.attempt_count} attempts"] if call.attempt_count > 1 else []
    return CallRow(
        id=call.id,
        at=f"{call.started_at:%H:%M:%S}",
        day=f"{call.started_at:%-d %b %Y}",
        outcome=call.outcome,
        result=pictures.result(call),
        error=call.error_code,
        model=asked or call.endpoint,
        routed="" if is_same else routed,
        provider=call.provider_id or "went nowhere",
        account=masks.accounts(call.credential.label) if call.credential else "",
        tenant=masks.names(call.tenant.name) if call.tenant else "–",
        key=masks.names(call.key.label) if call.key else "",
        tokens=f"{pictures.tokens(call, call.input_tokens)} / {pictures.tokens(call, call.output_tokens)}",
        cost=pictures.cost(call),
        took=pictures.span(call.duration_ms),
        first=first,
        marks=[*(["stream"] if call.stream else []), *attempts],
        tags=tags,
    )
