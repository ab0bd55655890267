"""Who may call us, and the secrets we call with: operators, tenants, their keys, upstream credentials.

Only tables and their rules. Saving a Tenant, ApiKey or Credential raises the revision (routing/apps.py).
"""

import hashlib
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from django.contrib.auth.models import AbstractUser
from django.core.exceptions import ValidationError
from django.core.validators import RegexValidator
from django.db import models
from django.db.models.functions import Lower
from django.utils.crypto import salted_hmac

from accounts import rights, scopes
from accounts.admitted import AdmissionEntry as AdmissionEntry  # this and others: here, so that Django finds them
from accounts.answered import Answered as Answered
from accounts.audit_entry import AuditEntry as AuditEntry
from accounts.audit_entry import AuditHead as AuditHead
from accounts.audited import Audited
from accounts.fields import SealedTextField
from accounts.keeping import KeyKeeping, TenantKeeping
from accounts.limit import Hold as Hold
from accounts.limit import LedgerEntry as LedgerEntry
from accounts.limit import Limit as Limit
from accounts.limit import LimitWindow as LimitWindow
from accounts.profile import Profile as Profile
from accounts.restricted import Restricted
from accounts.rights import Membership as Membership
from accounts.scopes import default_scopes as default_scopes
from proxx.kit import clock, sealing

# The tenant that always exists. Its id is fixed, so that the admin token needs no database to know its tenant.
DEFAULT_TENANT_ID = UUID("00000000-0000-4000-8000-000000000001")
DEFAULT_TENANT_SLUG = "default"

_slug = RegexValidator(
    r"^[a-z0-9][a-z0-9_-]*\Z", "Use lower-case letters, digits, hyphens and underscores; begin with a letter or digit."
)


class Operator(Audited, AbstractUser):
    """A person who signs in to the console. What they may do follows from their roles alone (rights.py)."""

    id = models.UUIDField(primary_key=True, default=uuid4, editable=False)
    sign_in_round = models.PositiveIntegerField(default=0, editable=False)  # a new one ends all sign-ins

    unaudited = frozenset({"last_login", "sign_in_round"})

    class Meta(AbstractUser.Meta):
        verbose_name = "operator"
        verbose_name_plural = "operators"

    def has_perm(self, perm: str, obj: Any = None) -> bool:
        """Answer from the roles; which rows a page then shows is `rights.scoped`'s."""
        return rights.has_perm(self, perm)

    def has_module_perms(self, app_label: str) -> bool:
        """Tell whether any page of an app has something for this operator."""
        return rights.has_module(self, app_label)

    def _get_session_auth_hash(self, secret: Any = None) -> str:
        # Sign-ins end with the password or the round that they began with.
        said = f"{self.password}:{self.sign_in_round}" if self.sign_in_round else self.password
        return salted_hmac("accounts.Operator.sign_in", said, secret=secret, algorithm="sha256").hexdigest()


class Tenant(Restricted, TenantKeeping):
    """Who pays: the owner of keys, budgets and records."""

    class Unpriced(models.TextChoices):
        """What a budget in dollars makes of a model whose price is unknown."""

        BLOCK = "block", "Refused"
        FLAG = "flag", "Allowed and not charged, marked as unpriced"
        FALLBACK = "fallback", "Charged at the rates below"

    id = models.UUIDField(primary_key=True, default=uuid4, editable=False)
    slug = models.CharField(
        "short name",
        max_length=64,
        unique=True,
        validators=[_slug],
        help_text="Used in the API and in records. It cannot change later.",
    )
    name = models.CharField(max_length=120, help_text="How the console shows this tenant.")
    is_active = models.BooleanField("active", default=True, help_text="Off: all keys of this tenant are refused.")
    answer_with_alias = models.BooleanField(
        "answer with the requested model name",
        default=False,
        help_text="On: answers carry the model name the client asked for. Off: the name the provider reports.",
    )
    profile = models.ForeignKey(
        Profile,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="tenants",
        help_text="Request options for all calls of this tenant. A key's own profile goes before, a listener's before "
        "both.",
    )
    image_model = models.CharField(
        "pictures go to",
        max_length=200,
        blank=True,
        help_text="Requests with pictures go to this model or alias, if it is to be had. Empty: to the model that they "
        "name (or PROXY_IMAGE_REQUEST_MODEL).",
    )
    fast_mode = models.CharField(
        max_length=16,
        blank=True,
        choices=Profile.Fast.choices,
        help_text="Asks for service_tier “priority”. A profile that says something of it goes before. Requests ask "
        "with the header x-open-hax-fast-mode: true.",
    )
    passthrough_account = models.ForeignKey(
        "accounts.Credential",
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="+",
        help_text="The account that is asked first; others of its provider follow if it is at its limit.",
    )
    unpriced = models.CharField(
        "models without a price",
        max_length=8,
        choices=Unpriced.choices,
        default=Unpriced.BLOCK,
        help_text="What happens to a call under a budget in dollars if nobody knows what its model costs.",
    )
    fallback_input = models.DecimalField(
        "input at", max_digits=12, decimal_places=6, null=True, blank=True, help_text="Dollars per million tokens."
    )
    fallback_output = models.DecimalField(
        "output at", max_digits=12, decimal_places=6, null=True, blank=True, help_text="Dollars per million tokens."
    )
    created_at = models.DateTimeField("created", default=clock.now, editable=False)

    class Meta:
        ordering = ["slug"]
        constraints = [models.CheckConstraint(condition=models.Q(slug=Lower("slug")), name="tenant_slug_lower_case")]

    def __str__(self) -> str:
        return self.name or self.slug

    def audit_tenant(self) -> UUID:
        """Return itself."""
        return self.pk

    def clean(self) -> None:
        """Refuse to switch the default tenant off: the admin token would go with it."""
        if self.pk == DEFAULT_TENANT_ID and not self.is_active:
            raise ValidationError({"is_active": "The default tenant is always active."})
        rates = {name: getattr(self, name) for name in ("fallback_input", "fallback_output")}
        if self.unpriced == self.Unpriced.FALLBACK:
            missing = [name for name, rate in rates.items() if rate is None]
            if missing:
                raise ValidationError(dict.fromkeys(missing, "Say what such models are charged."))
        below = [name for name, rate in rates.items() if rate is not None and rate < 0]
        if below:
            raise ValidationError(dict.fromkeys(below, "A price is not negative."))


class TenantSettings(Tenant):
    """A tenant, as the page of its proxy settings shows it."""

    class Meta:
        proxy = True
        verbose_name = "settings"
        verbose_name_plural = "settings"


class ApiKey(Restricted, KeyKeeping):
    """What a client sends us: kept only as a peppered digest, shown once when it is issued."""

    id = models.UUIDField(primary_key=True, default=uuid4, editable=False)
    tenant = models.ForeignKey(Tenant, on_delete=models.PROTECT, related_name="keys")
    label = models.CharField(max_length=120, help_text="What uses this key, for example “build server”.")
    profile = models.ForeignKey(
        Profile,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="keys",
        help_text="Request options for calls with this key, in place of the tenant's. Empty: the tenant's.",
    )
    prefix = models.CharField(max_length=12, editable=False)
    last4 = models.CharField(max_length=4, editable=False)
    digest = models.CharField(max_length=64, unique=True, editable=False)
    pepper_version = models.PositiveSmallIntegerField(default=sealing.PEPPER_VERSION, editable=False)
    scopes = models.JSONField(default=default_scopes, editable=False, validators=[scopes.check])
    expires_at = models.DateTimeField("expires", null=True, blank=True, help_text="UTC. Empty: never.")
    revoked_at = models.DateTimeField("revoked", null=True, blank=True, editable=False)
    last_used_at = models.DateTimeField("last used", null=True, blank=True, editable=False)
    last_used_from = models.CharField("last used from", max_length=64, blank=True, editable=False)
    created_at = models.DateTimeField("created", default=clock.now, editable=False)
    created_by = models.ForeignKey(
        Operator, null=True, blank=True, editable=False, on_delete=models.SET_NULL, related_name="+"
    )
    replaces = models.ForeignKey(
        "self", null=True, blank=True, editable=False, on_delete=models.SET_NULL, related_name="successors"
    )

    unaudited = frozenset({"last_used_at", "last_used_from"})

    class Meta:
        verbose_name = "key"
        ordering = ["-created_at"]

    def __str__(self) -> str:
        return f"{self.label} ({self.prefix}…{self.last4})"

    def audit_name(self) -> str:
        """Return the label and the end of the token: its beginning looks like a secret."""
        return f"{self.label} (…{self.last4})"

    def state(self, now: datetime) -> str:
        """Return `revoked`, `expired` or `active` at that moment."""
        if self.revoked_at is not None and self.revoked_at <= now:
            return "revoked"
        return "expired" if self.expires_at is not None and self.expires_at <= now else "active"


class Credential(Audited):
    """What we send upstream: one provider's key or sign-in token, sealed at rest."""

    class Kind(models.TextChoices):
        """How the secret was obtained, which decides whether it can be renewed."""

        API_KEY = "api_key", "API key"
        OAUTH_BEARER = "oauth_bearer", "Sign-in token"

    class Source(models.TextChoices):
        """Where the row came from, which decides what may change it."""

        CONSOLE = "console", "Console"
        ENVIRONMENT = "environment", "Environment"
        FILE = "file", "Keys file"
        INLINE = "inline", "Inline JSON"

    id = models.UUIDField(primary_key=True, default=uuid4, editable=False)
    provider_id = models.CharField("provider", max_length=64)
    label = models.CharField(max_length=120, blank=True, help_text="How the console and the records name it.")
    kind = models.CharField(max_length=16, choices=Kind.choices, default=Kind.API_KEY)
    secret = SealedTextField(tail="last4")
    last4 = models.CharField(max_length=4, blank=True, editable=False)
    account_id = models.CharField(
        max_length=200, blank=True, help_text="Stable name of the account. Empty: derived from provider and secret."
    )
    chatgpt_account_id = models.CharField("ChatGPT account id", max_length=200, blank=True)
    plan_type = models.CharField(max_length=64, blank=True)
    expires_at = models.DateTimeField("expires", null=True, blank=True)
    base_url = models.CharField(
        "base URL",
        max_length=500,
        blank=True,
        help_text="Empty: the provider's own. Setting one approves exactly this origin, private addresses included.",
    )
    priority = models.IntegerField(default=100, help_text="Lower numbers are tried first.")
    weight = models.PositiveIntegerField(default=1, help_text="Share of traffic among equal priorities.")
    at_once = models.PositiveIntegerField(
        "calls at once",
        default=0,
        help_text="How many calls it takes at once, in each server process. More go elsewhere or wait. 0: no limit.",
    )
    enabled = models.BooleanField(default=True)
    source = models.CharField(max_length=16, choices=Source.choices, default=Source.CONSOLE, editable=False)
    created_at = models.DateTimeField("created", default=clock.now, editable=False)

    class Meta:
        ordering = ["provider_id", "priority", "label"]
        constraints = [
            models.UniqueConstraint(fields=["provider_id", "account_id"], name="credential_account_once_per_provider")
        ]

    def __str__(self) -> str:
        return f"{self.provider_id} · {self.label or self.masked}"

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Save, deriving the account's stable name first if it has none (the secret is still plain then)."""
        if not self.account_id and self.secret and not sealing.is_sealed(self.secret):
            self.account_id = account_id_of(self.provider_id, self.secret)
        super().save(*args, **kwargs)

    @property
    def masked(self) -> str:
        """Return dots and the last four characters: all that is ever shown of the secret."""
        return f"••••{self.last4}"


def account_id_of(provider_id: str, secret: str) -> str:
    """Return the stable account name of a secret that brings none: a UUID made of SHA-256(provider NUL secret)."""
    head = bytearray(hashlib.sha256(f"{provider_id}\0{secret}".encode()).digest()[:16])
    head[6] = head[6] & 0x0F | 0x50
    head[8] = head[8] & 0x3F | 0x80
    return str(UUID(bytes=bytes(head)))
