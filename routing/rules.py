"""Rules by model: which providers come first, which dialect they are asked in, which accounts may serve.

The first rule whose pattern matches a model counts, whole; most models have none. Rows of the console become rules in
snapshot/ruling.py, a policy file becomes rows in policy_file.py; what a rule does to a call is routes.py.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from fnmatch import translate
from typing import Protocol

import re2

FREE = "free"  # the plan that is none to pay for
LONGEST_PATTERN = 200
LARGEST = 1 << 20  # bytes that a compiled expression and its memory may take


class PatternFault(ValueError):
    """This is no regular expression, or one whose time has no bound; the text says why."""


class Pattern(Protocol):
    """A compiled pattern of model names."""

    def match(self, name: str, /) -> object | None:
        """Return something if a name fits."""


@dataclass(frozen=True, slots=True, eq=False)
class Rule:
    """One rule. `providers` come first, in this order; `order_providers` says how the others follow: as configured, or
    cheapest first. `protocols` are asked before the caller's own dialect. `accounts` is a strategy's name, empty for
    the provider's. Accounts with one of `excluded_plans` serve only if nobody else does."""

    id: int
    name: str
    pattern: Pattern
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


def compiled(pattern: str, *, is_regex: bool) -> Pattern:
    """Return a pattern of model names, case aside; raise `PatternFault` for a regular expression that is none.

    A glob means the whole name; a regular expression begins at its beginning and may end anywhere. It is RE2's dialect,
    without look-around and references back: names come from callers, and no name may take longer than its length.
    """
    return _Expression(pattern) if is_regex else re.compile(translate(pattern), re.IGNORECASE)


def first(rules: tuple[Rule, ...], names: Iterable[str]) -> Rule | None:
    """Return the first rule that matches any of a model's names."""
    known = tuple(names)
    return next((rule for rule in rules if any(rule.pattern.match(name) for name in known)), None)


class _Expression:
    """A regular expression that takes time by the length of a name only."""

    __slots__ = ("_expression",)

    def __init__(self, pattern: str) -> None:
        options = re2.Options()
        options.case_sensitive, options.log_errors, options.max_mem = False, False, LARGEST
        try:
            self._expression = re2.compile(pattern.encode(errors="replace"), options)
        except re2.error as fault:
            said = fault.args[0] if fault.args else ""
            raise PatternFault(said.decode(errors="replace") if isinstance(said, bytes) else str(said)) from None

    def match(self, name: str, /) -> object | None:
        # Half a surrogate pair is no UTF-8, but may be in a name.
        found: object | None = self._expression.match(name.encode(errors="replace"))
        return found
