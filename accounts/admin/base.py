"""What our admin pages share: they write only what the form changed, and say times the way people do."""

from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any

from django.contrib import messages
from django.db.models import TextField
from django.http import HttpRequest
from django.utils.timesince import timesince, timeuntil
from unfold.admin import ModelAdmin

from accounts.admin.history import WithHistory
from accounts.admin.scope import Scoped
from proxx.kit import clock

# What rooms above say of a row that was just saved: sentences on what looks like a slip.
doubts: list[Callable[[Any], Iterable[str]]] = []


class CarefulAdmin(WithHistory, Scoped, ModelAdmin):
    """An admin page that saves only changed fields: a form that stood open for an hour must not undo what others did.

    It offers no deletion from the list: what is deleted is looked at first.
    """

    list_per_page = 50
    warn_unsaved_form = True
    change_form_show_cancel_button = True
    empty_value_display = "–"
    # What an empty list says it is for; shown through `list_before_template`.
    about = ""
    list_before_template = "admin/accounts/about.html"
    # What the list's button says, if not “Add …”.
    add_label = ""
    # What the first choice of a list of rows says, by field.
    unchosen: dict[str, str] = {}
    # Fields that change with another one, and are saved along with it.
    saved_along: dict[str, tuple[str, ...]] = {}

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:  # noqa: FBT001
        """Save a new row whole, an old one by its changed fields; nothing at all if nothing changed."""
        if not change:
            super().save_model(request, obj, form, change)
            _warn(request, obj)
            return
        columns = {field.name for field in self.opts.concrete_fields}
        changed = [name for name in form.changed_data if name in columns]
        changed += [other for name in form.changed_data for other in self.saved_along.get(name, ())]
        if changed:
            obj.save(update_fields=changed)
            _warn(request, obj)

    def render_change_form(self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any) -> Any:
        """Offer one way to save: the three of Django's forms leave people guessing."""
        context.update(show_save_and_add_another=False, show_save_and_continue=False)
        return super().render_change_form(request, context, *args, **kwargs)

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        """Say in words what it means to choose no row, where `unchosen` knows it."""
        field = super().formfield_for_foreignkey(db_field, request, **kwargs)
        if field is not None and db_field.name in self.unchosen:
            field.empty_label = self.unchosen[db_field.name]
        return field

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        """Return the list's actions without the bulk deletion."""
        actions: dict[str, Any] = super().get_actions(request)
        actions.pop("delete_selected", None)
        return actions


def _warn(request: HttpRequest, row: Any) -> None:
    for doubt in doubts:
        for sentence in doubt(row):
            messages.warning(request, sentence)


def low(field: Any, db_field: Any, lines: int = 3) -> Any:
    """Return a form's field with its box, if it is for several lines, as low as a few of them."""
    if field is not None and isinstance(db_field, TextField):
        field.widget.attrs["rows"] = lines
    return field


def ago(moment: datetime | None, *, never: str = "never") -> str:
    """Return “3 hours ago” or “in 3 hours”, by the larger unit only."""
    if moment is None:
        return never
    now = clock.now()
    if moment > now:
        return f"in {timeuntil(moment, now, depth=1)}"
    return "just now" if (now - moment).total_seconds() < 60 else f"{timesince(moment, now, depth=1)} ago"
