"""Five operations on a table, from a few words about it: list, look, add, change, delete.

What the console's forms check the models check, so both refuse the same. A row of somebody else's tenant is as absent
as one that never was. A change can be made conditional (`If-Match` with the `ETag` that a look gave). Rows that follow
a file or the environment are changed there, not here.
"""

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar
from uuid import UUID

from django.db import models, transaction
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse
from ninja import Query, Router, Schema, Status
from pydantic import Field

from accounts import rights
from accounts.rights import Right
from proxx.api.control import paging, shapes
from proxx.api.control.callers import Caller, Needs
from proxx.api.control.errors import Refused, not_found
from proxx.api.control.paging import Order
from proxx.kit import fastjson

Row = TypeVar("Row", bound=models.Model)

PLACES: Mapping[type, str] = {UUID: "uuid:", int: "int:", str: ""}


class Paging(Schema):
    """Where a page begins and how long it is."""

    limit: int = Field(paging.USUAL, ge=1, le=paging.MOST, description="How many rows at most.")
    after: str | None = Field(None, max_length=2000, description="What `next` of the page before said.")


def answers(schema: Any, status: int = 200) -> dict[int, Any]:
    """Return the answer of an operation; the document has the refusals, which are the same for all (app.py)."""
    return {status: schema}


@dataclass(frozen=True, kw_only=True)
class Shelf(Generic[Row]):
    """What there is to know of a table. `tenant` is the way from a row to its tenant; without one it is the whole
    house's. `shown` are the fields of an answer, `settable` those of a new row, `fixed` of these what stays."""

    noun: str
    model: type[Row]
    read: Right
    write: Right
    order: Order
    shown: tuple[str, ...]
    settable: tuple[str, ...]
    required: tuple[str, ...] = ()
    fixed: tuple[str, ...] = ()
    lines: tuple[str, ...] = ()
    tenant: str | None = None
    by: str = "pk"  # the field that an address names a row by
    steps_up: bool = False
    write_too: tuple[Right, ...] = ()  # rights, had wholly, that open some of its rows for changes
    kinds: Mapping[str, Any] = field(default_factory=dict)  # types of fields that the model does not type
    extra: Mapping[str, Any] = field(default_factory=dict)  # further fields of an answer: its type
    filters: tuple[str, ...] = ()  # fields that a list may be asked by
    # Further questions that a list may be asked: the answer's type, and the condition that follows from it.
    asks: Mapping[str, tuple[Any, Callable[[Any], Q]]] = field(default_factory=dict)
    # What further fields say of some rows, in their order.
    extras: Callable[[list[Row]], list[dict[str, Any]]] = lambda rows: [{} for _ in rows]
    # Called before a row is checked and saved, with what was said; raises ValidationError or Refused.
    prepare: Callable[[Caller, Row, dict[str, Any]], None] = lambda caller, row, said: None
    check_delete: Callable[[Caller, Row], None] = lambda caller, row: None
    check_change: Callable[[Caller, Row], None] = lambda caller, row: None

    @property
    def key(self) -> type:
        """Return the type of what an address names a row by."""
        if self.by != "pk":
            return str
        return UUID if isinstance(self.model._meta.pk, models.UUIDField) else int

    @property
    def name(self) -> str:
        """Return the name of its schema."""
        return "".join(word.capitalize() for word in self.noun.replace("-", " ").split())

    @property
    def tags(self) -> list[str]:
        """Return under which heading the document has its operations."""
        return [f"{self.noun.capitalize()}s"]

    def answer_schema(self) -> type[Schema]:
        """Return the schema of a row."""
        given = {name: kind for name, kind in self.kinds.items() if name in self.shown}
        return shapes.shown(self.name, self.model, self.shown, lines=self.lines, more={**given, **self.extra})

    def new_schema(self) -> type[Schema]:
        """Return the schema of a row that is to be."""
        given = {name: kind for name, kind in self.kinds.items() if name in self.settable}
        return shapes.written(
            f"{self.name}New", self.model, self.settable, required=self.required, lines=self.lines, more=given
        )

    def change_schema(self) -> type[Schema]:
        """Return the schema of a change."""
        names = tuple(name for name in self.settable if name not in self.fixed)
        given = {name: kind for name, kind in self.kinds.items() if name in names}
        return shapes.written(f"{self.name}Change", self.model, names, lines=self.lines, more=given)

    def rows(self, caller: Caller, right: Right) -> QuerySet[Row]:
        """Return the rows that a caller has by a right."""
        queryset: QuerySet[Row] = self.model._default_manager.all()
        return rights.scoped(queryset, caller.who, right, self.tenant) if self.tenant else queryset

    def one(self, caller: Caller, right: Right, pk: Any, *, locked: bool = False) -> Row:
        """Return one of them, 404 for any other."""
        queryset = self.rows(caller, right)
        if locked:
            queryset = queryset.select_for_update(of=("self",))  # what is joined may be absent, and is not changed
        row = queryset.filter(**{self.by: pk}).first() if self.key is not int or pk <= shapes.BIGGEST else None
        if row is None:
            raise not_found(self.noun)
        return row

    def may_add(self, caller: Caller, row: Row) -> bool:
        """Tell whether a new row would be one of the caller's own."""
        return self.tenant is None or rights.may_on(caller.who, self.write, row, self.tenant)

    def told(self, row: Row) -> dict[str, Any]:
        """Return a row as answers show it."""
        return self.told_all([row])[0]

    def told_all(self, rows: list[Row]) -> list[dict[str, Any]]:
        """Return rows as answers show them."""
        more = self.extras(rows)
        return [shapes.values(row, self.shown, lines=self.lines) | said for row, said in zip(rows, more, strict=True)]

    def mark(self, row: Row) -> str:
        """Return the ETag of what can be changed of a row; what changes by itself is not in it."""
        text = fastjson.dumps({name: str(value) for name, value in shapes.values(row, self._columns).items()})
        return f'"{hashlib.sha256(text).hexdigest()[:32]}"'

    @property
    def _columns(self) -> list[str]:
        return [name for name in self.settable if _is_column(self.model, shapes.column_of(name))]

    def add(self, caller: Caller, said: dict[str, Any]) -> Row:
        """Make a row of what was said."""
        return self._write(caller, self.model(), said)

    def change(self, caller: Caller, pk: Any, said: dict[str, Any], *, seen: str = "") -> Row:
        """Change a row by what was said; `seen` is the mark of the state that the caller knows, if they named one."""
        with transaction.atomic():
            row = self.one(caller, self.write, pk, locked=True)
            if seen and self.mark(row) not in _marks(seen):
                raise Refused(412, "changed_meanwhile", "It was changed since you looked. Look again, then decide.")
            self.check_change(caller, row)
            return self._write(caller, row, said)

    def delete(self, caller: Caller, pk: Any) -> None:
        """Delete a row."""
        with transaction.atomic():
            row = self.one(caller, self.write, pk, locked=True)
            self.check_change(caller, row)
            self.check_delete(caller, row)
            row.delete()

    def _write(self, caller: Caller, row: Row, said: dict[str, Any]) -> Row:
        is_new = row._state.adding
        plain = shapes.unlined(said, self.lines)
        names = [name for name in plain if _is_column(self.model, name)]
        for name in names:
            setattr(row, name, plain[name])
        with transaction.atomic():
            if is_new and not self.may_add(caller, row):
                raise not_found("tenant")
            self.prepare(caller, row, plain)
            row.full_clean()
            if is_new:
                row.save(force_insert=True)
            elif names:
                row.save()
        return row


def mount(
    router: Router, path: str, shelf: Shelf[Any], *, adds: bool = True, changes: bool = True, deletes: bool = True
) -> None:
    """Give a shelf its operations below a path."""
    everywhere, noun = shelf.tenant is None, shelf.noun
    may_read = Needs(shelf.read, everywhere=everywhere)
    rights_to_write, wholly = (shelf.write, *shelf.write_too), bool(shelf.write_too)
    may_write = Needs(*rights_to_write, everywhere=everywhere, wholly=wholly, steps_up=shelf.steps_up)
    shown, views = shelf.answer_schema(), _views(shelf)
    place = f"{path}/{{{PLACES[shelf.key]}pk}}"
    rows = answers(shapes.page_of(f"{shelf.name}Page", shown))
    wanted = [
        ("GET", path, "list", f"List {noun}s", may_read, rows),
        ("GET", place, "look", f"Look at one {noun}", may_read, answers(shown)),
        *([("POST", path, "add", f"Add a {noun}", may_write, answers(shown, 201))] if adds else ()),
        *([("PATCH", place, "change", f"Change a {noun}", may_write, answers(shown))] if changes else ()),
        *([("DELETE", place, "delete", f"Delete a {noun}", may_write, answers(None, 204))] if deletes else ()),
    ]
    for method, where, act, summary, policy, response in wanted:
        add = router.api_operation([method], where, auth=policy, response=response, summary=summary, tags=shelf.tags)
        add(views[act])


def _views(shelf: Shelf[Any]) -> dict[str, Callable[..., Any]]:
    """Return what a shelf's operations do, with the types that ninja reads requests by."""

    def list_rows(request: HttpRequest, page: Any, wanted: Any) -> Any:
        queryset = shelf.rows(request.auth, shelf.read)  # type: ignore[attr-defined]
        for name, value in wanted.model_dump(exclude_none=True).items():
            queryset = queryset.filter(shelf.asks[name][1](value) if name in shelf.asks else Q(**{name: value}))
        rows, after = paging.page(queryset, shelf.order, limit=page.limit, after=page.after)
        return {"data": shelf.told_all(rows), "next": after}

    def look(request: HttpRequest, response: HttpResponse, pk: Any) -> Any:
        return marked(response, shelf.one(request.auth, shelf.read, pk))  # type: ignore[attr-defined]

    def add(request: HttpRequest, response: HttpResponse, payload: Any) -> Any:
        row = shelf.add(request.auth, payload.model_dump(exclude_unset=True))  # type: ignore[attr-defined]
        row.refresh_from_db()
        return Status(201, marked(response, row))

    def change(request: HttpRequest, response: HttpResponse, pk: Any, payload: Any) -> Any:
        caller, said = request.auth, payload.model_dump(exclude_unset=True)  # type: ignore[attr-defined]
        row = shelf.change(caller, pk, said, seen=request.headers.get("If-Match", ""))
        row.refresh_from_db()
        return marked(response, row)

    def delete(request: HttpRequest, pk: Any) -> Any:
        shelf.delete(request.auth, pk)  # type: ignore[attr-defined]
        return Status(204, None)

    def marked(response: HttpResponse, row: Any) -> dict[str, Any]:
        response["ETag"] = shelf.mark(row)
        return shelf.told(row)

    asks = {name: kind for name, (kind, _) in shelf.asks.items()}
    asked: Any = Query
    filters = shapes.asked(f"{shelf.name}Filters", shelf.model, shelf.filters, asks)
    list_rows.__annotations__ |= {"page": asked[Paging], "wanted": asked[filters]}
    for view in (look, change, delete):
        view.__annotations__["pk"] = shelf.key
    add.__annotations__["payload"] = shelf.new_schema()
    change.__annotations__["payload"] = shelf.change_schema()
    return {"list": list_rows, "look": look, "add": add, "change": change, "delete": delete}


def _marks(seen: str) -> set[str]:
    return {one.strip().removeprefix("W/") for one in seen.split(",")}


def _is_column(model: type[models.Model], name: str) -> bool:
    return any(name in {column.attname, column.name} for column in model._meta.concrete_fields)
