"""What is kept of the bodies of calls: a tenant says it, a key may say otherwise, the house sets the most.

A call needs one number of it, its share: percent of calls whose bodies are kept, `ERRORS` for those only that failed.
What is kept, and how, is analytics/bodies; who may read it is roles.py.
"""

from typing import TYPE_CHECKING, Any

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models

from proxx.kit.configured import settings

ERRORS = -1  # a share: of calls that failed
ALL = 100

_PERCENT_HELP = "Percent of calls, where only a sample is kept."


class Keeping(models.TextChoices):
    """Of which calls bodies are kept, from the fewest on."""

    OFF = "off", "None"
    ERRORS = "errors", "Of calls that failed"
    SAMPLED = "sampled", "Of a sample of calls"
    FULL = "full", "Of all calls"


if TYPE_CHECKING:
    _Number = models.PositiveSmallIntegerField[int, int]
else:
    _Number = models.PositiveSmallIntegerField


class Percent(_Number):
    """From 1 to 100; a form that says nothing leaves it as it is."""

    default_validators = [MinValueValidator(1), MaxValueValidator(ALL)]

    def save_form_data(self, instance: models.Model, data: Any) -> None:
        """Take what the form says."""
        if data is not None:
            super().save_form_data(instance, data)


class TenantKeeping(models.Model):
    """What a tenant says of it."""

    bodies = models.CharField(
        "keep prompts and answers",
        max_length=8,
        choices=Keeping.choices,
        default=Keeping.OFF,
        help_text="Sealed, and for a few days only (PROXY_BODIES_RETENTION_DAYS). Reading them is a right that no role "
        "includes.",
    )
    bodies_percent = Percent("sample", default=10, blank=True, help_text=_PERCENT_HELP)

    class Meta:
        abstract = True


class KeyKeeping(models.Model):
    """What a key says of it; empty is what its tenant says."""

    bodies = models.CharField(
        "keep prompts and answers",
        max_length=8,
        choices=Keeping.choices,
        blank=True,
        default="",
        help_text="In place of what its tenant's settings say.",
    )
    bodies_percent = Percent("sample", default=10, blank=True, help_text=_PERCENT_HELP)

    class Meta:
        abstract = True

    @property
    def keeping(self) -> dict[str, object]:
        """Return both fields by name, as a key that follows this one takes them."""
        return {"bodies": self.bodies, "bodies_percent": self.bodies_percent}


def share_of(mode: str, percent: int) -> int:
    """Return the share of calls whose bodies are kept: 0 to 100, or `ERRORS`; never more than PROXY_BODIES_MOST."""
    wanted, most = _ORDER.get(mode, 0), _ORDER.get(settings.PROXY_BODIES_MOST, 0)
    match tuple(Keeping)[min(wanted, most)]:
        case Keeping.ERRORS:
            return ERRORS
        case Keeping.SAMPLED:
            return min(max(percent, 0), ALL)
        case Keeping.FULL:
            return ALL
    return 0


def share_of_key(mode: str, percent: int) -> int | None:
    """Return the share that a key asks for; None if it leaves the matter to its tenant."""
    return share_of(mode, percent) if mode else None


_ORDER: dict[str, int] = {mode: place for place, mode in enumerate(Keeping)}
