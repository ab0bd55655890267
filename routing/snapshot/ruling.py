"""The operator's rules as a Snapshot holds them: one query, patterns compiled once."""

import re
from collections.abc import Mapping

from django.conf import settings

from accounts.profile import lines_of
from routing import provider_env, rules
from routing.dialects import USUAL_PATHS
from routing.models import PolicyRule
from routing.providers import STRATEGIES, Provider
from routing.rules import PatternFault, Rule


def read(providers: Mapping[str, Provider], faults: list[str]) -> tuple[Rule, ...]:
    """Return the rules in order; add a sentence to `faults` for each that cannot be used."""
    found: list[Rule] = []
    for row in PolicyRule.objects.filter(enabled=True):
        try:
            found.append(_rule(row, providers))
        except PatternFault as fault:
            said = f"The pattern of the rule {row.name!r} is no regular expression that proxx takes: {fault}."
            faults.append(f"{said} The rule is left out.")
    return (*found, *_by_prefix())


def _by_prefix() -> list[Rule]:
    """Return the rules that the environment makes: dialects by the beginning of names, behind all others."""
    said = {
        "UPSTREAM_MESSAGES_MODEL_PREFIXES": (settings.UPSTREAM_MESSAGES_MODEL_PREFIXES, "anthropic"),
        "UPSTREAM_RESPONSES_MODEL_PREFIXES": (settings.UPSTREAM_RESPONSES_MODEL_PREFIXES, "openai_responses"),
    }
    return [
        Rule(0, name, rules.compiled("|".join(map(re.escape, prefixes)), is_regex=True), protocols=(dialect,))
        for name, (prefixes, dialect) in said.items()
        if prefixes
    ]


def _rule(row: PolicyRule, providers: Mapping[str, Provider]) -> Rule:
    plans = {plan.lower() for plan in lines_of(row.excluded_plans)}
    return Rule(
        id=row.pk,
        name=str(row),
        pattern=rules.compiled(row.pattern, is_regex=row.kind == PolicyRule.Kind.REGEX),
        providers=_ids(row.providers, providers),
        excluded_providers=frozenset(_ids(row.excluded_providers, providers)),
        order_providers=row.order_providers,
        protocols=_dialects(row.protocols),
        excluded_protocols=frozenset(_dialects(row.excluded_protocols)),
        accounts=row.accounts if row.accounts in STRATEGIES else "",
        excluded_plans=frozenset(plans | ({rules.FREE} if row.paid_plans else set())),
    )


def _ids(text: str, providers: Mapping[str, Provider]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(provider_env.canonical(line, providers) for line in lines_of(text)))


def _dialects(text: str) -> tuple[str, ...]:
    return tuple(name for name in lines_of(text) if name in USUAL_PATHS)
