"""What the operator says about providers, and the number that tells when any of it changed."""

from typing import Any

from django.core.exceptions import ValidationError
from django.db import models

from accounts.audited import Audited
from accounts.models import Credential
from routing import provider_env, providers


class ConfigRevision(models.Model):
    """One row, one number: it grows with every change of what a Snapshot reads."""

    ONLY = 1

    id = models.PositiveSmallIntegerField(primary_key=True, default=ONLY)
    number = models.BigIntegerField(default=1)

    class Meta:
        constraints = [models.CheckConstraint(condition=models.Q(id=1), name="config_revision_one_row")]

    def __str__(self) -> str:
        return f"Revision {self.number}"


class ProviderSetting(Audited):
    """An operator's words on a provider: switched off, another base URL, or a private provider altogether.

    Empty fields leave the registry's value. A private provider is a row whose id the registry does not know.
    """

    provider_id = models.CharField("provider", max_length=64, unique=True)
    label = models.CharField(max_length=120, blank=True, help_text="Empty: the registry's name.")
    enabled = models.BooleanField(default=True, help_text="Off: no call goes there; its credentials are kept.")
    base_url = models.CharField(
        "base URL",
        max_length=500,
        blank=True,
        help_text="Empty: the registry's. Setting one approves exactly this origin, private addresses included.",
    )
    protocols = models.JSONField(
        default=list, blank=True, help_text='What it speaks, best first, e.g. ["openai_chat"]. Empty: the registry\'s.'
    )
    paths = models.JSONField(
        default=dict,
        blank=True,
        help_text='Path per protocol where it is not the usual one, e.g. {"openai_chat": "/chat"}.',
    )
    auth = models.CharField("auth style", max_length=32, blank=True, help_text="Empty: the registry's (or bearer).")
    needs_key = models.BooleanField("needs a key", null=True, blank=True, help_text="Unknown: the registry's (or yes).")
    models_paths = models.JSONField(
        null=True,
        blank=True,
        help_text='Where models are listed, e.g. ["/v1/models"]; [] for nowhere. Empty: the registry\'s.',
    )
    headers = models.JSONField(default=dict, blank=True, help_text="Fixed headers sent along; never a secret.")
    quirks = models.JSONField(default=list, blank=True, help_text="Named edits of requests. Empty: the registry's.")
    priority = models.IntegerField(
        null=True, blank=True, help_text="Lower numbers are tried first. Empty: the registry's."
    )
    strategy = models.CharField(
        "order of accounts",
        max_length=32,
        blank=True,
        help_text="Who of several accounts with the same priority comes first. Empty: the registry's (or affinity).",
    )
    notes = models.TextField(blank=True)

    class Meta:
        verbose_name = "provider"
        ordering = ["provider_id"]

    def __str__(self) -> str:
        shipped = providers.load().get(self.provider_id)
        return self.label or (shipped.label if shipped else self.provider_id)

    @property
    def is_private(self) -> bool:
        """Tell an operator's own provider from one of the registry."""
        return self.provider_id not in providers.load()

    def clean(self) -> None:
        """Refuse what would not load: the same checks that the registry passes."""
        if self.is_private and not self.base_url and not self._has_address_elsewhere():
            raise ValidationError({"base_url": "A private provider needs a base URL."})
        try:
            self.applied_to(providers.load().get(self.provider_id))
        except providers.ProviderFault as fault:
            raise ValidationError(str(fault)) from None
        except (TypeError, ValueError, KeyError, AttributeError):
            raise ValidationError("One of the JSON fields does not have the expected shape.") from None

    def _has_address_elsewhere(self) -> bool:
        found, _ = provider_env.configured()
        known = found.get(provider_env.canonical(self.provider_id, found))
        held = Credential.objects.filter(provider_id=self.provider_id).exclude(base_url="")
        return bool(known and known.base_url) or held.exists()

    def applied_to(self, provider: providers.Provider | None) -> providers.Provider:
        """Return the provider with this row's words applied; raise `ProviderFault` if that gives no usable one."""
        return providers.overlaid(provider or providers.generic(self.provider_id, self.base_url), self.words())

    def words(self) -> dict[str, Any]:
        """Return only what this row says, by field name."""
        said = {
            "label": self.label,
            "base_url": self.base_url.strip(),
            "protocols": self.protocols,
            "paths": self.paths,
            "auth": self.auth,
            "headers": self.headers,
            "quirks": self.quirks,
            "strategy": self.strategy,
        }
        may_be_false = {"needs_key": self.needs_key, "models_paths": self.models_paths, "priority": self.priority}
        return (
            {name: value for name, value in said.items() if value}
            | {name: value for name, value in may_be_false.items() if value is not None}
            | ({} if self.enabled else {"enabled": False})
        )
