"""What a configuration file holds: one section for each table, its rows named by words that stay, not by ids.

A field of a table is a field of the file, under the same name; new fields are in the file by themselves. What is no
field of a row (secrets, the units of limits) is values.py's and secret.py's.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

from django.db import models

from accounts.models import DEFAULT_TENANT_ID, ApiKey, Credential, Limit, Membership, Operator, Profile, Tenant
from proxx.kit import clock
from routing.models import FactSetting, Listener, ModelExclusion, ModelPreference, PolicyRule, ProviderSetting

Row = Any

# How a row is named where another one points to it.
NAMED_BY: Final[Mapping[type[models.Model], str]] = {
    Profile: "name",
    Tenant: "slug",
    ApiKey: "id",
    Operator: "username",
}


def _any(row: Row) -> bool:
    return True


def _of_the_console(row: Row) -> bool:
    """Leave out what follows the environment or a file of its own."""
    return bool(row.source == "console")


def _still_used(row: Row) -> bool:
    """Leave out keys that are over, and limits of such keys."""
    key = row if isinstance(row, ApiKey) else row.key
    return key is None or key.state(clock.now()) == "active"


@dataclass(frozen=True)
class Table:
    """One section: `key` names its rows, `more` are fields that no form shows, `fixed` ones never change; `exported`
    says which rows are in it.

    `made_here`: a row can be added from a file. `prunable`: a row that the file lacks may be taken away.
    """

    section: str
    noun: str
    model: type[models.Model]
    key: tuple[str, ...]
    without: frozenset[str] = frozenset()
    more: tuple[str, ...] = ()
    fixed: frozenset[str] = frozenset()
    exported: Callable[[Row], bool] = _any
    made_here: bool = True
    prunable: Callable[[Row], bool] = _any

    @cached_property
    def fields(self) -> dict[str, Any]:
        """Return every field that the file may hold, the naming ones first."""
        found = {field.name: field for field in self.model._meta.concrete_fields}
        shown = [name for name, field in found.items() if field.editable and not field.primary_key]
        return {
            name: found[name] for name in dict.fromkeys((*self.key, *self.more, *shown)) if name not in self.without
        }


TABLES: Final[tuple[Table, ...]] = (
    Table("profiles", "profile", Profile, ("name",)),
    Table("tenants", "tenant", Tenant, ("slug",), prunable=lambda row: row.pk != DEFAULT_TENANT_ID),
    Table(
        "keys",
        "key",
        ApiKey,
        ("id",),
        more=("tenant", "scopes"),
        fixed=frozenset({"tenant"}),
        exported=_still_used,
        made_here=False,
        prunable=lambda row: False,
    ),
    Table("limits", "limit", Limit, ("tenant", "key", "kind", "model"), exported=_still_used),
    Table(
        "providers", "provider", ProviderSetting, ("provider_id",), exported=lambda row: bool(row.words() or row.notes)
    ),
    Table(
        "credentials",
        "credential",
        Credential,
        ("provider_id", "account_id"),
        without=frozenset({"secret"}),
        exported=_of_the_console,
    ),
    Table("listeners", "listener", Listener, ("name",)),
    Table("preferences", "model", ModelPreference, ("name",), exported=_of_the_console),
    Table("exclusions", "exclusion", ModelExclusion, ("provider_id", "pattern")),
    Table("rules", "rule", PolicyRule, ("kind", "pattern"), exported=lambda row: row.source != "file"),
    Table("facts", "facts of model", FactSetting, ("model", "provider_id")),
    Table("members", "member", Membership, ("operator", "role", "tenant")),
)
SECTIONS: Final[Mapping[str, Table]] = {table.section: table for table in TABLES}
