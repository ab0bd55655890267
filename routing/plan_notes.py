"""Why a call's first account was asked, or none at all, in a line short enough for its record; and that line in words,
for people.

`written` is on the way of every call: it looks at what the plan holds already. `read` is for pages.
"""

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from routing import health, quota
from routing.plan import EXCLUSIONS, PASSING, REFUSALS, Candidate, Plan

LONGEST = 240
NOBODY = "none "  # how the line of a plan begins that named nobody


@dataclass(frozen=True, slots=True)
class Noted:
    """What a record says of its plan: the place of the account among `of` candidates, the ordering's name, whether the
    conversation was bound to it, the alias that was asked for, the rule's name, and who was struck out, by code."""

    place: int
    of: int
    by: str
    is_bound: bool
    alias: str
    rule: str
    out: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class NotedRefusal:
    """What a record says of a plan without candidates: the code of why, the seconds until the first of those who were
    struck out is back (if that is known), and who that was, by code."""

    code: str
    wait: int | None
    out: Mapping[str, int]


def written(plan: Plan, first: Candidate | None) -> str:
    """Return the line for a plan whose candidate `first` was asked first; without one, why the plan named nobody."""
    if first is None:
        return _refusal(plan)
    many = len(plan.candidates)
    place = 1 if many and plan.candidates[0] is first else _place(plan, first)
    said = f"{place}/{many} {first.strategy}"
    if plan.belonging is not None and plan.belonging.bound.get(first.place) == first.key:
        said += " bound"
    if plan.alias is not None:
        said += f" alias={plan.alias.replace(' ', '_')}"
    if health.rests or quota.spent:  # else nobody was struck out but by configuration, which pages can look up
        said += _left_out(plan)
    if first.rule is not None:
        said += f" rule={first.rule.name}"
    return said[:LONGEST]


def _refusal(plan: Plan) -> str:
    if plan.refusal is None:
        return ""
    wait = f" wait={math.ceil(plan.retry_after)}" if plan.retry_after is not None else ""
    return f"{NOBODY}{plan.refusal}{wait}{_left_out(plan)}"[:LONGEST]


def _left_out(plan: Plan) -> str:
    out = Counter[str]()
    for one in plan.excluded:
        if one.code in PASSING:
            out[one.code] += one.more or 1
    return "".join(f" out:{code}={count}" for code, count in out.items())


def read(line: str) -> Noted | NotedRefusal | None:
    """Return what a line says, None for one that says nothing."""
    if line.startswith(NOBODY):
        code, *words = line.removeprefix(NOBODY).split()[:40] or [""]
        wait = next((word.removeprefix("wait=") for word in words if word.startswith("wait=")), "")
        return NotedRefusal(code, int(wait) if wait.isdecimal() else None, _counts(words)) if code in REFUSALS else None
    line, _, rule = line.partition(" rule=")
    head, *words = line.split()[:40] or [""]
    place, _, many = head.partition("/")
    if not (place.isdecimal() and many.isdecimal()):
        return None
    return Noted(
        place=int(place),
        of=int(many),
        by=words[0] if words else "",
        is_bound="bound" in words,
        alias=next((word.removeprefix("alias=") for word in words if word.startswith("alias=")), ""),
        rule=rule,
        out=_counts(words),
    )


def _counts(words: Sequence[str]) -> dict[str, int]:
    out = {}
    for word in words:
        code, _, count = word.removeprefix("out:").partition("=")
        if word.startswith("out:") and count.isdecimal():
            out[code] = int(count)
    return out


def sentences_of_refusal(noted: NotedRefusal, at: datetime) -> list[str]:
    """Return the same for people, of a call that was refused at that moment."""
    said = ["No account was asked.", REFUSALS[noted.code], *_who_is_out(noted.out)]
    if noted.wait is not None:
        back = at + timedelta(seconds=noted.wait)
        day = "" if back.date() == at.date() else f"{back.day} {back:%b}, "
        said.append(f"The first of them was to rest until {day}{back:%H:%M:%S} UTC.")
    return said


def sentences(noted: Noted) -> list[str]:
    """Return the same for people."""
    said = ["It was the only candidate." if noted.of == 1 else _order(noted)]
    if noted.is_bound:
        said.append("The conversation had been answered by this account before, and stayed with it.")
    if noted.alias:
        said.append(f"The name “{noted.alias}” stood for the model.")
    if noted.rule:
        said.append(f"The rule “{noted.rule}” applied.")
    return said + _who_is_out(noted.out)


def _who_is_out(out: Mapping[str, int]) -> list[str]:
    said = []
    for code, count in out.items():
        who = "One account was left out: it" if count == 1 else f"{count} accounts were left out: each"
        said.append(f"{who} {EXCLUSIONS.get(code, code)}.")
    return said


def _order(noted: Noted) -> str:
    place = "first" if noted.place == 1 else f"number {noted.place}"
    return f"It stood {place} of {noted.of} candidates; equals are ordered by “{noted.by}”."


def _place(plan: Plan, first: Candidate) -> int:
    return next((place for place, one in enumerate(plan.candidates, 1) if one is first), 0)
