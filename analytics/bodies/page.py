"""The console's page of what was said in one call, and the panel that leads to it.

Reading is a right that no role includes, asks again who is there, and is written down each time, before anything is
shown. What others may see is that something is kept, and how much.
"""

import json
from dataclasses import dataclass
from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.template.defaultfilters import filesizeformat
from django.template.response import TemplateResponse

from accounts import audit
from accounts.admin.scope import who
from accounts.rights import Right
from accounts.sanitized import is_sanitized
from accounts.signin import step_up
from analytics import queries
from analytics.bodies import parts, store
from analytics.bodies.parts import Part
from analytics.bodies.table import RequestBody
from analytics.models import RequestLog
from proxx.kit.sealing import SealBroken

SHOWN = 100_000  # characters of one part, unless it is asked for alone
LAID_OUT = 1_000_000  # characters of the longest part that is laid out as JSON
DEEPEST = 64  # levels of it
READ = "read prompts and answers"  # as the audit names it
TITLES = {
    parts.ASKED: "What the client sent",
    parts.SENT: "What the provider was sent",
    parts.HEARD: "What the provider answered",
    parts.TOLD: "What the client was told",
}
WHY = {"errors": "It failed.", "sampled": "It was in the sample.", "full": "All calls are kept."}
CUTS = {
    "part": "Only the beginning is kept: PROXY_BODIES_PART_LIMIT bounds each part.",
    "room": "Only the beginning is kept: PROXY_BODIES_MEMORY was used up at that time.",
}
SANITIZED = "In sanitized mode nothing that was said is shown."
UNREADABLE = "This cannot be opened: no configured encryption key fits, or it is damaged."


@dataclass(frozen=True, slots=True)
class Shown:
    """One part in words: `rest` says how many characters the page leaves out."""

    number: int
    title: str
    size: str
    text: str
    note: str
    rest: int


def panel(request: HttpRequest, call: RequestLog) -> dict[str, Any]:
    """Return what `analytics/bodies_panel.html` says of a call under `bodies`."""
    row = RequestBody.objects.filter(pk=call.pk).defer("content").first()
    may = who(request).may(Right.BODIES_READ, call.tenant_id)
    return {"row": row, "may_read": may, "why": WHY.get(row.why, "") if row else ""}


def view(request: HttpRequest, object_id: str) -> HttpResponse:
    """Show what was said in one call, or in one part of it (`?part=`)."""
    reader = who(request)
    if not reader.may_open(Right.BODIES_READ) or not reader.may_open(Right.REQUESTS_READ):
        raise PermissionDenied
    call = queries.call(object_id)
    if call is None or not all(reader.may(one, call.tenant_id) for one in (Right.BODIES_READ, Right.REQUESTS_READ)):
        raise Http404
    asked = step_up.asked_again(request)
    if asked is not None:
        return asked
    row = RequestBody.objects.filter(pk=call.pk).first()
    found: list[Part] = []
    fault = SANITIZED if is_sanitized(request) else ""
    if row is not None and not fault:
        audit.note(READ, call, {"kept": row.why, "bytes": row.plain_bytes}, tenant_id=call.tenant_id)
        try:
            found = store.read(row)
        except (SealBroken, ValueError):
            fault = UNREADABLE
    context = {
        **admin.site.each_context(request),
        "opts": RequestLog._meta,
        "title": "Prompts and answers",
        "subtitle": str(call.pk),
        "call": call,
        "row": row,
        "fault": fault,
        "parts": shown(found, request.GET.get("part", "")),
    }
    return TemplateResponse(request, "analytics/bodies.html", context)


def shown(found: list[Part], alone: str = "") -> list[Shown]:
    """Return parts as the page shows them: all of them cut, or one whole."""
    if alone.isdecimal() and len(alone) < 4 and int(alone) < len(found):  # endless digits are no number to Python
        return [_shown(int(alone), found, most=None)]
    return [_shown(number, found, most=SHOWN) for number in range(len(found))]


def _shown(number: int, found: list[Part], *, most: int | None) -> Shown:
    part = found[number]
    note = CUTS.get(part.cut, "")
    if part.same_as is not None and part.same_as < len(found):
        note = f"The same as: {_title(found[part.same_as])}."
    text = pretty(part.text)
    rest = max(0, len(text) - most) if most is not None else 0
    return Shown(number, _title(part), filesizeformat(part.size), text[:most], note, rest)


def _title(part: Part) -> str:
    title = TITLES.get(part.kind, part.kind)
    return f"{title} (attempt {part.attempt})" if part.attempt else title


def pretty(text: str) -> str:
    """Return JSON over several lines; anything else, a stream for instance, as it is, and so what would grow without
    measure: each level of nesting pushes every line below it to the right."""
    if len(text) > LAID_OUT:
        return text
    try:
        read = json.loads(text)
        if _is_deep(read):
            return text
        return json.dumps(read, indent=2, ensure_ascii=False).encode(errors="backslashreplace").decode()
    except (ValueError, RecursionError):
        return text


def _is_deep(read: Any) -> bool:
    level = [read]
    for _ in range(DEEPEST):
        inside = [one for one in level if isinstance(one, dict | list)]
        level = [item for one in inside for item in (one.values() if isinstance(one, dict) else one)]
        if not level:
            return False
    return True
