"""`explain_route MODEL`: where a call would go, in which order, and why not elsewhere. Asks nobody, sends nothing."""

import sys
from collections import Counter
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from accounts.models import DEFAULT_TENANT_ID, ApiKey
from routing import explaining, reload
from routing.dialects import USUAL_PATHS
from routing.explaining import CannotAsk, Explained, Wish
from routing.plan import Candidate
from routing.providers import STRATEGIES
from routing.question import EFFORTS, NEEDS


class Command(BaseCommand):
    """Print the plan for a model name, or for a whole request."""

    help = "Show where a call for a model would go, in which order, and who was struck out."

    def add_arguments(self, parser: CommandParser) -> None:
        """Take the model, whose call it is, and what the request says."""
        parser.add_argument("model", nargs="?", default="", help="may be left out if a body names it")
        parser.add_argument("--dialect", default="openai_chat", choices=list(USUAL_PATHS))
        parser.add_argument("--tenant", default="", help="a tenant's short name; the default tenant otherwise")
        parser.add_argument("--key", default="", help="a key of that tenant, by its label or first characters")
        parser.add_argument("--cache-key", default="", help="a conversation, by its prompt_cache_key")
        parser.add_argument("--needs", default="", help=f"what the request needs, comma list of: {', '.join(NEEDS)}")
        parser.add_argument("--effort", default="", choices=["", *EFFORTS], help="how much it wants to think")
        parser.add_argument("--tokens", type=int, default=0, help="how many tokens of text it has")
        parser.add_argument("--body", default="", help="a file that holds the request itself; - for standard input")

    def handle(self, *args: Any, model: str, tenant: str, key: str, needs: str, body: str, **options: Any) -> None:
        """Plan as a call would, from the configuration as it is now."""
        snapshot = reload.current()
        views = {view.slug: view for view in snapshot.tenants.values()}
        view = views.get(tenant) if tenant else snapshot.tenants.get(DEFAULT_TENANT_ID)
        if view is None:
            raise CommandError("There is no such tenant.")
        wanted = frozenset(filter(None, needs.replace(" ", "").split(",")))
        for word in wanted - NEEDS.keys():
            raise CommandError(f"{word!r} is none of {', '.join(NEEDS)}.")
        if not model and not body:
            raise CommandError("Name a model, or give a body that names one.")
        holder = _key(key, view.id) if key else None
        wish = Wish(
            model=model,
            tenant=view,
            dialect=options["dialect"],
            key=holder.pk if holder else None,
            key_profile=holder.profile_id if holder else None,
            needs=wanted,
            effort=options["effort"],
            tokens=options["tokens"],
            conversation=options["cache_key"],
            body=_content(body) if body else b"",
        )
        try:
            found = explaining.explain(wish, snapshot)
        except CannotAsk as fault:
            raise CommandError(str(fault)) from None
        for line in told(found):
            self.stdout.write(line)
        if said := reload.last_fault():
            self.stderr.write(said)


def told(found: Explained) -> list[str]:
    """Return the decision in words, a line each."""
    plan = found.plan
    lines = [f"{plan.requested} is an alias."] if plan.alias and not plan.auto else []
    lines += [f"{plan.requested} chose {', '.join(plan.auto)}."] if plan.auto else []
    lines += [f"The request needs {', '.join(found.needs)}."] if found.needs else []
    for step in found.steps:
        doubt = f" ({step.health})" if step.state == "doubtful" else ""
        lines.append(f"{step.number}. {step.provider_id} / {step.account}: {step.model} at {step.url}{doubt}")
    lines += [f"   and {found.unshown} more."] if found.unshown else []
    lines += [f"   The rule “{found.rule}” applies."] if found.rule else []
    lines += _strategies(found)
    lines += [found.refusal] if found.refusal else []
    lines += found.lost
    if plan.retry_after is not None:
        lines.append(f"The first of them is back in {plan.retry_after:.0f} s.")
    return [*lines, *(f"   {left.who} {left.reason}." for left in found.left_out)]


def _strategies(found: Explained) -> list[str]:
    """Say of each provider with equal accounts why they stand in this order."""
    held = [one for one in found.plan.candidates if one.credential is not None]
    places = Counter((one.provider.id, one.strategy, _rule(one), one.model, one.place) for one in held)
    several: dict[tuple[str, str, str], dict[str, None]] = {}
    for (provider, strategy, rule, model, _), many in places.items():
        if many > 1:
            several.setdefault((provider, strategy, rule), {})[model] = None
    differ = len({provider for provider, _, _ in several}) < len(several)
    lines = []
    for (provider, strategy, rule), models in several.items():
        which = f" of {', '.join(models)}" if differ else ""
        lines.append(f"   {provider} orders equal accounts{which} by {strategy}{rule}: {STRATEGIES[strategy]}.")
    if found.plan.belonging is not None:
        lines.append("   The conversation belongs to the first of each provider, unless a running process moved it.")
    return lines


def _rule(one: Candidate) -> str:
    """Say which rule orders a candidate's equals, if it is not their provider's page."""
    return f", as the rule “{one.rule.name}” says" if one.rule is not None and one.rule.accounts else ""


def _key(said: str, tenant_id: Any) -> ApiKey:
    keys = [
        key for key in ApiKey.objects.filter(tenant_id=tenant_id) if key.label == said or said.startswith(key.prefix)
    ]
    if len(keys) != 1:
        raise CommandError("No key, or more than one, of this tenant is called that.")
    return keys[0]


def _content(path: str) -> bytes:
    try:
        return sys.stdin.buffer.read() if path == "-" else Path(path).read_bytes()
    except OSError:
        raise CommandError(f"{path} cannot be read.") from None
