"""What the operator says about families of models: who serves them first, in which dialect, with which accounts."""

from django.core.exceptions import ValidationError
from django.db import models

from accounts.audited import Audited
from accounts.profile import lines_of
from routing import rules
from routing.dialects import USUAL_PATHS
from routing.providers import STRATEGIES


class PolicyRule(Audited):
    """One rule; of several the first whose pattern matches a model counts."""

    class Kind(models.TextChoices):
        """How the pattern is read."""

        GLOB = "glob", "The whole name, * for anything"
        REGEX = "regex", "A regular expression, from the beginning of the name"

    class Order(models.TextChoices):
        """How providers follow that the rule does not name."""

        GIVEN = "", "As without the rule"
        CHEAPEST = "cheapest", "Cheapest first, unknown prices last"

    class Source(models.TextChoices):
        """Where the row came from, which decides what may change it."""

        CONSOLE = "console", "Console"
        DEFAULTS = "defaults", "Default rules"
        FILE = "file", "Policy file"

    position = models.PositiveIntegerField(default=100, help_text="Rules are tried in this order, lower numbers first.")
    name = models.CharField(max_length=120, help_text="How this console and explanations name it.")
    pattern = models.CharField(
        "models", max_length=rules.LONGEST_PATTERN, help_text="For example claude-*. Case does not matter."
    )
    kind = models.CharField("read as", max_length=16, choices=Kind.choices, default=Kind.GLOB)
    enabled = models.BooleanField(default=True, help_text="Off: as if this rule did not exist.")
    providers = models.TextField(
        "first these providers", blank=True, help_text="Short names such as openai, one a line, best first."
    )
    excluded_providers = models.TextField(
        "never these providers", blank=True, help_text="Short names, one a line; they never serve these models."
    )
    order_providers = models.CharField(
        "the other providers", max_length=16, blank=True, choices=Order.choices, default=Order.GIVEN
    )
    protocols = models.TextField(
        "ask first in",
        blank=True,
        help_text="Dialects, one a line, best first: openai_chat, openai_responses, anthropic, gemini, ollama. Empty: "
        "the client's own where a provider speaks it.",
    )
    excluded_protocols = models.TextField(
        "never ask in", blank=True, help_text="Dialects, one a line; used only where a provider speaks no other."
    )
    accounts = models.CharField(
        "order of accounts", max_length=32, blank=True, help_text="Empty: as each provider's page says."
    )
    paid_plans = models.BooleanField(
        "paid plans first", default=False, help_text="Accounts with a free plan serve only if there is no other."
    )
    excluded_plans = models.TextField(
        "plans left out",
        blank=True,
        help_text="Plans such as team, one a line; used only if there is no other account.",
    )
    source = models.CharField(max_length=16, choices=Source.choices, default=Source.CONSOLE, editable=False)

    class Meta:
        verbose_name = "rule"
        ordering = ["position", "id"]

    def __str__(self) -> str:
        return self.name or self.pattern

    def clean(self) -> None:
        """Refuse a pattern that is none, and names of dialects and orders that nobody knows."""
        self.pattern = self.pattern.strip()
        try:
            rules.compiled(self.pattern, is_regex=self.kind == self.Kind.REGEX)
        except rules.PatternFault as fault:
            raise ValidationError({"pattern": f"This is no regular expression that proxx takes: {fault}."}) from None
        for field in ("protocols", "excluded_protocols"):
            unknown = [one for one in lines_of(getattr(self, field)) if one not in USUAL_PATHS]
            if unknown:
                raise ValidationError({field: f"proxx knows no dialect {unknown[0]!r}."})
        if self.accounts and self.accounts not in STRATEGIES:
            raise ValidationError({"accounts": "There is no such order."})
