"""What the operator says about models by name: preferences, aliases and pools, exclusions."""

from django.core.exceptions import ValidationError
from django.db import models
from django.db.models.functions import Lower

from accounts.audited import Audited

LONGEST_NAME = 200


class ModelPreference(Audited):
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
    alias_of = models.TextField(
        "alias of",
        blank=True,
        help_text="Requests for this name go to that model, if it exists. Several, one a line, are tried in order. "
        "“high:model” is for requests that ask for this much reasoning (minimal, low, medium, high, xhigh).",
    )
    alias_enabled = models.BooleanField(
        "alias is on", default=True, help_text="Off: the name is what it is without the alias."
    )
    notes = models.TextField(blank=True, help_text="For people; proxx does not read it.")
    declared = models.BooleanField(default=False, help_text="Exists although no catalogue lists it.")
    owned_by = models.CharField(
        max_length=64, blank=True, help_text="Shown in lists for declared models. Empty: the provider."
    )
    source = models.CharField(max_length=16, choices=Source.choices, default=Source.CONSOLE, editable=False)

    class Meta:
        verbose_name = "alias or preference"
        verbose_name_plural = "aliases and preferences"
        ordering = ["rank", "name"]
        constraints = [models.UniqueConstraint(Lower("name"), name="model_preference_name_once")]

    def __str__(self) -> str:
        return self.name

    @property
    def targets(self) -> tuple[str, ...]:
        """Return what the name stands for, in order, as the operator wrote it; empty if it is no alias."""
        return tuple(stripped for line in self.alias_of.splitlines() if (stripped := line.strip()))

    def clean(self) -> None:
        """Refuse an alias of itself."""
        self.name, self.alias_of = self.name.strip(), "\n".join(self.targets)
        if any(line.lower() == self.name.lower() for line in self.targets):
            raise ValidationError({"alias_of": "A model cannot be an alias of itself."})
        if any(len(line) > LONGEST_NAME for line in self.targets):
            raise ValidationError({"alias_of": f"A target has at most {LONGEST_NAME} characters."})


class ModelExclusion(Audited):
    """Models that are not to be had from one provider, although it lists them (F-070)."""

    provider_id = models.CharField("provider", max_length=64)
    pattern = models.CharField(
        "model",
        max_length=LONGEST_NAME,
        help_text="A name, or several with * for anything: *-preview. Case does not matter.",
    )
    notes = models.TextField(blank=True, help_text="For people; proxx does not read it.")

    class Meta:
        verbose_name = "exclusion"
        ordering = ["provider_id", "pattern"]
        constraints = [models.UniqueConstraint("provider_id", Lower("pattern"), name="model_exclusion_once")]

    def __str__(self) -> str:
        return f"{self.pattern} at {self.provider_id}"

    def clean(self) -> None:
        """Bring names into the form in which they are compared."""
        self.provider_id, self.pattern = self.provider_id.strip().lower(), self.pattern.strip()
