"""The words of a plan: candidates in order, what was struck out and why, or a refusal. planner.py fills them.

The codes are what the rest of the house knows; the sentences are for people who ask (`explain_route`, the console).
"""

from dataclasses import dataclass
from uuid import UUID

from routing.providers import Provider
from routing.snapshot import CredentialView

REFUSALS = {
    "unknown_model": "No configured provider has this model.",
    "model_disabled": "The operator has disabled this model.",
    "no_credentials": "No usable credential leads to this model.",
    "no_account": "The provider named in the model has no account.",
    "provider_unknown": "The provider named in the model is switched off.",
    "all_resting": "Every credential that could serve this model is resting.",
    "dialect_not_served": "The providers of this model do not speak the caller's dialect.",
}
EXCLUSIONS = {
    "resting": "rests after a failure",
    "provider_disabled": "is switched off",
    "no_credentials": "has no usable credential",
    "no_base_url": "has no base URL",
    "not_listed": "does not list the model",
    "dialect_not_served": "does not speak the caller's dialect for this model",
}


@dataclass(frozen=True, slots=True, eq=False)
class Candidate:
    """One way to serve a call: this provider, this credential (none if it needs no key), this model name, this URL."""

    provider: Provider
    credential: CredentialView | None
    model: str
    protocol: str
    url: str
    key: UUID | str  # under which health.py keeps its facts: the credential's id, or the provider's
    quirks: frozenset[str] = frozenset()  # the provider's at this address

    @property
    def account(self) -> str:
        """Return the name by which records and pages know the credential."""
        return self.credential.label or self.credential.account_id if self.credential else ""

    @property
    def auth(self) -> str:
        """Return the auth style for this protocol, by name; `none` where there is nothing to send."""
        return self.provider.auth_for(self.protocol) if self.credential and self.credential.secret else "none"


@dataclass(frozen=True, slots=True)
class Exclusion:
    """A provider or credential that was struck out, and the code of the reason."""

    provider_id: str
    credential_id: UUID | None
    code: str


@dataclass(frozen=True, slots=True, eq=False)
class Plan:
    """Where one call may go, in order; without candidates `refusal` says why, `retry_after` (s) when to come back."""

    requested: str
    candidates: tuple[Candidate, ...]
    excluded: tuple[Exclusion, ...]
    refusal: str | None
    retry_after: float | None
    alias: str | None  # the requested name, if it was an alias of what the candidates serve
