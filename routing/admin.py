"""The console's pages of this room: providers, what they list, wishes on models, and the credentials sent to them;
and listeners."""

from accounts.admin import base
from routing import (
    credential_admin,
    doubts,
    exclusion_admin,
    facts_admin,
    listener_admin,
    model_admin,
    policy_admin,
    provider_admin,
)

base.doubts.append(doubts.of)

__all__ = [
    "credential_admin",
    "exclusion_admin",
    "facts_admin",
    "listener_admin",
    "model_admin",
    "policy_admin",
    "provider_admin",
]
