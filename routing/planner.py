"""plan(): a model name -> ordered candidates with reasons, or a refusal.

What depends on configuration alone is worked out once per name and dialect and remembered in the snapshot; per call
there remain whose turn it is and who rests. No I/O, no clock, no database: `now` comes from the caller.
Which candidate is tried next after a failure is gateway/failover.py.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from uuid import UUID

from routing import health, names, ordering, policies
from routing.addresses import fill, join_url
from routing.dialects import DRAWING_MODEL, EXCHANGEABLE, PICTURE_MODELS, STAND_INS
from routing.plan import Belonging, Group
from routing.plan import Candidate as Candidate
from routing.plan import Exclusion as Exclusion
from routing.plan import Plan as Plan
from routing.providers import Provider
from routing.snapshot import CredentialView, Snapshot, TenantView

# The dialects that are best, in order, and all that will do.
_Wanted = tuple[tuple[str, ...], tuple[str, ...]]


def misnamed(model: str, snapshot: Snapshot) -> str:
    """Say for people what is wrong with the provider that a model's name begins with, or nothing."""
    return names.misnamed(model.strip(), snapshot)


@dataclass(frozen=True, slots=True)
class _Routes:
    """What configuration says about a name: the plan if nobody rests, and the groups that take turns."""

    plan: Plan
    groups: tuple[Group, ...]
    takes_turns: bool
    keys: frozenset[UUID | str]  # of all candidates' health facts


@dataclass(frozen=True, slots=True)
class _Door:
    """Where a kind of credential enters, or the code of why it does not."""

    url: str
    fault: str
    protocol: str = ""
    quirks: frozenset[str] = frozenset()


def plan(
    *,
    model: str,
    dialect: str,
    tenant: TenantView,
    snapshot: Snapshot,
    now: float,
    turns: policies.Turns = policies.next_turn,
    prefer: str = "",
    conversation: Callable[[], int] = int,
) -> Plan:
    """Return where a call for `model` may go, in order; `now` is `clock.monotonic()`. `prefer` is a dialect to ask in,
    before the caller's own, where a provider has it. `conversation` gives the digest of what the call is a turn of.

    Providers in the snapshot's order; inside a provider by credential priority, equals by the provider's strategy.
    Credentials that rest at the upstream's wish are struck out; those that rest by our guess go to the end.
    """
    question = (model, dialect, prefer) if prefer else (model, dialect)
    routes: _Routes | None = snapshot.memo.get(question)
    if routes is None:
        routes = _routes(model, (prefer, dialect) if prefer else (dialect,), snapshot)
        snapshot.memo.put(question, routes, weight=len(routes.plan.candidates) + 1)
    nobody_rests = health.rests.keys().isdisjoint(routes.keys)
    if nobody_rests and not routes.takes_turns:
        return routes.plan
    ordered, belonging = ordering.in_order(routes.groups, turns, conversation)
    if nobody_rests:
        return _with(routes.plan, tuple(ordered), routes.plan.excluded, belonging)
    return _without_resting(routes.plan, ordered, now, belonging)


def accounts(
    provider_id: str,
    *,
    path: str,
    protocol: str,
    snapshot: Snapshot,
    now: float,
    turns: policies.Turns = policies.next_turn,
) -> Plan:
    """Return which of one provider's accounts may be asked for a path of its own, in order.

    Accounts that belong to another service of the same vendor (a sign-in backend) know no such path and are left out.
    """
    provider = snapshot.providers.get(provider_id)
    held: tuple[CredentialView | None, ...] = snapshot.credentials.get(provider_id, ())
    if provider is None or provider_id not in snapshot.order or not (held or not provider.needs_key):
        return Plan(path, (), (), "no_credentials", None, None)
    found: list[Candidate] = []
    for credential in held or (None,):
        base = provider.base_for(oauth=False, own=credential.base_url if credential else "")
        if base and not (credential is not None and credential.kind == "oauth_bearer" and provider.oauth_base_url):
            key = credential.id if credential else provider.id
            url, spoken = join_url(base, path), protocol if protocol in provider.paths else provider.protocol
            found.append(Candidate(provider, credential, "", spoken, url, key, provider.quirks_at(base)))
    ordered, _ = ordering.in_order(ordering.groups_of(found), turns, int)
    whole = Plan(path, tuple(ordered), (), None if found else "no_credentials", None, None)
    return _without_resting(whole, ordered, now)


def _without_resting(whole: Plan, ordered: list[Candidate], now: float, belonging: Belonging | None = None) -> Plan:
    ready: list[Candidate] = []
    doubtful: list[tuple[float, int, Candidate]] = []
    excluded: list[Exclusion] = []
    soonest = float("inf")
    for place, candidate in enumerate(ordered):
        rest = health.rest_of(candidate.key, candidate.model, now) if candidate.key in health.rests else None
        if rest is None:
            ready.append(candidate)
        elif rest.is_soft:
            doubtful.append((rest.until, place, candidate))
        else:
            soonest = min(soonest, rest.until - now)
            excluded.append(_exclusion(candidate.provider.id, candidate.credential, "resting"))
    if doubtful:
        ready += [candidate for _, _, candidate in sorted(doubtful, key=lambda row: row[:2])]
    struck_out = (*whole.excluded, *excluded) if excluded else whole.excluded
    if ordered and not ready:
        return Plan(whole.requested, (), struck_out, "all_resting", soonest, whole.alias)
    return _with(whole, tuple(ready), struck_out, belonging)


def _with(
    whole: Plan, candidates: tuple[Candidate, ...], excluded: tuple[Exclusion, ...], belonging: Belonging | None
) -> Plan:
    return Plan(whole.requested, candidates, excluded, whole.refusal, whole.retry_after, whole.alias, belonging)


def with_own_key(
    *, model: str, dialect: str, provider_id: str, credential: CredentialView, snapshot: Snapshot, prefer: str = ""
) -> Plan:
    """Return the plan of a caller who brings their own key: that provider at its own address, and nobody else.

    Nothing of it is remembered. Its health facts stand under the credential's id, which must be the call's alone: what
    one caller's key meets says nothing of another's.
    """
    provider, catalog = snapshot.providers[provider_id], snapshot.catalogs.get(provider_id)
    name = model.strip()
    for prefix, owner in snapshot.prefixes:
        if owner == provider_id and name.lower().startswith(prefix):
            name = name[len(prefix) :].strip() or name
            break
    if name.lower() in snapshot.disabled:
        return _refused(model, "model_disabled").plan
    name = names.spelling_at(provider, catalog, name) or names.upstream_name(provider, name)
    dialects = (prefer, dialect) if prefer else (dialect,)
    door = _door(provider, (False, ""), name, _wanted(dialects))
    if door.fault:
        return Plan(model, (), (Exclusion(provider_id, None, door.fault),), "dialect_not_served", None, None)
    one = Candidate(provider, credential, name, door.protocol, door.url, credential.id, door.quirks)
    return Plan(model, (one,), (), None, None, None)


def _routes(model: str, dialects: tuple[str, ...], snapshot: Snapshot) -> _Routes:
    name = model.strip()
    if name.lower() in snapshot.disabled:
        return _refused(model, "model_disabled")
    target = names.alias_target(name, snapshot)
    if target is not None:
        routes = _routes_for(model, names.meaning(target, snapshot), dialects, snapshot, alias=model)
        # An alias acts only if its target exists; otherwise the name may still be a model of its own.
        if routes.plan.refusal != "unknown_model":
            return routes
    return _routes_for(model, names.meaning(name, snapshot), dialects, snapshot, alias=None)


def _routes_for(
    requested: str, meaning: names.Meaning, dialects: tuple[str, ...], snapshot: Snapshot, *, alias: str | None
) -> _Routes:
    """Return who speaks the caller's dialect or one it is translated to; if nobody, who can stand in."""
    dialect = dialects[-1]
    routes = _routes_of(requested, meaning, _wanted(dialects), snapshot, alias=alias)
    stand_in = STAND_INS.get(dialect)
    if stand_in is None or routes.plan.refusal != "dialect_not_served":
        return routes
    drawing = tuple(replace(stop, model=_drawing(stop.model)) for stop in meaning.stops)
    standing = _routes_of(requested, replace(meaning, stops=drawing), ((stand_in,), ()), snapshot, alias=alias)
    return standing if standing.plan.candidates else routes


def _wanted(dialects: tuple[str, ...]) -> _Wanted:
    """Return which dialects are best, in order, and all that will do. A preferred one, the first of two, counts only if
    the caller's own can be translated to it."""
    own = dialects[-1]
    family = next((family for family in EXCHANGEABLE if own in family), (own,))
    return tuple(one for one in dialects if one in (*family, own)), (own, *family)


def _drawing(model: str) -> str:
    return DRAWING_MODEL if any(fnmatchcase(model.lower(), glob) for glob in PICTURE_MODELS) else model


def _routes_of(
    requested: str, meaning: names.Meaning, wanted: _Wanted, snapshot: Snapshot, *, alias: str | None
) -> _Routes:
    found: list[Candidate] = []
    excluded = [Exclusion(provider_id, None, code) for provider_id, code in meaning.skipped]
    for stop in meaning.stops:
        provider = snapshot.providers[stop.provider_id]
        # Accounts are many, addresses few: each is worked out once.
        doors: dict[tuple[bool, str], _Door] = {}
        for credential in snapshot.credentials.get(provider.id, (None,)):
            place = (credential.kind == "oauth_bearer", credential.base_url) if credential else (False, "")
            door = doors.get(place) or doors.setdefault(place, _door(provider, place, stop.model, wanted))
            if door.fault:
                excluded.append(_exclusion(provider.id, credential, door.fault))
            else:
                key = credential.id if credential else provider.id
                found.append(Candidate(provider, credential, stop.model, door.protocol, door.url, key, door.quirks))
    refusal = None if found else meaning.refusal or _why_nobody(excluded)
    groups = ordering.groups_of(found)
    whole = Plan(requested, tuple(found), tuple(excluded), refusal, None, alias)
    return _Routes(
        whole,
        groups,
        takes_turns=any(len(group.candidates) > 1 for group in groups),
        keys=frozenset(candidate.key for candidate in found),
    )


def _door(provider: Provider, place: tuple[bool, str], model: str, wanted: _Wanted) -> _Door:
    is_oauth, own_base = place
    base = provider.base_for(oauth=is_oauth, own=own_base)
    if not base:
        return _Door("", "no_base_url")
    paths = provider.paths_at(base)
    protocol = _protocol([name for name in provider.protocols_for(model) if name in paths], wanted)
    if protocol is None:
        return _Door("", "dialect_not_served")
    return _Door(join_url(base, fill(paths[protocol], model)), "", protocol, provider.quirks_at(base))


def _protocol(spoken: list[str], wanted: _Wanted) -> str | None:
    """Return the first of the best dialects that the provider speaks, else its own best of those that will do."""
    best, others = wanted
    return next((name for name in best if name in spoken), None) or next((one for one in spoken if one in others), None)


def _why_nobody(excluded: list[Exclusion]) -> str:
    return "dialect_not_served" if any(row.code == "dialect_not_served" for row in excluded) else "no_credentials"


def _exclusion(provider_id: str, credential: CredentialView | None, code: str) -> Exclusion:
    return Exclusion(provider_id, credential.id if credential else None, code)


def _refused(model: str, code: str) -> _Routes:
    return _Routes(Plan(model, (), (), code, None, None), (), takes_turns=False, keys=frozenset())
