"""What looks like a slip of the keyboard in a row that was just saved: it is kept, and the operator is told.

A name may be of a provider or model that is to come, so nothing is refused; but a refusal with a typo refuses nobody.
"""

from collections.abc import Iterator
from fnmatch import fnmatchcase

from django.db.models import Model

from accounts.profile import lines_of
from routing import aliases, provider_env, reload
from routing.models import ModelPreference, ProviderSetting
from routing.snapshot import Snapshot

# Fields that hold names of providers, one a line, of rules, tenants and keys.
OF_PROVIDERS = ("providers", "excluded_providers", "providers_allowed", "providers_denied")


def of(row: Model) -> Iterator[str]:
    """Yield a sentence for each name in a row that nobody goes by."""
    snapshot = reload.current()
    fields = [(name, lines_of(getattr(row, name, ""))) for name in OF_PROVIDERS]
    rows = ProviderSetting.objects.values_list("provider_id", flat=True) if any(said for _, said in fields) else ()
    known = {*snapshot.providers, *rows}
    for field, said in fields:
        unknown = [name for name in said if not _is_known(name, known, snapshot)]
        if unknown:
            label = str(getattr(row._meta.get_field(field), "verbose_name", field)).capitalize()
            yield f"“{label}” names providers that proxx does not know: {', '.join(unknown)}."
    if isinstance(row, ModelPreference) and row.alias_enabled:
        yield from _lost(row, snapshot)


def _lost(row: ModelPreference, snapshot: Snapshot) -> Iterator[str]:
    others = ModelPreference.objects.exclude(alias_of="").filter(alias_enabled=True).values_list("name", flat=True)
    for target, why in aliases.nowhere(row.targets, snapshot, aliases=[one.lower() for one in others]).items():
        yield f"The target {target} leads nowhere now. {why}"


def _is_known(name: str, known: set[str], snapshot: Snapshot) -> bool:
    wanted = provider_env.canonical(name, snapshot.providers)
    return any(fnmatchcase(one, wanted) for one in known)
