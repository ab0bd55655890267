"""What a tenant or a key may use: four lists of names, of which empty ones restrict nothing.

Both count: a key may use what its tenant may and it itself may. How they act on a call is routing/permits.py.
"""

from django.db import models

_NAMES = "one a line, * for anything; case does not matter."


class Restricted(models.Model):
    """Lists of models and providers that may be used, and of those that may not; what is refused wins."""

    models_allowed = models.TextField(
        "only these models",
        blank=True,
        help_text=f"Names of models or aliases, {_NAMES} Empty: all. Others are refused and not listed.",
    )
    models_denied = models.TextField(
        "never these models", blank=True, help_text=f"Names of models, {_NAMES} Also refused behind an alias."
    )
    providers_allowed = models.TextField(
        "only these providers", blank=True, help_text=f"Short names such as openai or groq, {_NAMES} Empty: all."
    )
    providers_denied = models.TextField("never these providers", blank=True, help_text=f"Short names, {_NAMES}")

    class Meta:
        abstract = True

    @property
    def restrictions(self) -> dict[str, str]:
        """Return the four texts by field name, as another row takes them."""
        return {name: getattr(self, name) for name in RESTRICTIONS}

    @property
    def lists(self) -> tuple[str, ...]:
        """Return the four texts in the order of RESTRICTIONS; nothing if none of them says anything."""
        return said(tuple(self.restrictions.values()))

    @property
    def is_restricted(self) -> bool:
        """Tell whether any of the lists says anything."""
        return bool(self.lists)


def said(lists: tuple[str, ...]) -> tuple[str, ...]:
    """Return the lists if they say anything, otherwise nothing."""
    return lists if any(text.strip() for text in lists) else ()


# As a form shows them, side by side.
PAIRS = (("models_allowed", "models_denied"), ("providers_allowed", "providers_denied"))
RESTRICTIONS = ("models_allowed", "models_denied", "providers_allowed", "providers_denied")
