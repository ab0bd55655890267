"""Secrets in configuration files: `${NAME}` of the environment, or sealed text. Plain text is refused."""

import re
from collections.abc import Mapping
from uuid import UUID

from django.core.exceptions import ValidationError

from accounts.fields import reveal
from accounts.models import Credential
from proxx.kit import sealing
from proxx.kit.sealing import SealBroken

REFERENCE = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")


def opened(text: object, identifier: object, environment: Mapping[str, str]) -> str:
    """Return the secret that a file means; raise `ValidationError` in words, without any of it."""
    if not isinstance(text, str) or not text:
        raise ValidationError("must be ${NAME}, a variable of the environment")
    if reference := REFERENCE.fullmatch(text):
        value = environment.get(reference[1], "")
        if not value:
            raise ValidationError(f"names the variable {reference[1]}, which is not set")
        return value
    if not sealing.is_sealed(text):
        raise ValidationError("is plain text, which a file must not hold: write ${NAME}, a variable of the environment")
    try:
        return sealing.unseal(text, context=str(UUID(str(identifier))))
    except ValueError:
        raise ValidationError("is sealed and needs the id that stands beside it in the export") from None
    except SealBroken:
        raise ValidationError("cannot be opened with the keys of this proxx (PROXY_ENCRYPTION_KEYS)") from None


def held(row: Credential) -> str | None:
    """Return the secret that a row holds; nothing if no key opens it."""
    try:
        return reveal(row).reveal() if sealing.is_sealed(row.secret) else row.secret
    except SealBroken:
        return None
