"""`explain_route MODEL`: where a call would go, in which order, and why not elsewhere. Asks nobody, sends nothing."""

from collections import Counter
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from accounts.models import DEFAULT_TENANT_ID
from proxx.kit import clock
from routing import affinity, planner, reload
from routing.dialects import USUAL_PATHS
from routing.plan import EXCLUSIONS, REFUSALS, Plan
from routing.providers import STRATEGIES
from routing.question import Said


class Command(BaseCommand):
    """Print the plan for a model name."""

    help = "Show where a call for a model would go, in which order, and who was struck out."

    def add_arguments(self, parser: CommandParser) -> None:
        """Take the model, and the dialect its caller speaks."""
        parser.add_argument("model")
        parser.add_argument("--dialect", default="openai_chat", choices=list(USUAL_PATHS))
        parser.add_argument("--tenant", default="", help="a tenant's short name; the default tenant otherwise")
        parser.add_argument("--cache-key", default="", help="a conversation, by its prompt_cache_key")

    def handle(self, *args: Any, model: str, dialect: str, tenant: str, cache_key: str, **options: Any) -> None:
        """Plan as a call would, from the configuration as it is now."""
        snapshot = reload.current()
        views = {view.slug: view for view in snapshot.tenants.values()}
        view = views.get(tenant) if tenant else snapshot.tenants.get(DEFAULT_TENANT_ID)
        if view is None:
            raise CommandError("There is no such tenant.")
        name = b"key:" + cache_key.encode() if cache_key else b""
        found = planner.plan(
            model=model,
            dialect=dialect,
            tenant=view,
            snapshot=snapshot,
            now=clock.monotonic(),
            question=Said(conversation=affinity.digest(view.id, name)),
        )
        for line in explained(found):
            self.stdout.write(line)
        if fault := reload.last_fault():
            self.stderr.write(fault)


def explained(plan: Plan) -> list[str]:
    """Return the plan in words, a line each."""
    lines = [f"{plan.requested} is an alias."] if plan.alias else []
    for number, one in enumerate(plan.candidates, start=1):
        account = one.account or ("no key needed" if one.credential is None else "account without label")
        lines.append(f"{number}. {one.provider.id} / {account}: {one.model} at {one.url}")
    lines += _strategies(plan)
    if plan.refusal:
        lines.append(REFUSALS[plan.refusal])
    if plan.retry_after is not None:
        lines.append(f"The first of them is back in {plan.retry_after:.0f} s.")
    lines += [f"   {row.provider_id} {EXCLUSIONS[row.code]}." for row in dict.fromkeys(plan.excluded)]
    return lines


def _strategies(plan: Plan) -> list[str]:
    """Say of each provider with equal accounts why they stand in this order."""
    places = Counter((one.provider, one.credential.priority) for one in plan.candidates if one.credential)
    several = dict.fromkeys(provider for (provider, _), many in places.items() if many > 1)
    lines = [f"   {one.id} orders equal accounts by {one.strategy}: {STRATEGIES[one.strategy]}." for one in several]
    if plan.belonging is not None:
        lines.append("   The conversation belongs to the first of each provider, unless a running process moved it.")
    return lines
