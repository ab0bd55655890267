"""The sign-in behind a credential: what renews its token, whom it belongs to, how it stands.

The access token is the credential's secret, its end the credential's `expires_at`, the workspace and the plan stand
there too. What renews tokens is refresh.py, under rules that are written beside the columns they need.
"""

from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from django.db import models

from accounts.audited import Audited
from accounts.fields import SealedTextField
from accounts.models import Credential
from oauth.pending import PendingLogin as PendingLogin  # here, so that Django finds it
from proxx.kit import clock, sealing
from proxx.kit.sealing import Secret


class OAuthAccount(Audited):
    """An account obtained by signing in.

    `version` counts its tokens: whoever stores new ones, or gives up on the old, does so only if it is still the one
    they read. `claim` and `claimed_until` say who is renewing now; `sent` that the refresh token of this version has
    left or may have: it is never sent again.
    """

    class State(models.TextChoices):
        """Whether its tokens can be renewed."""

        WORKING = "working", "working"
        SIGN_IN_AGAIN = "sign_in_again", "sign in again"

    id = models.UUIDField(primary_key=True, default=uuid4, editable=False)
    credential = models.OneToOneField(Credential, on_delete=models.CASCADE, related_name="sign_in", editable=False)
    sign_in = models.CharField(max_length=40, editable=False)  # the entry in providers.py
    refresh_token = SealedTextField(blank=True, editable=False)
    origin = models.CharField(max_length=64, blank=True, editable=False)  # digest of the refresh token it came with
    version = models.PositiveIntegerField(default=1, editable=False)
    subject = models.CharField(max_length=200, blank=True, editable=False)
    email = models.CharField("e-mail", max_length=254, blank=True, editable=False)
    state = models.CharField(max_length=16, choices=State.choices, default=State.WORKING, editable=False)
    fault = models.CharField(max_length=300, blank=True, editable=False)  # one sentence
    failures = models.PositiveIntegerField(default=0, editable=False)  # renewals in a row that failed
    retry_at = models.DateTimeField("tried again", null=True, blank=True, editable=False)
    refreshed_at = models.DateTimeField("tokens since", default=clock.now, editable=False)
    signed_in_at = models.DateTimeField("signed in", default=clock.now, editable=False)
    claim = models.UUIDField(null=True, editable=False)
    claimed_until = models.DateTimeField(null=True, editable=False)
    sent = models.BooleanField(default=False, editable=False)
    created_at = models.DateTimeField("created", default=clock.now, editable=False)

    # Tokens change by themselves; that an account must be signed in again is told by its page, not by the audit.
    unaudited = frozenset(
        {
            "version",
            "origin",
            "failures",
            "retry_at",
            "refreshed_at",
            "claim",
            "claimed_until",
            "sent",
            "state",
            "fault",
        }
    )

    class Meta:
        verbose_name = "sign-in"
        ordering = ["created_at"]
        indexes = [models.Index(fields=["state", "retry_at"], name="oauth_account_state_retry")]

    def __str__(self) -> str:
        return self.email or self.subject or self.sign_in

    @property
    def can_renew(self) -> bool:
        """Tell whether its tokens can be renewed without anybody's help."""
        return self.state == self.State.WORKING and bool(self.refresh_token)

    def opened_refresh_token(self) -> Secret:
        """Return the refresh token, perhaps empty; raise `sealing.SealBroken`."""
        if not self.refresh_token:
            return Secret("")
        return Secret(sealing.unseal(self.refresh_token, context=str(self.pk)))

    def lifetime(self) -> float | None:
        """Return how many seconds the present token was given to live, if that is known."""
        ends: datetime | None = self.credential.expires_at
        return None if ends is None else max(0.0, (ends - self.refreshed_at).total_seconds())

    def audit_tenant(self) -> UUID | None:
        """Return nothing: accounts belong to the house."""
        return None

    def audit_name(self) -> str:
        """Return whose account it is, and where."""
        return f"{self.sign_in} · {self}"

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Save; an e-mail address is kept in lower case."""
        self.email = self.email.lower()
        super().save(*args, **kwargs)
