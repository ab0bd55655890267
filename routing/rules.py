"""Rules by model: which providers come first, which dialect they are asked in, which accounts may serve.

The first rule whose pattern matches a model counts, whole; most models have none. Rows of the console become rules in
snapshot/ruling.py, a policy file becomes rows in policy_file.py; what a rule does to a call is routes.py.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from fnmatch import translate

FREE = "free"  # the plan that is none to pay for
LONGEST_PATTERN = 200


@dataclass(frozen=True, slots=True, eq=False)
class Rule:
    """One rule. `providers` come first, in this order; `order_providers` says how the others follow: as configured, or
    cheapest first. `protocols` are asked before the caller's own dialect. `accounts` is a strategy's name, empty for
    the provider's. Accounts with one of `excluded_plans` serve only if nobody else does."""

    id: int
    name: str
    pattern: re.Pattern[str]
    providers: tuple[str, ...] = ()
    excluded_providers: frozenset[str] = frozenset()
    order_providers: str = ""
    protocols: tuple[str, ...] = ()
    excluded_protocols: frozenset[str] = frozenset()
    accounts: str = ""
    excluded_plans: frozenset[str] = frozenset()

    def place(self, provider_id: str) -> int:
        """Return where a provider stands among those that the rule puts first, or behind them."""
        return self.providers.index(provider_id) if provider_id in self.providers else len(self.providers)


def compiled(pattern: str, *, is_regex: bool) -> re.Pattern[str]:
    """Return a pattern of model names, case aside; raise `re.error` for a regular expression that is none.

    A glob means the whole name; a regular expression begins at its beginning and may end anywhere.
    """
    return re.compile(pattern if is_regex else translate(pattern), re.IGNORECASE)


def first(rules: tuple[Rule, ...], names: Iterable[str]) -> Rule | None:
    """Return the first rule that matches any of a model's names."""
    known = tuple(names)
    return next((rule for rule in rules if any(rule.pattern.match(name) for name in known)), None)
