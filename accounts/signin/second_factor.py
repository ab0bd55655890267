"""Second factors: what allauth asks about them, how their secrets lie in the database, and recovery codes.

A secret of an authenticator app is sealed, bound to its operator. Of recovery codes only digests are kept: they are
shown once, by the answer that made them. Passkeys have no secret here, only public keys.
"""

import hashlib
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from allauth.core import context as allauth_context
from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.mfa.models import Authenticator
from django.conf import settings
from django.db import transaction
from django.http import HttpRequest

from accounts.models import Membership, Operator
from accounts.rights import Role
from proxx.kit import sealing

# 80 bits each: with so many, a fast digest is as good as a slow one.
CODES = 10
CODE_LETTERS = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"
CODE_LENGTH = 16
GROUP = 4
FACTORS = (Authenticator.Type.TOTP, Authenticator.Type.WEBAUTHN)
PROTECTED = "has_second_factor"  # in the session, so that a page needs no query to know
EVERYBODY = "all"
WRONG_CODE = "That code is not right. Codes change every half minute and work once."

_whose: ContextVar[str] = ContextVar("whose", default="")


class SecondFactorAdapter(DefaultMFAAdapter):
    """Sealed secrets and our words."""

    error_messages = {**DefaultMFAAdapter.error_messages, "incorrect_code": WRONG_CODE}

    def get_totp_label(self, user: Any) -> str:
        """Return the name that an authenticator app shows."""
        return str(user.get_username())

    def get_public_key_credential_rp_entity(self) -> dict[str, str]:
        """Name this console to whatever keeps passkeys."""
        return {**super().get_public_key_credential_rp_entity(), "name": "proxx"}

    def generate_authenticator_name(self, user: Any, type: Authenticator.Type) -> str:
        """Suggest a name for a new passkey."""
        count = Authenticator.objects.filter(user_id=user.pk, type=type).count()
        return f"Passkey {count + 1}"

    def encrypt(self, text: str) -> str:
        """Seal a secret, bound to the operator it belongs to."""
        return sealing.seal(text, context=_context())

    def decrypt(self, encrypted_text: str) -> str:
        """Open a sealed secret; a digest of a recovery code stays what it is."""
        if not sealing.is_sealed(encrypted_text):
            return encrypted_text
        return sealing.unseal(encrypted_text, context=_context())


@contextmanager
def belonging_to(operator: Any) -> Iterator[None]:
    """Say whose secrets are opened inside: at sign-in nobody is signed in yet."""
    token = _whose.set(str(operator.pk))
    try:
        yield
    finally:
        _whose.reset(token)


def has_one(operator: Any) -> bool:
    """Tell whether an operator has an authenticator app or a passkey."""
    found: bool = Authenticator.objects.filter(user_id=operator.pk, type__in=FACTORS).exists()
    return found


def is_missing(operator: Any, session: Any) -> bool:
    """Tell whether a role of somebody who is signed in demands a second factor (PROXY_SECOND_FACTOR_ROLES) that they
    do not have."""
    demanded = frozenset(settings.PROXY_SECOND_FACTOR_ROLES)
    if not demanded or session.get(PROTECTED):
        return False
    if EVERYBODY not in demanded and not demanded & _roles(operator):
        return False
    if has_one(operator):
        session[PROTECTED] = True
        return False
    return True


def remove_all(operator: Operator) -> int:
    """Take an operator's second factors away, recovery codes too; return how many there were."""
    count: int = Authenticator.objects.filter(user=operator).delete()[0]
    return count


def new_codes(operator: Any) -> list[str]:
    """Make recovery codes in place of all earlier ones; nobody can see them again."""
    codes = ["".join(secrets.choice(CODE_LETTERS) for _ in range(CODE_LENGTH)) for _ in range(CODES)]
    data = {"migrated_codes": [digest(operator, code) for code in codes]}
    with transaction.atomic():
        Authenticator.objects.update_or_create(
            user=operator, type=Authenticator.Type.RECOVERY_CODES, defaults={"data": data}
        )
    return ["-".join(code[at : at + GROUP] for at in range(0, CODE_LENGTH, GROUP)) for code in codes]


def codes_left(operator: Any) -> int | None:
    """Return how many recovery codes are unused; None if none were ever made."""
    kept = Authenticator.objects.filter(user=operator, type=Authenticator.Type.RECOVERY_CODES).first()
    return len(kept.data["migrated_codes"]) if kept else None


def first_codes(request: HttpRequest) -> list[str]:
    """Return new recovery codes for somebody who has just got a first second factor, or nothing."""
    return [] if codes_left(request.user) is not None else new_codes(request.user)


def normal(code: str) -> str:
    """Return a code as it was meant, without the blanks and hyphens that people type."""
    return "".join(code.split()).replace("-", "").upper()


def digest(operator: Any, code: str) -> str:
    """Return what is kept of a recovery code."""
    return hashlib.sha256(f"{operator.pk}:{normal(code)}".encode()).hexdigest()


def context_of(operator_id: Any) -> str:
    """Return what the secret of an operator's authenticator app is bound to."""
    return f"second factor {operator_id}"


def _roles(operator: Any) -> set[str]:
    roles = set(Membership.objects.filter(operator=operator).values_list("role", flat=True))
    return roles | {str(Role.OWNER)} if operator.is_superuser else roles


def _context() -> str:
    return context_of(_whose.get() or allauth_context.request.user.pk)
