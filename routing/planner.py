"""plan(): a model name -> ordered candidates with reasons, or a refusal.

What depends on configuration alone (routes.py) is worked out once per name and dialect and remembered in the snapshot;
per call there remain whose turn it is and who rests. No I/O, no clock, no database: `now` comes from the caller.
Which candidate is tried next after a failure is gateway/failover.py.
"""

from collections.abc import Sequence
from dataclasses import replace
from uuid import UUID

from proxx.kit.configured import settings
from routing import able, chosen, doors, health, names, ordering, policies, quota, routes
from routing.addresses import join_url
from routing.plan import PASSING, RESTS, Belonging, Key, Place, StruckOut
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
        asked = Asked(model, (prefer, dialect) if prefer else (dialect,), who, sees)
        known = chosen.remembered(said, asked, snapshot)
    if known.asks or question.size > known.narrow:
        known = _closer(known, question, snapshot)
        if known.auto:
            return _of_chosen(known, question, snapshot, now, turns)
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


def _closer(known: Routes, question: Question, snapshot: Snapshot) -> Routes:
    """Return the routes for what the request itself says, where that matters to its name."""
    asked = known.asked
    needs = question.needs(known.limits.lacking) if known.limits.lacking else frozenset()
    seeing = bool(asked.sees) and "images" in needs  # by the rules of another name, which may ask for more
    effort = question.effort() if known.by_effort or seeing else ""
    tokens = able.at_least(question.text_bytes()) if known.auto or question.size > known.narrow else 0
    if not (effort or needs or tokens) or (known.auto and not seeing):
        return known
    asked = replace(asked, effort=effort, needs=needs, tokens=tokens)
    return chosen.remembered(asked, asked, snapshot)


def _of_chosen(known: Routes, question: Question, snapshot: Snapshot, now: float, turns: policies.Turns) -> Plan:
    """Return the plan for a name that leaves the choice to proxx: of each chosen model as many accounts as a call may
    try, not counting those that have no room just now."""
    needs = question.needs(known.limits.lacking)
    tokens = able.at_least(question.text_bytes())
    found = chosen.of(known, needs, tokens, snapshot, now)
    requested, sifted = known.asked.model, _Sifted(settings.PROXY_MAX_ATTEMPTS)
    if found.refusal is not None:
        return Plan(requested, (), found.excluded, found.refusal, None, requested if found.names else None)
    bound: dict[Place, Key] = {}
    conversation = 0
    for part in found.parts:
        ordered, belonging = ordering.in_order(part.groups, turns, question.conversation)
        if belonging is not None:
            conversation, bound = belonging.conversation, {**bound, **belonging.bound}
        sifted.take(ordered, now)
    whole = Plan(requested, (), found.excluded, None, None, requested, auto=found.names)
    return sifted.plan(whole, Belonging(conversation, bound) if conversation else None)


def _without_resting(whole: Plan, ordered: list[Candidate], now: float, belonging: Belonging | None = None) -> Plan:
    sifted = _Sifted()
    sifted.take(ordered, now)
    return sifted.plan(whole, belonging)


class _Sifted:
    """Those who may be asked now, those who rest by our guess, and who was struck out; of each list that is taken no
    more than `at_most` are looked for."""

    __slots__ = ("_at_most", "_away", "_doubtful", "_ready", "_soonest", "_struck")

    def __init__(self, at_most: int | None = None) -> None:
        self._at_most = at_most
        self._away: set[int] = set()  # credentials, by id(): they are asked for no model, so each is struck out once
        self._ready: list[Candidate] = []
        self._doubtful: list[tuple[float, int, Candidate]] = []
        self._struck = StruckOut()
        self._soonest = float("inf")

    def take(self, ordered: Sequence[Candidate], now: float) -> None:
        """Sift these, the first ones first."""
        doubtful: list[tuple[float, int, Candidate]] = []
        ready, spent, rests, left = self._ready, quota.spent, health.rests, self._at_most
        away = self._away if left is not None else None
        for candidate in ordered:
            if away and id(candidate.credential) in away:
                continue
            key, site = candidate.key, candidate.site
            if spent and (until := quota.spent_until(key, now)) is not None:
                self._strike(candidate, "quota_spent", until - now)
                if away is not None:
                    away.add(id(candidate.credential))
                continue
            rest = health.standing(key, site, candidate.model, now) if rests else None
            if rest is not None and rest.is_soft:
                doubtful.append((rest.until, len(doubtful), candidate))
            elif rest is not None:
                self._strike(candidate, RESTS.get(rest.kind, "resting"), rest.until - now)
                if away is not None and _is_away(key, now):
                    away.add(id(candidate.credential))
            else:
                ready.append(candidate)
                if left is not None and not candidate.is_full:
                    left -= 1
                    if not left:
                        break
        if doubtful:
            self._doubtful += sorted(doubtful)[: self._at_most]

    def plan(self, whole: Plan, belonging: Belonging | None) -> Plan:
        """Return the plan of those who were taken: the doubtful last, who is back soonest first."""
        excluded = (*whole.excluded, *self._struck.rows())
        ready = (*self._ready, *(candidate for *_, candidate in sorted(self._doubtful, key=lambda row: row[0])))
        if ready or not self._struck.codes:
            return _with(whole, ready, excluded, belonging)
        codes = self._struck.codes
        refusal = next(refusal for code, refusal in PASSING.items() if code in codes)
        return Plan(whole.requested, (), excluded, refusal, self._soonest, whole.alias, auto=whole.auto)

    def _strike(self, candidate: Candidate, code: str, seconds: float) -> None:
        self._soonest = min(self._soonest, seconds)
        self._struck.add(candidate.provider.id, candidate.credential, code, candidate.model)


def _is_away(key: Key, now: float) -> bool:
    """Tell whether a credential that rests does so for all models."""
    found = health.rests.get(key, {}).get("")
    return found is not None and not found.is_soft and found.until > now


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
