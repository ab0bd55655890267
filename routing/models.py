"""What the operator and the catalogues say about providers and models, where calls may enter, and the number that tells
when any of it changed.

Provider ids are plain text: a provider must not cost a migration. Saving what the operator says raises the revision by
signals (wiring.py); the catalogue's bulk writes raise it themselves, and only if a list changed.
"""

import re
from typing import Any

from django.core.exceptions import ValidationError
from django.db import models
from django.db.models.functions import Lower

from accounts.models import Profile, Tenant
from proxx.kit import clock
from routing import providers

_HOST = re.compile(r"(?=.{1,253}\Z)[a-z0-9_]([a-z0-9_-]{0,62})(\.[a-z0-9_]([a-z0-9_-]{0,62}))*|\[[0-9a-f:.]+\]")


class ConfigRevision(models.Model):
    """One row, one number: it grows with every change of what a Snapshot reads."""

    ONLY = 1

    id = models.PositiveSmallIntegerField(primary_key=True, default=ONLY)
    number = models.BigIntegerField(default=1)

    class Meta:
        constraints = [models.CheckConstraint(condition=models.Q(id=1), name="config_revision_one_row")]

    def __str__(self) -> str:
        return f"Revision {self.number}"


class ProviderSetting(models.Model):
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
        if self.is_private and not self.base_url:
            raise ValidationError({"base_url": "A private provider needs a base URL."})
        try:
            self.applied_to(providers.load().get(self.provider_id))
        except providers.ProviderFault as fault:
            raise ValidationError(str(fault)) from None
        except (TypeError, ValueError, KeyError, AttributeError):
            raise ValidationError("One of the JSON fields does not have the expected shape.") from None

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


class ModelPreference(models.Model):
    """An operator's words on a model name: first in lists, hidden and refused, an alias, or declared to exist."""

    class Source(models.TextChoices):
        """Where the row came from, which decides what may change it."""

        CONSOLE = "console", "Console"
        FILE = "file", "Models file"

    name = models.CharField(max_length=200, help_text="The model as clients name it; case does not matter.")
    rank = models.IntegerField(
        "preferred rank",
        null=True,
        blank=True,
        help_text="Lower ranks are listed and tried first. Empty: no preference.",
    )
    disabled = models.BooleanField(default=False, help_text="Hidden and refused, even if a provider lists it.")
    alias_of = models.CharField(
        "alias of", max_length=200, blank=True, help_text="Requests for this name go to that model, if it exists."
    )
    declared = models.BooleanField(default=False, help_text="Exists although no catalogue lists it.")
    owned_by = models.CharField(
        max_length=64, blank=True, help_text="Shown in lists for declared models. Empty: the provider."
    )
    source = models.CharField(max_length=16, choices=Source.choices, default=Source.CONSOLE, editable=False)

    class Meta:
        ordering = ["rank", "name"]
        constraints = [models.UniqueConstraint(Lower("name"), name="model_preference_name_once")]

    def __str__(self) -> str:
        return self.name

    def clean(self) -> None:
        """Refuse an alias of itself."""
        self.name, self.alias_of = self.name.strip(), self.alias_of.strip()
        if self.alias_of and self.alias_of.lower() == self.name.lower():
            raise ValidationError({"alias_of": "A model cannot be an alias of itself."})


class Listener(models.Model):
    """A host name or a port with a profile of its own: it changes what is offered there, never who may call.

    The one exception is asked for by name: with `own_key_provider` callers bring that provider's key instead of ours.
    """

    name = models.CharField(max_length=120, unique=True, help_text="What it is for, for example “Responses bridge”.")
    host = models.CharField(
        "host name",
        max_length=253,
        blank=True,
        help_text="Requests for this name, such as bridge.example.com, come through here at once, also behind a "
        "reverse proxy that passes the Host header on. Either a host name or a port.",
    )
    port = models.PositiveIntegerField(
        null=True,
        blank=True,
        help_text="Requests for this port come through here. proxx opens it when it starts; a port that is mapped to "
        "proxx's own, as a container's may be, works at once.",
    )
    profile = models.ForeignKey(
        Profile,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="listeners",
        help_text="Request options for all calls that come through here; it goes before the key's and the tenant's.",
    )
    enabled = models.BooleanField(default=True, help_text="Off: as if this listener did not exist.")
    own_key_provider = models.CharField(
        "clients' own keys for",
        max_length=64,
        blank=True,
        help_text="Callers bring their own key of this provider in place of a proxx key. It goes there alone, and is "
        "never stored, logged or tried elsewhere.",
    )
    own_key_tenant = models.ForeignKey(
        Tenant,
        verbose_name="recorded for",
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="+",
        help_text="The tenant whose limits and records these calls count towards. Needed with clients' own keys.",
    )

    class Meta:
        ordering = ["name"]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(host="", port__isnull=False) | (~models.Q(host="") & models.Q(port__isnull=True)),
                name="listener_host_or_port",
                violation_error_message="Give a host name or a port, and not both.",
            ),
            models.CheckConstraint(
                condition=models.Q(own_key_provider="") | models.Q(own_key_tenant__isnull=False),
                name="listener_own_keys_have_a_tenant",
                violation_error_message="Choose the tenant that calls with clients' own keys are recorded for.",
            ),
            models.UniqueConstraint(fields=["host"], condition=~models.Q(host=""), name="listener_host_once"),
            models.UniqueConstraint(fields=["port"], name="listener_port_once"),
        ]

    def __str__(self) -> str:
        return self.name

    def clean(self) -> None:
        """Bring the host name into the form in which requests are compared with it."""
        self.host = self.host.strip().lower().removesuffix(".")
        if self.host and not _HOST.fullmatch(self.host):
            raise ValidationError({"host": "Give a name without https://, port and path, such as ai.example.com."})
        if self.port is not None and not 1 <= self.port <= 65535:
            raise ValidationError({"port": "Give a port between 1 and 65535."})


class CatalogModel(models.Model):
    """One model that a provider lists."""

    provider_id = models.CharField("provider", max_length=64)
    model_id = models.CharField("model", max_length=200)
    position = models.PositiveIntegerField(default=0, help_text="Its place in the provider's own list.")
    display_name = models.CharField(max_length=200, blank=True)
    created = models.BigIntegerField(default=0, help_text="Seconds since 1970; 0 if the provider does not say.")
    context_window = models.BigIntegerField(null=True, blank=True)
    max_output_tokens = models.BigIntegerField(null=True, blank=True)
    supports_reasoning = models.BooleanField(null=True, blank=True)
    supports_tools = models.BooleanField(null=True, blank=True)
    tool_types = models.JSONField(default=list, blank=True)
    first_seen_at = models.DateTimeField("first seen", default=clock.now, editable=False)

    class Meta:
        verbose_name = "model"
        ordering = ["provider_id", "position"]
        constraints = [
            models.UniqueConstraint(fields=["provider_id", "model_id"], name="catalog_model_once_per_provider")
        ]

    def __str__(self) -> str:
        return f"{self.provider_id} · {self.model_id}"


class CatalogState(models.Model):
    """How the last look at a provider's list went. Not configuration: a look that changes nothing raises nothing."""

    provider_id = models.CharField("provider", max_length=64, primary_key=True)
    fetched_at = models.DateTimeField("last good answer", null=True, blank=True)
    tried_at = models.DateTimeField("last tried", null=True, blank=True)
    fault = models.CharField(max_length=240, blank=True)
    count = models.PositiveIntegerField(default=0)

    class Meta:
        verbose_name = "catalogue state"
        ordering = ["provider_id"]

    def __str__(self) -> str:
        return self.provider_id
