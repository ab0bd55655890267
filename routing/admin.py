"""The console's pages of this room: providers, what they list, wishes on models, and the credentials sent to them;
and listeners."""

from routing import (
    credential_admin,
    exclusion_admin,
    facts_admin,
    listener_admin,
    model_admin,
    policy_admin,
    provider_admin,
)

__all__ = [
    "credential_admin",
    "exclusion_admin",
    "facts_admin",
    "listener_admin",
    "model_admin",
    "policy_admin",
    "provider_admin",
]
