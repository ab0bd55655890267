"""The words of a plan: candidates in order, what was struck out and why, or a refusal. planner.py fills them.

The codes are what the rest of the house knows; the sentences are for people who ask (`explain_route`, the console).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from uuid import UUID

from routing import health
from routing.providers import Provider
from routing.question import NEEDS
from routing.rules import Rule
from routing.snapshot import CredentialView

REFUSALS = {
    "unknown_model": "No configured provider has this model.",
    "model_disabled": "The operator has disabled this model.",
    "no_credentials": "No usable credential leads to this model.",
    "no_account": "The provider named in the model has no account.",
    "provider_unknown": "The provider named in the model is switched off.",
    "all_resting": "Every credential that could serve this model is resting.",
    "all_failing": "Every credential that could serve this model has failed too often, and is left alone for a while.",
    "all_refused": "Every credential that could serve this model was refused by its provider.",
    "dialect_not_served": "The providers of this model do not speak the caller's dialect.",
    "model_not_allowed": "This tenant or key may not use the model.",
    "provider_not_allowed": "This tenant or key may not use the providers of the model.",
    "not_able": "No model of this name can do what the request needs.",
    "no_model_fits": "No listed model fits the request.",
    "excluded_by_rule": "A rule of the operator excludes every provider that has this model.",
    "excluded": "The operator has excluded this model at every provider that has it.",
}
EXCLUSIONS = {
    "resting": "rests, because its provider limits it",
    "failing": "is left alone after failures",
    "refused": "was refused by its provider",
    "quota_spent": "has used up its quota until it begins anew",
    "provider_disabled": "is switched off",
    "no_credentials": "has no usable credential",
    "no_base_url": "has no base URL",
    "not_listed": "does not list the model",
    "dialect_not_served": "does not speak the caller's dialect for this model",
    "model_disabled": "is not asked: the operator has disabled the model",
    "model_not_allowed": "is not asked: this tenant or key may not use the model",
    "provider_not_allowed": "may not be used by this tenant or key",
    **{f"lacks_{need}": f"is known to have a model that {lacks}" for need, lacks in NEEDS.items()},
    "too_long": "has a context window too small for the request, and others have a larger one",
    "excluded_by_rule": "is excluded for this model by a rule",
    "plan_not_allowed": "has a plan that a rule leaves out for this model",
    "excluded": "is excluded for this model by the operator",
}
# What a rest after such a failure is called; all others are limits.
RESTS = {
    **dict.fromkeys(("auth", "permission"), "refused"),
    **dict.fromkeys(
        ("overloaded", "upstream_error", "connect_failed", "malformed", "truncated", "empty", "not_renewed"), "failing"
    ),
}
# Refusals that pass by themselves, by the exclusions that they follow from; the first that is there counts.
PASSING = {"resting": "all_resting", "quota_spent": "all_resting", "failing": "all_failing", "refused": "all_refused"}

NAMED_AT_MOST = 5  # accounts of those struck out for one reason

Key = UUID | str  # under which health.py keeps its facts: a credential's id, or a provider's
Place = tuple[str, int]  # provider and priority: those who share it are equal


@dataclass(frozen=True, slots=True, eq=False)
class Candidate:
    """One way to serve a call: this provider, this credential (none if it needs no key), this model name, this URL."""

    provider: Provider
    credential: CredentialView | None
    model: str
    protocol: str
    url: str
    key: Key
    quirks: frozenset[str] = frozenset()  # the provider's at this address
    rule: Rule | None = None  # the operator's for this model
    site: str = field(init=False, default="")  # under which health.py keeps what concerns all accounts at this address
    weight: int = field(init=False, default=1)  # its share among its equals

    def __post_init__(self) -> None:
        """Work out once what each call asks for."""
        host = self.url.partition("://")[2].partition("/")[0]
        object.__setattr__(self, "site", f"{self.provider.id}@{host}")
        if self.credential is not None:
            object.__setattr__(self, "weight", max(1, self.credential.weight))

    @property
    def place(self) -> Place:
        """Return what it shares with its equals."""
        return self.provider.id, self.credential.priority if self.credential is not None else 0

    @property
    def strategy(self) -> str:
        """Return how it and its equals are ordered, by name."""
        return (self.rule.accounts if self.rule is not None else "") or self.provider.strategy

    @property
    def is_full(self) -> bool:
        """Tell whether its account has as many calls under way as it takes at once."""
        at_once = self.credential.at_once if self.credential is not None else 0
        return bool(at_once) and health.in_flight(self.key) >= at_once

    @property
    def account(self) -> str:
        """Return the name by which records and pages know the credential."""
        return self.credential.label or self.credential.account_id if self.credential else ""

    @property
    def auth(self) -> str:
        """Return the auth style for this protocol, by name; `none` where there is nothing to send."""
        return self.provider.auth_for(self.protocol) if self.credential and self.credential.secret else "none"


@dataclass(frozen=True, slots=True, eq=False)
class Group:
    """Candidates of one place, which a strategy puts in order; `salts` are their ids as numbers of 64 bits."""

    candidates: tuple[Candidate, ...]
    place: Place
    strategy: str
    salts: tuple[int, ...]
    is_even: bool  # all of one weight


@dataclass(frozen=True, slots=True)
class Belonging:
    """Whose conversation a plan was made for, as a digest, and which account it is bound to at each place."""

    conversation: int
    bound: Mapping[Place, Key]


@dataclass(frozen=True, slots=True)
class Exclusion:
    """A provider or credential that was struck out, and the code of the reason."""

    provider_id: str
    credential_id: UUID | None
    code: str
    model: str = ""  # the provider's name for it, where one was found
    more: int = 0  # accounts that this row stands for, of whom there are too many to name each


class StruckOut:
    """Gathers who is struck out. Of one provider, reason and model some accounts are named, the others counted: people
    read no more, and a plan of a thousand accounts stays light."""

    __slots__ = ("_many", "_rows")

    def __init__(self) -> None:
        self._rows: list[Exclusion] = []
        self._many: dict[tuple[str, str, str], int] = {}

    def add(self, provider_id: str, credential: CredentialView | None, code: str, model: str = "") -> None:
        """Strike out a provider, or one of its accounts."""
        group = provider_id, code, model
        many = self._many[group] = self._many.get(group, 0) + 1
        if many <= NAMED_AT_MOST:
            self._rows.append(Exclusion(provider_id, credential.id if credential else None, code, model))

    @property
    def codes(self) -> set[str]:
        """Return the reasons."""
        return {code for _, code, _ in self._many}

    def rows(self) -> tuple[Exclusion, ...]:
        """Return all of them."""
        beyond = [(group, many - NAMED_AT_MOST) for group, many in self._many.items() if many > NAMED_AT_MOST]
        return (*self._rows, *(Exclusion(one, None, code, model, more) for (one, code, model), more in beyond))


@dataclass(frozen=True, slots=True, eq=False)
class Plan:
    """Where one call may go, in order; without candidates `refusal` says why, `retry_after` (s) when to come back."""

    requested: str
    candidates: tuple[Candidate, ...]
    excluded: tuple[Exclusion, ...]
    refusal: str | None
    retry_after: float | None
    alias: str | None  # the requested name, if it was an alias of what the candidates serve
    belonging: Belonging | None = None
    auto: tuple[str, ...] = ()  # the models that were chosen for a name that leaves the choice to proxx, best first

    def told(self, model: str) -> list[tuple[bytes, str]]:
        """Return what an answer of this model says of its name, as headers: what stood for it, and of what it was
        chosen."""
        alias = self.alias or self.requested
        said = [(b"x-proxx-model-alias", alias), (b"x-open-hax-model-alias", f"{alias}->{model}")]
        return [*said, (b"x-open-hax-auto-model-candidates", ",".join(self.auto))] if self.auto else said
