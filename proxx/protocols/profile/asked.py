"""One request's own words to a profile: a model name with reasoning wishes, and a wish for speed or against it.

They are taken out of the request here, because no provider knows them. `SUFFIXES` are the names under which a model is
listed once more for each wish.
"""

import re
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

import msgspec
import orjson

from proxx.protocols.framing.lenient import FAULTS, decode
from proxx.protocols.framing.members import Unclear, replaced, without
from proxx.protocols.hub.request import Envelope
from proxx.protocols.profile.options import DIALECTS, EFFORTS, SUMMARIES, TIERS, Options, Wishes

LISTED_EFFORTS = ("none", "low", "medium", "high")
LISTED_SUMMARIES = ("auto", "concise", "detailed", "never")
SUFFIXES = tuple(
    (f":res-{effort}:sum-{summary}", {"effort": effort, "summary": summary})
    for effort in LISTED_EFFORTS
    for summary in LISTED_SUMMARIES
)
FAST = "priority"

TIER_HEADER = "HTTP_X_OPEN_HAX_SERVICE_TIER"
FAST_HEADER = "HTTP_X_OPEN_HAX_FAST_MODE"

_MEMBER = "open_hax"
_SUFFIX = re.compile(rf"(.+?)(?::res-({'|'.join(EFFORTS)}))?(?::sum-({'|'.join(SUMMARIES)}))?", re.IGNORECASE)
_WORDS = {"1": True, "true": True, "on": True, "yes": True, "0": False, "false": False, "off": False, "no": False}


class _Speed(msgspec.Struct):
    """The members that speak of speed; of any type, for the provider judges its own."""

    service_tier: Any = None
    open_hax: Any = None


_speed = msgspec.json.Decoder(_Speed)


def read(envelope: Envelope, options: Options, headers: Mapping[str, str]) -> tuple[Envelope, Wishes | None]:
    """Return the request without its words to the profile, and what it is given; nothing where nothing is to be done.

    `headers` are named as in a WSGI environment.
    """
    if envelope.dialect not in DIALECTS:
        return envelope, None
    effort = summary = ""
    if options.variants:
        envelope, effort, summary = _named(envelope)
    tier = ""
    if options.fast:
        envelope, tier = _hurried(envelope, headers, always=options.fast == "always")
    forced = bool(effort or summary)
    wishes = Wishes(
        temperature=options.temperature,
        web_search=options.web_search,
        effort=effort or ("" if forced else options.effort),
        summary=summary or ("" if forced else options.summary),
        fill_gaps=options.fill_gaps,
        forced=forced,
        shown=options.shown,
        tier=tier,
    )
    return envelope, None if wishes == _NOTHING[wishes.fill_gaps] else wishes


def split(model: str) -> tuple[str, str, str]:
    """Return a model's name without its reasoning wishes, the effort and the summary; empty where not said."""
    if ":res-" not in model.lower() and ":sum-" not in model.lower():
        return model, "", ""
    found = _SUFFIX.fullmatch(model)
    if found is None:
        return model, "", ""
    return found[1], (found[2] or "").lower(), (found[3] or "").lower()


def _named(envelope: Envelope) -> tuple[Envelope, str, str]:
    name, effort, summary = split(envelope.model)
    if not effort and not summary:
        return envelope, "", ""
    body = envelope.body
    if envelope.dialect != "gemini":  # whose models are named in the path
        body = replaced(body, b"model", orjson.dumps(name))
    return msgspec.structs.replace(envelope, model=name, body=body), effort, summary


def _hurried(envelope: Envelope, headers: Mapping[str, str], *, always: bool) -> tuple[Envelope, str]:
    """Return the tier to ask for; a tier that stands in the body itself is the client's last word."""
    try:
        said = decode(_speed, envelope.body)
    except FAULTS:
        return envelope, ""  # the reader, or the provider, says what is wrong with it
    own = said.open_hax if isinstance(said.open_hax, dict) else {}
    if said.open_hax is not None:
        with suppress(Unclear):
            envelope = msgspec.structs.replace(envelope, body=without(envelope.body, _MEMBER.encode()))
    if said.service_tier is not None:
        return envelope, ""
    for tier in (own.get("service_tier"), own.get("serviceTier"), headers.get(TIER_HEADER)):
        if isinstance(tier, str) and tier.lower() in TIERS:
            return envelope, tier.lower()
    for wish in (own.get("fast_mode"), own.get("fastMode"), headers.get(FAST_HEADER)):
        fast = wish if isinstance(wish, bool) else _WORDS.get(wish.lower()) if isinstance(wish, str) else None
        if fast is not None:
            return envelope, FAST if fast else ""
    return envelope, FAST if always else ""


_NOTHING = {fills: Wishes(fill_gaps=fills) for fills in (False, True)}
