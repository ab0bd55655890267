"""Where calls may enter: a host name or a port with a profile of its own."""

import re

from django.core.exceptions import ValidationError
from django.db import models

from accounts.audited import Audited
from accounts.models import Profile, Tenant

_HOST = re.compile(r"(?=.{1,253}\Z)[a-z0-9_]([a-z0-9_-]{0,62})(\.[a-z0-9_]([a-z0-9_-]{0,62}))*|\[[0-9a-f:.]+\]")


class Listener(Audited):
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
        # The constraints above say the same, but at no field.
        if bool(self.host) == (self.port is not None):
            raise ValidationError({"host": "Give a host name or a port, and not both."})
        if self.own_key_provider and self.own_key_tenant is None:
            raise ValidationError(
                {"own_key_tenant": "Choose the tenant that calls with clients' own keys are recorded for."}
            )
