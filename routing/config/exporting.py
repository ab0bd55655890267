"""The database -> a configuration file, which `apply_config` takes back. What has its default value is left out."""

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import yaml

from routing.config import values
from routing.config.applying import name_of
from routing.config.reading import VERSION
from routing.config.tables import TABLES, Row, Table

HEAD = """\
# proxx: configuration. `manage.py apply_config FILE` shows what it would change, and asks before it writes.
# Secrets of credentials are not in here. To bring one: secret: ${NAME_OF_A_VARIABLE}
"""


def export(*, sealed: bool = False) -> str:
    """Return the whole configuration as text; with `sealed`, with secrets as they are stored."""
    data: dict[str, Any] = {"version": VERSION}
    for table in TABLES:
        rows = [_row(table, row, sealed=sealed) for row in _rows(table)]
        if rows:
            data[table.section] = rows
    text: str = yaml.dump(data, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=110, indent=2)
    return HEAD + text


def _rows(table: Table) -> list[Row]:
    found = [row for row in table.model._base_manager.order_by("pk") if table.exported(row)]
    return sorted(found, key=lambda row: name_of(table, row))


def _row(table: Table, row: Row, *, sealed: bool) -> dict[str, Any]:
    return dict(_said(table, row, sealed=sealed))


def _said(table: Table, row: Row, *, sealed: bool) -> Iterator[tuple[str, Any]]:
    for name, field in table.fields.items():
        if name in table.key or name in table.fixed:
            value = values.written(field, row)
            if value not in (None, ""):
                yield name, value
        elif getattr(row, field.attname) != values.default(field):
            yield name, values.written(field, row)
    if sealed and table.section == "credentials" and row.secret:
        yield "id", str(row.pk)
        yield "secret", row.secret


class _Dumper(yaml.SafeDumper):
    """Lists below their names, texts of several lines as such, amounts as plain numbers."""

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:  # noqa: FBT001, FBT002 - PyYAML's
        """Indent lists, too."""
        super().increase_indent(flow, indentless=False)


def _text(dumper: yaml.SafeDumper, text: str) -> yaml.Node:
    style = "|" if "\n" in text else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


def _amount(dumper: yaml.SafeDumper, amount: Decimal) -> yaml.Node:
    text = f"{amount:f}"
    text = text.rstrip("0").rstrip(".") if "." in text else text
    return dumper.represent_scalar(f"tag:yaml.org,2002:{'float' if '.' in text else 'int'}", text)


_Dumper.add_representer(str, _text)
_Dumper.add_representer(Decimal, _amount)
