"""AdmissionEntry: a line of the console's own list of who may sign in with a provider. signin/admission.py reads it."""

from typing import ClassVar
from uuid import uuid4

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models.functions import Lower

from accounts.audited import Audited
from accounts.signin.entry import read
from proxx.kit import clock


class AdmissionEntry(Audited):
    """Somebody, or some group, who may sign in with a provider, and the role that this brings."""

    id = models.UUIDField(primary_key=True, default=uuid4, editable=False)
    provider = models.CharField("signs in with", max_length=64)
    entry = models.CharField(
        "who",
        max_length=300,
        help_text="user:NAME, org:NAME, domain:EXAMPLE.COM, group:NAME or everyone; behind it =ROLE or =ROLE@TENANT "
        "where they get that role.",
    )
    created_at = models.DateTimeField("added", default=clock.now, editable=False)

    class Meta:
        """By provider; each entry once."""

        verbose_name = "sign-in entry"
        verbose_name_plural = "sign-in entries"
        ordering: ClassVar = ["provider", "entry"]
        constraints: ClassVar = [
            models.UniqueConstraint(
                "provider",
                Lower("entry"),
                name="admission_entry_once",
                violation_error_message="This entry is on the list already.",
            )
        ]

    def __str__(self) -> str:
        return f"{self.entry} ({self.provider})"

    def clean(self) -> None:
        """Refuse entries that mean nothing, and providers that nobody signs in with."""
        self.entry = self.entry.strip()
        try:
            read(self.entry)
        except ValueError as fault:
            raise ValidationError({"entry": str(fault)}) from None
        if self.provider not in settings.PROXY_SIGN_IN_WAYS:
            raise ValidationError({"provider": "Nobody can sign in with this provider here."})
