"""What a Snapshot holds: views of tenants, credentials, catalogues, models, all immutable. building.py fills them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Any
from uuid import UUID

from accounts.limit import LimitView
from proxx.kit.peer import Networks
from proxx.kit.sealing import Secret
from proxx.protocols.profile.options import Options
from routing import capabilities
from routing.capabilities import Facts, Known
from routing.permits import Permit
from routing.pricing import Price
from routing.providers import Provider
from routing.rules import Rule
from routing.snapshot import restrictions

# Names come from callers: what the planner remembers per name must have an end.
MEMO_WEIGHT = 50_000
_LIMITS = "limits of models"
_FACTS = "facts of a model"
_LISTS = "lists of a key"

# Who has lists of what may be used: a tenant or key by id, or the lists that came with a key.
Who = UUID | tuple[str, ...]


def forms(model: str) -> tuple[str, ...]:
    """Return what a pattern may mean a model by: its whole name and, behind a vendor's path, the last part of it; to
    Ollama a bare name and `:latest` are one."""
    name = model.lower().removesuffix(":latest")
    tail = name.rpartition("/")[2]
    return (name, tail) if tail and tail != name else (name,)


def stands_in(names: frozenset[str], model: str) -> bool:
    """Tell whether a model is one of these names, themselves without `:latest`."""
    return bool(names) and not names.isdisjoint(forms(model))


class Memo:
    """A bounded memory of answers; when it is full it begins anew, and the answers in use come back by themselves."""

    __slots__ = ("_answers", "_weight")

    def __init__(self) -> None:
        self._answers: dict[Any, Any] = {}
        self._weight = 0

    def get(self, question: Any) -> Any:
        """Return the remembered answer, or nothing."""
        return self._answers.get(question)

    def put(self, question: Any, answer: Any, *, weight: int) -> None:
        """Remember an answer that weighs this much."""
        if self._weight + weight > MEMO_WEIGHT:
            self._answers, self._weight = {}, 0
        self._answers[question] = answer
        self._weight += weight


@dataclass(frozen=True, slots=True)
class TenantView:
    """What a call needs to know of its tenant."""

    id: UUID
    slug: str
    is_active: bool
    answer_with_alias: bool
    profile_id: UUID | None = None
    image_model: str = ""  # where its requests with pictures go
    unpriced: str = "block"  # what a budget makes of a model without a price: block, flag or fallback
    fallback: Price | None = None  # what such a model is charged
    fast: str = ""  # who of its callers gets the priority tier: asked or always; empty: nobody
    passthrough: UUID | None = None  # the account that is asked first where calls are passed on as they are
    origins: tuple[Networks, ...] = ()  # from where it may be used; empty: from anywhere
    bodies: int = 0  # the share of its calls whose bodies are kept (accounts/keeping.py)


@dataclass(frozen=True, slots=True)
class ListenerView:
    """A host name or port with a profile. With `own_key_provider`, callers bring that provider's key instead of ours,
    and `own_key_tenant` is who they count as."""

    name: str
    profile_id: UUID | None
    own_key_provider: str = ""
    own_key_tenant: UUID | None = None
    port: int | None = None


OWN_KEY = "own_key"  # the kind of a credential that is a caller's own: it lives as long as its call


@dataclass(frozen=True, slots=True)
class CredentialView:
    """A usable credential: enabled, not ended for good, its secret open in memory; `base_url` is empty if it has no
    own."""

    id: UUID
    provider_id: str
    label: str
    kind: str
    secret: Secret
    account_id: str
    priority: int
    weight: int
    base_url: str
    chatgpt_account_id: str = ""
    plan_type: str = ""  # lower case: free, plus, pro, ...
    at_once: int = 0  # how many calls it takes at once; 0: as many as come
    sign_in: str = ""  # the entry in oauth/providers.py, of an account whose tokens come and go; then `secret` is live


@dataclass(frozen=True, slots=True)
class ModelEntry:
    """One line of the public model list."""

    id: str
    owned_by: str
    created: int
    metadata: dict[str, Any] = field(hash=False)


@dataclass(frozen=True, slots=True)
class Catalog:
    """What one provider lists: lower-case name -> its own spelling.

    `is_fresh` means that absence proves something; `is_whole` is False where an account may have more than is listed.
    """

    ids: Mapping[str, str]
    is_fresh: bool
    fetched_at: float  # seconds since 1970
    is_whole: bool = True


@dataclass(frozen=True, slots=True, eq=False)
class Snapshot:
    """All configuration at one revision. Nothing in it changes, save `memo`: the answers the planner remembers."""

    revision: int
    providers: Mapping[str, Provider]
    credentials: Mapping[str, tuple[CredentialView, ...]]  # usable ones only, by priority, never an empty tuple
    tenants: Mapping[UUID, TenantView]
    models: tuple[ModelEntry, ...] = ()
    order: tuple[str, ...] = ()  # the providers that can be called, in the order in which they are tried
    named: int = 0  # how many of `order` the operator named as primary and fallbacks
    catalogs: Mapping[str, Catalog] = field(default_factory=dict)  # of the providers in `order` only
    declared: frozenset[str] = frozenset()
    disabled: frozenset[str] = frozenset()  # ask `is_disabled`: a model has several names
    preferred: tuple[str, ...] = ()
    aliases: Mapping[str, tuple[str, ...]] = field(default_factory=dict)  # lower-case name -> its targets in order
    permits: Mapping[UUID, Permit] = field(default_factory=dict)  # by the id of a tenant or key that has any lists
    image_model: str = ""  # where requests with pictures go, unless their tenant says otherwise
    limits: Mapping[UUID, tuple[LimitView, ...]] = field(default_factory=dict)  # by the id of a tenant or key with any
    rules: tuple[Rule, ...] = ()  # in the order in which they are tried
    exclusions: Mapping[str, tuple[str, ...]] = field(default_factory=dict)  # provider id -> globs of models
    prefixes: tuple[tuple[str, str], ...] = ()  # lower-case prefix -> provider id, longest first
    local_patterns: tuple[str, ...] = ()
    profiles: Mapping[UUID, Options] = field(default_factory=dict)
    hosts: Mapping[str, ListenerView] = field(default_factory=dict)  # lower-case host name -> its listener
    ports: Mapping[int, ListenerView] = field(default_factory=dict)
    signed_out: Mapping[str, tuple[str, ...]] = field(default_factory=dict)  # provider id -> labels of its accounts
    faults: tuple[str, ...] = ()  # sentences on what had to be left out
    stale_at: float = float("inf")  # seconds since 1970: a credential expires or a catalogue grows old then
    counts_calls: bool = False  # some credential takes only so many calls at once
    known: Known = field(default_factory=Known)  # facts of models, before they are merged
    memo: Memo = field(default_factory=Memo)

    def restricted(self, tenant_id: UUID, key_id: UUID | None, lists: tuple[str, ...] = ()) -> tuple[Who, ...]:
        """Return who of the two has lists of what may be used; `permit_of` tells these.

        `lists` come with the key itself and count before the picture's: a key may be younger than the picture.
        """
        if not (self.permits or lists):
            return ()
        own: Who | None = lists or (key_id if key_id in self.permits else None)
        tenant = (tenant_id,) if tenant_id in self.permits else ()
        return tenant if own is None else (*tenant, own)

    def permit_of(self, one: Who) -> Permit:
        """Return what somebody of `restricted` may use."""
        if isinstance(one, UUID):
            return self.permits[one]
        question = (_LISTS, one)
        found: Permit | None = self.memo.get(question)
        if found is None:
            found = restrictions.permit(one, self.providers)
            self.memo.put(question, found, weight=1)
        return found

    def is_disabled(self, model: str) -> bool:
        """Tell whether the operator refuses a model everywhere, whichever way it is named."""
        return stands_in(self.disabled, model)

    def is_excluded(self, provider_id: str, model: str) -> bool:
        """Tell whether the operator wants no call for this model at this provider."""
        globs = self.exclusions.get(provider_id)
        return globs is not None and any(fnmatchcase(form, glob) for form in forms(model) for glob in globs)

    def facts_of(self, provider_id: str, model: str) -> Facts:
        """Return what is known of a model at one provider of the picture: limits, abilities, price (capabilities.py).

        `model` is the provider's own name for it (`Candidate.model`). None in it is unknown, and never excludes.
        """
        question = (_FACTS, provider_id, model)
        found: Facts | None = self.memo.get(question)
        if found is None:
            found = capabilities.facts_of(self.providers[provider_id], model, self.known)
            self.memo.put(question, found, weight=1)
        return found

    def limits_of(self, model: str) -> tuple[int | None, int | None]:
        """Return what the catalogues know of a model, whoever lists it: context window and longest answer, in
        tokens."""
        known = self.memo.get(_LIMITS)
        if known is None:
            known = {
                entry.id.lower(): (entry.metadata.get("context_window"), entry.metadata.get("max_output_tokens"))
                for entry in self.models
            }
            self.memo.put(_LIMITS, known, weight=len(known) + 1)
        found: tuple[int | None, int | None] = known.get(model.lower(), (None, None))
        return found
