"""What configuration says about a name: where a call may go if nobody rests, and who is struck out for good.

Worked out once per question and remembered in the snapshot. The way: a name is itself, or stands for targets (an alias,
which may be a pool); each target leads to stops (names.py), a stop is a provider and its name for the model; of stops
and accounts come candidates. Whose turn it is and who rests is planner.py.
"""

from collections.abc import Iterable, Iterator, Sequence, Set
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from uuid import UUID

from routing import able, auto, doors, names, ordering, rules, targets
from routing.able import NO_LIMITS, Limits
from routing.dialects import CHAT_PROTOCOLS, DRAWING_MODEL, PICTURE_MODELS, STAND_INS
from routing.doors import Door
from routing.plan import Candidate, Group, Plan, StruckOut
from routing.question import NEEDS
from routing.rules import Rule
from routing.snapshot import Snapshot
from routing.snapshot.views import Who, forms


@dataclass(frozen=True, slots=True)
class Asked:
    """A question to configuration alone, as far as its answer can differ.

    `dialects` are a preferred one, if any, and the caller's own; `who` are tenant and key, if they have lists of what
    they may use; `sees` is the model that pictures go to, if any. What follows is said of the request once it matters:
    the effort, what it needs of `Routes.limits.lacking`, the tokens that it has at least, and of names that leave the
    choice of a model to proxx, the models to try.
    """

    model: str
    dialects: tuple[str, ...]
    who: tuple[Who, ...] = ()
    sees: str = ""
    effort: str = ""
    needs: frozenset[str] = frozenset()
    tokens: int = 0
    pool: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Routes:
    """The plan if nobody rests, and the groups that take turns.

    `asks`: the answer depends on what the request says; on its effort if `by_effort`, on what it needs of `limits`, on
    everything if `auto` names an order by which models are chosen. `narrow` bytes of body may be too many, too.
    """

    asked: Asked
    plan: Plan
    groups: tuple[Group, ...]
    takes_turns: bool
    keys: frozenset[UUID | str]  # of all candidates' health facts, and their sites'
    asks: bool = False
    narrow: float = float("inf")
    by_effort: bool = False
    auto: str = ""
    limits: Limits = NO_LIMITS


@dataclass(frozen=True, slots=True)
class Way:
    """A provider on the way to one of a name's targets."""

    target: str
    stop: names.Stop
    rule: Rule | None = None


def found(asked: Asked, snapshot: Snapshot) -> Routes:
    """Return the routes of a name; of a request with pictures those of the model that pictures go to, if it is to be
    had."""
    if asked.sees and "images" in asked.needs:
        seeing = _named(replace(asked, model=asked.sees), snapshot)
        if seeing.plan.candidates:
            return replace(seeing, asked=asked, plan=replace(seeing.plan, requested=asked.model, alias=asked.model))
    routes = _named(asked, snapshot)
    lacking = routes.limits.lacking | ({"images"} if asked.sees and asked.sees != asked.model else frozenset())
    if not (lacking or routes.by_effort or routes.auto or routes.limits.narrow < float("inf")):
        return routes
    limits = replace(routes.limits, lacking=lacking)
    return replace(routes, limits=limits, asks=bool(lacking or routes.by_effort or routes.auto), narrow=limits.narrow)


def _named(asked: Asked, snapshot: Snapshot) -> Routes:
    if asked.pool:
        return _routes_for(asked, asked.pool, snapshot, alias=asked.model)
    name = asked.model.strip()
    if snapshot.is_disabled(name):
        return _refused(asked, "model_disabled")
    if texts := snapshot.aliases.get(name.lower()):
        pool = [targets.read(text) for text in texts]
        routes = _routes_for(asked, targets.in_order(pool, asked.effort), snapshot, alias=asked.model)
        if routes.plan.refusal == "unknown_model":  # a target that nobody has counts as not there: try those of efforts
            routes = _routes_for(asked, [one.name for one in pool], snapshot, alias=asked.model)
        # An alias acts only if a target exists; otherwise the name may still be a model of its own.
        if routes.plan.refusal != "unknown_model":
            return replace(routes, by_effort=any(one.effort for one in pool))
    if order := auto.wished(name, snapshot):
        return replace(_refused(asked, "no_model_fits"), auto=order, limits=Limits(frozenset(NEEDS)))
    return _routes_for(asked, [name], snapshot, alias=None)


def barred(names: Sequence[str], provider_id: str, who: tuple[Who, ...], snapshot: Snapshot) -> str:
    """Return why nobody, or none of these, may have a model at a provider, as a code; empty if they may. The last of
    its names is the provider's."""
    if snapshot.is_disabled(names[-1]):
        return "model_disabled"
    if snapshot.is_excluded(provider_id, names[-1]):
        return "excluded"
    return forbidden(names, provider_id, who, snapshot)


def forbidden(names: Iterable[str], provider_id: str, who: tuple[Who, ...], snapshot: Snapshot) -> str:
    """Return why these may not use a model, by all of its names, at a provider; empty if they may."""
    if not who:
        return ""
    known = [form for name in names for form in forms(name.strip())]
    permits = [snapshot.permit_of(one) for one in who]
    if not all(permit.allows_model(known) for permit in permits):
        return "model_not_allowed"
    return "" if all(permit.allows_provider(provider_id) for permit in permits) else "provider_not_allowed"


def _routes_for(asked: Asked, wished: Iterable[str], snapshot: Snapshot, *, alias: str | None) -> Routes:
    """Return who speaks the caller's dialect or one it is translated to; if nobody, who can stand in."""
    meaning, ways = _ways(wished, snapshot)
    dialect = asked.dialects[-1]
    routes = _routes_of(asked, meaning, ways, doors.wanted(asked.dialects), snapshot, alias=alias)
    stand_in = STAND_INS.get(dialect)
    if stand_in is None or routes.plan.refusal != "dialect_not_served":
        return routes
    drawing = [replace(way, stop=replace(way.stop, model=_drawing(way.stop.model))) for way in ways]
    standing = _routes_of(asked, meaning, drawing, ((stand_in,), ()), snapshot, alias=alias)
    return standing if standing.plan.candidates else routes


def _ways(wished: Iterable[str], snapshot: Snapshot) -> tuple[names.Meaning, list[Way]]:
    """Return the stops of all targets in order, none twice; the meaning says why there are none, or what was skipped.

    Of several refusals the first counts that is not a missing model: that target exists.
    """
    ways: dict[names.Stop, Way] = {}
    refusals: list[str] = []
    skipped: dict[tuple[str, str], None] = {}
    for target in wished:
        meant = names.meaning(target, snapshot)
        skipped |= dict.fromkeys(meant.skipped)
        if meant.refusal is not None:
            refusals.append(meant.refusal)
        for way in _in_order(target, meant.stops, snapshot):
            ways.setdefault(way.stop, way)
    refusal = next((one for one in refusals if one != "unknown_model"), "unknown_model") if not ways else None
    return names.Meaning(tuple(way.stop for way in ways.values()), refusal, tuple(skipped)), list(ways.values())


def _in_order(target: str, stops: Sequence[names.Stop], snapshot: Snapshot) -> list[Way]:
    """Return the stops of a target as its rule orders them, if it has one."""
    if not stops:
        return []
    spelt = (target, *(stop.model for stop in stops))
    rule = rules.first(snapshot.rules, (form for name in spelt for form in forms(name))) if snapshot.rules else None
    if rule is None:
        return [Way(target, stop) for stop in stops]
    ordered = sorted(stops, key=lambda stop: _dollars(stop, snapshot)) if rule.order_providers == "cheapest" else stops
    return [Way(target, stop, rule) for stop in sorted(ordered, key=lambda stop: rule.place(stop.provider_id))]


def _dollars(stop: names.Stop, snapshot: Snapshot) -> float:
    price = snapshot.facts_of(stop.provider_id, stop.model).price
    return float("inf") if price is None or price.blended is None else price.blended


def _drawing(model: str) -> str:
    return DRAWING_MODEL if any(fnmatchcase(model.lower(), glob) for glob in PICTURE_MODELS) else model


def _routes_of(
    asked: Asked,
    meaning: names.Meaning,
    ways: Iterable[Way],
    wanted: doors.Wanted,
    snapshot: Snapshot,
    *,
    alias: str | None,
) -> Routes:
    candidates: list[Candidate] = []
    set_aside: list[Candidate] = []  # of a plan that a rule leaves out
    excluded = StruckOut()
    for provider_id, code in meaning.skipped:
        excluded.add(provider_id, None, code)
    for way in ways:
        if fault := _forbidden(asked, way, snapshot):
            excluded.add(way.stop.provider_id, None, fault, way.stop.model)
            continue
        for candidate in _candidates(way, wanted, snapshot, excluded):
            (set_aside if _is_left_out(candidate) else candidates).append(candidate)
    if candidates:
        for one in set_aside:
            excluded.add(one.provider.id, one.credential, "plan_not_allowed", one.model)
    candidates = candidates or set_aside
    candidates, limits, struck = _able(asked, candidates, snapshot)
    for (provider_id, model), code in struck.items():
        excluded.add(provider_id, None, code, model)
    refusal = None if candidates else meaning.refusal or _why_nobody(excluded.codes)
    groups = ordering.groups_of(candidates)
    whole = Plan(asked.model, tuple(candidates), excluded.rows(), refusal, None, alias)
    return Routes(
        asked,
        whole,
        groups,
        limits=limits,
        takes_turns=any(len(group.candidates) > 1 for group in groups),
        keys=frozenset(key for candidate in candidates for key in (candidate.key, candidate.site)),
    )


def _able(
    asked: Asked, candidates: list[Candidate], snapshot: Snapshot
) -> tuple[list[Candidate], Limits, dict[able.Model, str]]:
    """Return who can serve such a request, what must be known of it for that, and who was struck out. Only
    conversations are asked what they need."""
    if asked.dialects[-1] not in CHAT_PROTOCOLS:
        return candidates, NO_LIMITS, {}
    able_ones, struck = able.chosen(candidates, asked.needs, asked.tokens, snapshot)
    return able_ones, able.limits(candidates, snapshot), struck


def _candidates(way: Way, wanted: doors.Wanted, snapshot: Snapshot, excluded: StruckOut) -> Iterator[Candidate]:
    """Yield the accounts of one stop; those without a door are added to `excluded`."""
    stop, provider = way.stop, snapshot.providers[way.stop.provider_id]
    # Accounts are many, addresses few: each is worked out once.
    known: dict[tuple[bool, str], Door] = {}
    for credential in snapshot.credentials.get(provider.id, (None,)):
        place = (credential.kind == "oauth_bearer", credential.base_url) if credential else (False, "")
        here = known.get(place) or known.setdefault(place, doors.at(provider, place, stop.model, wanted, way.rule))
        if here.fault:
            excluded.add(provider.id, credential, here.fault, stop.model)
        else:
            key = credential.id if credential else provider.id
            yield Candidate(provider, credential, stop.model, here.protocol, here.url, key, here.quirks, way.rule)


def _is_left_out(candidate: Candidate) -> bool:
    rule, credential = candidate.rule, candidate.credential
    return rule is not None and credential is not None and credential.plan_type in rule.excluded_plans


def _forbidden(asked: Asked, way: Way, snapshot: Snapshot) -> str:
    """Return why the operator lets no such call go there, as a code; empty if nothing forbids it."""
    stop = way.stop
    if way.rule is not None and stop.provider_id in way.rule.excluded_providers:
        return "excluded_by_rule"
    return barred((asked.model, way.target, stop.model), stop.provider_id, asked.who, snapshot)


def _why_nobody(codes: Set[str]) -> str:
    if any(code.startswith("lacks_") for code in codes):
        return "not_able"
    return next((code for code in WHY_NOBODY if code in codes), "no_credentials")


def _refused(asked: Asked, code: str) -> Routes:
    return Routes(asked, Plan(asked.model, (), (), code, None, None), (), takes_turns=False, keys=frozenset())


# Where nobody is left: the exclusion that says most, best first; each is a refusal too.
WHY_NOBODY = (
    *("model_not_allowed", "provider_not_allowed", "model_disabled"),
    *("dialect_not_served", "excluded_by_rule", "excluded"),
)
