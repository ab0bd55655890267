"""plan(): a model name -> ordered candidates with reasons, or a refusal.

What depends on configuration alone (routes.py) is worked out once per name and dialect and remembered in the snapshot;
per call there remain whose turn it is and who rests. No I/O, no clock, no database: `now` comes from the caller.
Which candidate is tried next after a failure is gateway/failover.py.
"""

from dataclasses import replace
from uuid import UUID

from routing import able, auto, doors, health, names, ordering, policies, quota, routes
from routing.addresses import join_url
from routing.plan import PASSING, RESTS, Belonging, StruckOut
from routing.plan import Candidate as Candidate
from routing.plan import Exclusion as Exclusion
from routing.plan import Plan as Plan
from routing.question import NOTHING_SAID, Question
from routing.routes import Asked, Routes
from routing.snapshot import CredentialView, Snapshot, TenantView
from routing.snapshot.views import Who


def misnamed(model: str, snapshot: Snapshot) -> str:
    """Say for people what is wrong with the provider that a model's name begins with, or nothing."""
    return names.misnamed(model.strip(), snapshot)


def plan(
    *,
    model: str,
    dialect: str,
    tenant: TenantView,
    snapshot: Snapshot,
    now: float,
    turns: policies.Turns = policies.next_turn,
    prefer: str = "",
    key: UUID | None = None,
    lists: tuple[str, ...] = (),
    question: Question = NOTHING_SAID,
) -> Plan:
    """Return where a call for `model` may go, in order; `now` is `clock.monotonic()`. `prefer` is a dialect to ask in,
    before the caller's own, where a provider has it. `key` is the caller's, whose lists count beside the tenant's;
    `lists` came with it. `question` is asked what matters of the request.

    Providers in the snapshot's order; inside a provider by credential priority, equals by the provider's strategy.
    Credentials that rest at the upstream's wish are struck out; those that rest by our guess go to the end.
    """
    who = snapshot.restricted(tenant.id, key, lists) if snapshot.permits or lists else ()
    sees = tenant.image_model or snapshot.image_model
    said = (model, dialect, prefer, who, sees)
    known: Routes | None = snapshot.memo.get(said)
    if known is None:
        known = _remembered(said, Asked(model, (prefer, dialect) if prefer else (dialect,), who, sees), snapshot)
    if known.asks or question.size > known.narrow:
        known = _closer(known, question, snapshot, now)
    nobody_rests = health.rests.keys().isdisjoint(known.keys) and quota.spent.keys().isdisjoint(known.keys)
    if nobody_rests and not known.takes_turns:
        return known.plan
    ordered, belonging = ordering.in_order(known.groups, turns, question.conversation)
    if nobody_rests:
        return _with(known.plan, tuple(ordered), known.plan.excluded, belonging)
    return _without_resting(known.plan, ordered, now, belonging)


def accounts(
    provider_id: str,
    *,
    path: str,
    protocol: str,
    snapshot: Snapshot,
    now: float,
    model: str = "",
    who: tuple[Who, ...] = (),
    turns: policies.Turns = policies.next_turn,
) -> Plan:
    """Return which of one provider's accounts may be asked for a path of its own, in order. `who` has lists of what
    they may use; where these name models, a path whose `model` is not known is refused to them.

    Accounts that belong to another service of the same vendor (a sign-in backend) know no such path and are left out.
    """
    provider = snapshot.providers.get(provider_id)
    held: tuple[CredentialView | None, ...] = snapshot.credentials.get(provider_id, ())
    if provider is None or provider_id not in snapshot.order or not (held or not provider.needs_key):
        return Plan(model, (), (), "no_credentials", None, None)
    if fault := _barred(provider_id, model, who, snapshot):
        return Plan(model, (), (Exclusion(provider_id, None, fault),), fault, None, None)
    found: list[Candidate] = []
    for credential in held or (None,):
        base = provider.base_for(oauth=False, own=credential.base_url if credential else "")
        if base and not (credential is not None and credential.kind == "oauth_bearer" and provider.oauth_base_url):
            key = credential.id if credential else provider.id
            url, spoken = join_url(base, path), protocol if protocol in provider.paths else provider.protocol
            found.append(Candidate(provider, credential, "", spoken, url, key, provider.quirks_at(base)))
    ordered, _ = ordering.in_order(ordering.groups_of(found), turns, int)
    whole = Plan(model, tuple(ordered), (), None if found else "no_credentials", None, None)
    return _without_resting(whole, ordered, now)


def _barred(provider_id: str, model: str, who: tuple[Who, ...], snapshot: Snapshot) -> str:
    if not model and any(snapshot.permit_of(one).restricts_models for one in who):
        return "model_not_allowed"
    why = routes.barred if model else routes.forbidden
    return why((model.strip(),), provider_id, who, snapshot)


def _closer(known: Routes, question: Question, snapshot: Snapshot, now: float) -> Routes:
    """Return the routes for what the request itself says, where that matters to its name."""
    asked = known.asked
    needs = question.needs(known.limits.lacking) if known.limits.lacking else frozenset()
    seeing = bool(asked.sees) and "images" in needs  # by the rules of another name, which may ask for more
    effort = question.effort() if known.by_effort or seeing else ""
    long = known.auto or question.size > known.narrow
    tokens = able.at_least(question.text_bytes()) if long else 0
    pool = _pool(known, needs, tokens, snapshot, now) if known.auto else ()
    if not (effort or needs or tokens or pool):
        return known
    asked = replace(asked, effort=effort, needs=needs, tokens=tokens, pool=pool)
    closer: Routes | None = snapshot.memo.get(asked)
    return closer or _remembered(asked, asked, snapshot)


def _pool(known: Routes, needs: frozenset[str], tokens: int, snapshot: Snapshot, now: float) -> tuple[str, ...]:
    """Return the models to try for a name that leaves the choice to proxx; a ranking holds for some seconds."""
    key = ("ranking", known.auto, needs, tokens, known.asked.who, now // auto.LASTS)
    pool: tuple[str, ...] | None = snapshot.memo.get(key)
    if pool is None:
        pool = tuple(auto.ranked(known.auto, needs, tokens, snapshot, now, who=known.asked.who))
        snapshot.memo.put(key, pool, weight=1)
    return pool


def _remembered(key: object, asked: Asked, snapshot: Snapshot) -> Routes:
    known = routes.found(asked, snapshot)
    snapshot.memo.put(key, known, weight=len(known.plan.candidates) + len(known.plan.excluded) + 1)
    return known


def _without_resting(whole: Plan, ordered: list[Candidate], now: float, belonging: Belonging | None = None) -> Plan:
    ready: list[Candidate] = []
    doubtful: list[tuple[float, int, Candidate]] = []
    excluded = StruckOut()
    soonest = float("inf")
    spent, rests = bool(quota.spent), bool(health.rests)
    for place, candidate in enumerate(ordered):
        if spent and (until := quota.spent_until(candidate.key, now)) is not None:
            soonest = min(soonest, until - now)
            excluded.add(candidate.provider.id, candidate.credential, "quota_spent", candidate.model)
            continue
        rest = health.standing(candidate.key, candidate.site, candidate.model, now) if rests else None
        if rest is None:
            ready.append(candidate)
        elif rest.is_soft:
            doubtful.append((rest.until, place, candidate))
        else:
            soonest = min(soonest, rest.until - now)
            code = RESTS.get(rest.kind, "resting")
            excluded.add(candidate.provider.id, candidate.credential, code, candidate.model)
    if doubtful:
        ready += [candidate for _, _, candidate in sorted(doubtful, key=lambda row: row[:2])]
    struck_out = (*whole.excluded, *excluded.rows())
    if ordered and not ready:
        codes = excluded.codes
        refusal = next(refusal for code, refusal in PASSING.items() if code in codes)
        return Plan(whole.requested, (), struck_out, refusal, soonest, whole.alias)
    return _with(whole, tuple(ready), struck_out, belonging)


def _with(
    whole: Plan, candidates: tuple[Candidate, ...], excluded: tuple[Exclusion, ...], belonging: Belonging | None
) -> Plan:
    refusal, retry_after, alias = whole.refusal, whole.retry_after, whole.alias
    return Plan(whole.requested, candidates, excluded, refusal, retry_after, alias, belonging, whole.auto)


def with_own_key(
    *,
    model: str,
    dialect: str,
    provider_id: str,
    credential: CredentialView,
    snapshot: Snapshot,
    who: tuple[Who, ...] = (),
    prefer: str = "",
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
    if snapshot.is_disabled(name):
        return Plan(model, (), (), "model_disabled", None, None)
    name = names.spelling_at(provider, catalog, name) or names.upstream_name(provider, name)
    if fault := routes.barred((model, name), provider_id, who, snapshot):
        return Plan(model, (), (Exclusion(provider_id, None, fault, name),), fault, None, None)
    dialects = (prefer, dialect) if prefer else (dialect,)
    door = doors.at(provider, (False, ""), name, doors.wanted(dialects))
    if door.fault:
        return Plan(model, (), (Exclusion(provider_id, None, door.fault),), "dialect_not_served", None, None)
    one = Candidate(provider, credential, name, door.protocol, door.url, credential.id, door.quirks)
    return Plan(model, (one,), (), None, None, None)
