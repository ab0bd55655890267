"""Rules as rows: the default rules at an operator's wish, and those of PROXY_POLICY_CONFIG_FILE as it says them."""

from django.conf import settings
from django.db import transaction

from routing import policy_file
from routing.models import PolicyRule
from routing.policy_file import Fields

FILE, DEFAULTS = PolicyRule.Source.FILE, PolicyRule.Source.DEFAULTS


@transaction.atomic
def add_defaults() -> int:
    """Add the default rules behind all others; return how many were missing. Those that are there stay as they are."""
    known = {(row.pattern, row.kind) for row in PolicyRule.objects.all()}
    last = PolicyRule.objects.order_by("-position").values_list("position", flat=True).first() or 0
    missing = [one for one in policy_file.default_rules() if (one["pattern"], one["kind"]) not in known]
    for fields in missing:
        PolicyRule.objects.create(**{**fields, "position": last + fields["position"]}, source=DEFAULTS)
    return len(missing)


@transaction.atomic
def follow(rules: list[Fields]) -> tuple[int, int, int]:
    """Bring the file's rows up to date; return how many were added, changed and removed.

    With DATABASE_URL the database is the truth: the file only fills an empty table.
    """
    if settings.DATABASE_URL and PolicyRule.objects.exists():
        return 0, 0, 0
    rows = {(row.pattern, row.kind): row for row in PolicyRule.objects.filter(source=FILE)}
    wanted = {(one["pattern"], one["kind"]): one for one in reversed(rules)}
    gone = [old for key, old in rows.items() if key not in wanted]
    for old in gone:
        old.delete()
    added = changed = 0
    for key, fields in wanted.items():
        if (row := rows.get(key)) is None:
            PolicyRule.objects.create(**fields, source=FILE)
            added += 1
        elif any(getattr(row, name) != value for name, value in fields.items()):
            for name, value in fields.items():
                setattr(row, name, value)
            row.save()
            changed += 1
    return added, changed, len(gone)
