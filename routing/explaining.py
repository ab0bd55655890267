"""Where a request would go, and why: the planner's own decision, told to people. Nothing is sent, no turn is used up.

`manage.py explain_route` and the console's page ask here. Health and quota are those that this process knows.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from uuid import UUID

from proxx.kit import clock
from proxx.protocols import registry
from proxx.protocols.hub.conversation import name_of
from proxx.protocols.hub.errors import Inexpressible, Unreadable
from proxx.protocols.hub.losses import Losses
from proxx.protocols.profile import asked as profiles
from proxx.protocols.profile.options import DIALECTS, Options
from routing import affinity, aliases, health, listeners, needs, planner, policies
from routing.plan import EXCLUSIONS, NAMED_AT_MOST, REFUSALS, Candidate, Plan
from routing.providers import STRATEGIES
from routing.question import EFFORTS, NEEDS, Question, Said
from routing.returning import ends_of
from routing.snapshot import CredentialView, Snapshot, TenantView

BYTES_PER_TOKEN = 4  # of usual texts
SHOWN_AT_MOST = 100  # candidates: more of them tell nobody anything


class CannotAsk(Exception):
    """What was pasted is no request; the text is a sentence for whoever pasted it."""


@dataclass(frozen=True, slots=True)
class Wish:
    """What to explain. A `body` says by itself what the request needs; otherwise the words here do. `conversation` is a
    prompt_cache_key; `tokens` are those of the text."""

    model: str
    tenant: TenantView
    dialect: str = "openai_chat"
    key: UUID | None = None
    key_profile: UUID | None = None
    needs: frozenset[str] = frozenset()
    effort: str = ""
    tokens: int = 0
    conversation: str = ""
    body: bytes = b""


@dataclass(frozen=True, slots=True)
class Step:
    """One candidate, as people see it. `state` is ready or doubtful; `why` says why it stands here, where its turn does
    not say it all."""

    number: int
    provider_id: str
    provider: str
    account: str
    credential_id: UUID | None
    model: str
    protocol: str
    url: str
    state: str
    health: str
    why: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class LeftOut:
    """Who was struck out for one reason: a provider, and which of its accounts."""

    provider: str
    reason: str
    accounts: tuple[str, ...] = ()
    more: int = 0  # accounts beyond those that are named

    @property
    def who(self) -> str:
        """Return the provider, and which of its accounts."""
        if not self.accounts:
            return self.provider
        others = f" and {self.more} more" if self.more else ""
        return f"{self.provider} ({', '.join(self.accounts)}{others})"


@dataclass(frozen=True, slots=True)
class Explained:
    """The whole decision; `steps` are the first candidates, `unshown` counts the others. `rule` is the name of the rule
    that the first one goes by."""

    plan: Plan
    steps: tuple[Step, ...]
    left_out: tuple[LeftOut, ...]
    refusal: str
    rule: str
    needs: tuple[str, ...] = ()
    effort: str = ""
    lost: tuple[str, ...] = ()  # sentences on targets of the alias that lead nowhere
    faults: tuple[str, ...] = field(default=())
    unshown: int = 0


def explain(wish: Wish, snapshot: Snapshot) -> Explained:
    """Return where this would go now; raise `CannotAsk` for a body that cannot be read."""
    options = listeners.options(snapshot, listener=None, key_profile=wish.key_profile, tenant=wish.tenant)
    model, question = _read(wish, options) if wish.body else (wish.model, _said(wish, options))
    if not model:
        raise CannotAsk("Name a model, or paste a request that names one.")
    plan = planner.plan(
        model=model,
        dialect=wish.dialect,
        tenant=wish.tenant,
        snapshot=snapshot,
        now=clock.monotonic(),
        turns=policies.turn_to_come,
        prefer=options.prefer if options is not None else "",
        key=wish.key,
        question=question,
    )
    rule = plan.candidates[0].rule if plan.candidates else None
    return Explained(
        plan=plan,
        steps=tuple(_steps(plan, snapshot)),
        unshown=max(0, len(plan.candidates) - SHOWN_AT_MOST),
        left_out=tuple(_left_out(plan, snapshot)),
        refusal=REFUSALS[plan.refusal] if plan.refusal else "",
        rule=rule.name if rule is not None else "",
        needs=tuple(sorted(question.needs(NEEDS.keys()))),
        effort=question.effort(),
        lost=tuple(aliases.in_vain(plan, snapshot)),
        faults=snapshot.faults,
    )


def _said(wish: Wish, options: Options | None) -> Question:
    name = b"key:" + wish.conversation.encode() if wish.conversation else b""
    effort = wish.effort or (options.effort if options is not None else "")
    return Said(
        conversation=affinity.digest(wish.tenant.id, name),
        needs=wish.needs,
        effort=effort if effort in EFFORTS else "",
        size=wish.tokens * BYTES_PER_TOKEN,
    )


def _read(wish: Wish, options: Options | None) -> tuple[str, Question]:
    """Return what a pasted body asks for, as a call with it would be understood."""
    dialect = registry.get(wish.dialect)
    path = {"model": wish.model, "stream": False} if wish.dialect == "gemini" else {}
    try:
        envelope = dialect.read_envelope(wish.body, **path)
        if options is not None:
            envelope, _ = profiles.read(envelope, options, {})
        name = name_of(envelope.traits, wish.dialect, "")
        if wish.dialect not in DIALECTS:
            return wish.model or envelope.model, Said(conversation=affinity.digest(wish.tenant.id, name))
        request = dialect.read_request(envelope, Losses())
    except (Unreadable, Inexpressible) as fault:
        raise CannotAsk(f"The body cannot be read: {getattr(fault, 'message', '') or fault}") from None
    except RecursionError:
        raise CannotAsk("The body is nested too deeply.") from None
    effort = request.reasoning.effort or (options.effort if options is not None else "")
    question = Said(
        conversation=affinity.digest(wish.tenant.id, name),
        needs=needs.needs_of(request),
        effort=effort if effort in EFFORTS else "",
        size=len(wish.body) - needs.media_bytes(request),
    )
    return wish.model or envelope.model, question


def _steps(plan: Plan, snapshot: Snapshot) -> Iterator[Step]:
    now = clock.monotonic()
    before: Candidate | None = None
    many = Counter((one.place, one.model) for one in plan.candidates)
    for number, one in enumerate(plan.candidates[:SHOWN_AT_MOST], start=1):
        rest = health.standing(one.key, one.site, one.model, now)
        state, said = ("doubtful", _doubt(rest.until - now)) if rest is not None else ("ready", _doing(one))
        yield Step(
            number=number,
            provider_id=one.provider.id,
            provider=one.provider.label,
            account=_name(one.credential) if one.credential is not None else "no key needed",
            credential_id=one.credential.id if one.credential is not None else None,
            model=one.model,
            protocol=one.protocol,
            url=one.url,
            state=state,
            health=said,
            why=(*_why(one, before, plan, snapshot), *_why_first(one, plan, many.pop((one.place, one.model), 0))),
        )
        before = one


def _why(one: Candidate, before: Candidate | None, plan: Plan, snapshot: Snapshot) -> Iterator[str]:
    """Say what put a candidate here that begins a provider or a model."""
    if before is None or before.provider is not one.provider or before.model != one.model:
        rule = one.rule
        if rule is not None and one.provider.id in rule.providers:
            yield f"The rule “{rule.name}” names {one.provider.label} as number {rule.place(one.provider.id) + 1}."
        elif rule is not None and rule.order_providers:
            yield f"The rule “{rule.name}” goes by price."
        elif one.provider.id in snapshot.order[: snapshot.named]:
            yield "It is named as the primary provider or its fallback."
        elif plan.auto and (before is None or before.model != one.model):
            yield (
                f"{one.model} is number {plan.auto.index(one.model) + 1} of this choice."
                if (one.model in plan.auto)
                else "It has one of the chosen models."
            )
        else:
            yield f"Its provider has priority {one.provider.priority}."


def _why_first(one: Candidate, plan: Plan, equals: int) -> Iterator[str]:
    """Say what put a candidate before so many equals, itself among them; of any but the first there are none."""
    if equals > 1:
        if plan.belonging is not None and one.place in plan.belonging.bound:
            yield "The conversation belongs to this account."
        else:
            yield f"Of {equals} equal accounts it is first by {one.strategy}: {STRATEGIES[one.strategy]}."


def _name(view: CredentialView) -> str:
    """Return by what name people can tell an account; of a UUID that stands in for a name, its beginning."""
    if view.label or not view.account_id:
        return view.label or "without label"
    try:
        return f"without label ({str(UUID(view.account_id))[:8]}…)"
    except ValueError:
        return view.account_id


def _doubt(seconds: float) -> str:
    return f"failed lately; behind the others for {_time(seconds)}"


def _doing(one: Candidate) -> str:
    calls, wait = health.in_flight(one.key), health.first_event(one.key, one.model)
    said = f"{calls} call{'' if calls == 1 else 's'} under way" if calls else "idle"
    return f"{said}, begins after {wait:.1f} s" if wait is not None else said


def _left_out(plan: Plan, snapshot: Snapshot) -> Iterator[LeftOut]:
    """Yield those struck out, together by provider and reason; last those that merely do not list the model."""
    accounts = {view.id: view for views in snapshot.credentials.values() for view in views}
    groups: dict[tuple[str, str], list[str]] = {}
    more: Counter[tuple[str, str]] = Counter()
    models: dict[tuple[str, str], set[str]] = {}
    listing = {one.provider.id for one in plan.candidates}
    listing |= {row.provider_id for row in plan.excluded if row.code != "not_listed"}
    for row in sorted(plan.excluded, key=lambda one: one.code == "not_listed"):
        if row.code == "not_listed" and row.provider_id in listing:
            continue  # it lists another of the models
        names = groups.setdefault((row.provider_id, row.code), [])
        more[row.provider_id, row.code] += row.more
        models.setdefault((row.provider_id, row.code), set()).add(row.model)
        view = accounts.get(row.credential_id) if row.credential_id is not None else None
        if view is not None and (name := _name(view)) not in names:
            names.append(name)
    for provider_id, labels in snapshot.signed_out.items():
        if not plan.candidates or provider_id in listing or provider_id in {one for one, _ in groups}:
            provider = snapshot.providers.get(provider_id)
            shown = labels[:NAMED_AT_MOST]
            label = provider.label if provider else provider_id
            yield LeftOut(label, "has to be signed in again", shown, len(labels) - len(shown))
    for (provider_id, code), names in groups.items():
        provider = snapshot.providers.get(provider_id)
        shown = tuple(names[:NAMED_AT_MOST])
        beyond = more[provider_id, code] + len(names) - len(shown)
        ends = list(ends_of(provider_id, code, models[provider_id, code], snapshot))
        first = "the first " if len(names) + beyond > 1 else ""
        back = f"; {first}back in {_time(min(ends))}" if ends else ""
        yield LeftOut(provider.label if provider else provider_id, EXCLUSIONS[code] + back, shown, beyond)


def _time(seconds: float) -> str:
    if seconds < 90:
        return f"{max(1, round(seconds))} s"
    return f"{round(seconds / 60)} min" if seconds < 5400 else f"{round(seconds / 3600)} h"
