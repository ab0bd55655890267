"""Why a call's first account was asked, in a line short enough for its record; and that line in words, for people.

`written` is on the way of every call: it looks at what the plan holds already. `read` is for pages.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from routing import health, quota
from routing.plan import EXCLUSIONS, PASSING, Candidate, Plan

LONGEST = 240


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


def written(plan: Plan, first: Candidate) -> str:
    """Return the line for a plan whose candidate `first` was asked first."""
    many = len(plan.candidates)
    place = 1 if many and plan.candidates[0] is first else _place(plan, first)
    said = f"{place}/{many} {first.strategy}"
    if plan.belonging is not None and plan.belonging.bound.get(first.place) == first.key:
        said += " bound"
    if plan.alias is not None:
        said += f" alias={plan.alias.replace(' ', '_')}"
    if health.rests or quota.spent:  # else nobody was struck out but by configuration, which pages can look up
        out = Counter[str]()
        for one in plan.excluded:
            if one.code in PASSING:
                out[one.code] += one.more or 1
        said += "".join(f" out:{code}={count}" for code, count in out.items())
    if first.rule is not None:
        said += f" rule={first.rule.name}"
    return said[:LONGEST]


def read(line: str) -> Noted | None:
    """Return what a line says, None for one that says nothing."""
    line, _, rule = line.partition(" rule=")
    head, *words = line.split()[:40] or [""]
    place, _, many = head.partition("/")
    if not (place.isdecimal() and many.isdecimal()):
        return None
    out = {}
    for word in words:
        code, _, count = word.removeprefix("out:").partition("=")
        if word.startswith("out:") and count.isdecimal():
            out[code] = int(count)
    return Noted(
        place=int(place),
        of=int(many),
        by=words[0] if words else "",
        is_bound="bound" in words,
        alias=next((word.removeprefix("alias=") for word in words if word.startswith("alias=")), ""),
        rule=rule,
        out=out,
    )


def sentences(noted: Noted) -> list[str]:
    """Return the same for people."""
    said = ["It was the only candidate." if noted.of == 1 else _order(noted)]
    if noted.is_bound:
        said.append("The conversation had been answered by this account before, and stayed with it.")
    if noted.alias:
        said.append(f"The name “{noted.alias}” stood for the model.")
    if noted.rule:
        said.append(f"The rule “{noted.rule}” applied.")
    for code, count in noted.out.items():
        who = "One account was left out: it" if count == 1 else f"{count} accounts were left out: each"
        said.append(f"{who} {EXCLUSIONS.get(code, code)}.")
    return said


def _order(noted: Noted) -> str:
    place = "first" if noted.place == 1 else f"number {noted.place}"
    return f"It stood {place} of {noted.of} candidates; equals are ordered by “{noted.by}”."


def _place(plan: Plan, first: Candidate) -> int:
    return next((place for place, one in enumerate(plan.candidates, 1) if one is first), 0)
