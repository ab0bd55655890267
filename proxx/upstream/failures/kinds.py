"""The kinds of failure, each with what it is about and what it says when the upstream says nothing."""

from dataclasses import dataclass
from typing import Literal

Scope = Literal["request", "credential", "model", "provider"]


@dataclass(frozen=True, slots=True)
class Failure:
    """What went wrong with one attempt.

    `kind` is a name in `KINDS`. `status` is the upstream's HTTP status, None where there was none or it said 200.
    `retry_after` is the time the upstream asked us to stay away, in seconds from now. `message` is its own prose, made
    safe (at most 2,000 characters, no control characters, secrets masked). `code` is its own code, as it wrote it.
    `scope` says what the failure is about; "model" means this model on this credential. `way` is, for a provider that
    could not be reached, the word of reaching.py that says in which way.
    """

    kind: str
    status: int | None
    retry_after: float | None
    message: str
    code: str | None
    scope: Scope
    way: str = ""


def named(kind: str, message: str = "", way: str = "") -> Failure:
    """Make a failure that was noticed on our side (empty, malformed, truncated, timed_out, ...)."""
    scope, sentence = KINDS[kind]
    return Failure(kind, None, None, message or sentence, None, scope, way)


KINDS: dict[str, tuple[Scope, str]] = {
    "invalid_request": ("request", "The provider rejected the request."),
    "context_length": ("request", "The request is longer than the model's context."),
    "content_policy": ("request", "The provider refused the content."),
    "too_large": ("request", "The request is too large for the provider."),
    "inexpressible": ("request", "The provider's dialect cannot carry this request."),
    "auth": ("credential", "The provider did not accept the credential."),
    "not_renewed": ("credential", "The sign-in of this account could not be renewed just now."),
    "permission": ("credential", "The provider does not allow this to the credential."),
    "quota_spent": ("credential", "The credential's quota or balance is spent."),
    "rate_limited": ("credential", "The provider limits the rate of the credential."),
    "too_many_at_once": ("credential", "The credential has too many requests in flight."),
    "not_found": ("model", "The provider does not know the model or the path."),
    "overloaded": ("provider", "The provider is overloaded."),
    "upstream_error": ("provider", "The provider failed."),
    "connect_failed": ("provider", "The provider could not be reached."),
    "timed_out": ("provider", "The provider did not answer in time."),
    "empty": ("model", "The provider's answer was empty."),
    "unreasoned": ("model", "The answer lacks the reasoning that was asked for."),
    "malformed": ("provider", "The provider's answer could not be read."),
    "truncated": ("provider", "The provider's answer ended too early."),
}
