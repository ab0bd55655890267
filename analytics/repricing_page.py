"""The console's page that prices a period again: first the difference, then, if somebody wants it, the writing.

It does what `manage.py reprice_usage` does, for as many calls as fit into one request of a browser.
"""

from datetime import UTC, datetime
from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.admin import AdminSite
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from unfold.widgets import UnfoldAdminTextInputWidget

from accounts import audit
from accounts.signin.step_up import asked_again
from analytics import repricing, usage_sums
from analytics.repricing import Repriced
from proxx.kit import clock
from routing.pricing import NANO

NAME = "reprice"  # of its address
PERMISSION = "routing.change_factsetting"
MOST_CALLS = 100_000  # some ten seconds; a longer period is the command's matter
MODELS_SHOWN = 30


class PeriodForm(forms.Form):
    """From when to when, in UTC."""

    since = forms.DateTimeField(label="From")
    until = forms.DateTimeField(label="Until", required=False, help_text="Empty: now.")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for field in self.fields.values():
            field.widget = UnfoldAdminTextInputWidget(attrs={"type": "datetime-local", "step": "1"})

    def clean(self) -> dict[str, Any]:
        """Refuse a period that is none, or that holds too many calls for a page."""
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        since = cleaned.get("since")
        until = cleaned["until"] = cleaned.get("until") or clock.now()
        if since is None:
            return cleaned
        if fault := usage_sums.fault_of(since, until):
            raise forms.ValidationError("The period ends before it begins." if until <= since else fault)
        calls = sum(group["requests"] for group in usage_sums.sums(since, until))
        if calls > MOST_CALLS:
            raise forms.ValidationError(
                f"There are about {calls:,} calls in this period; a page prices {MOST_CALLS:,}. Choose a shorter "
                f"one, or run: manage.py reprice_usage --since {_said(since)} --until {_said(until)}"
            )
        return cleaned


def page(request: HttpRequest, site: AdminSite) -> HttpResponse:
    """Show the form, then what would change; write it when that is what the pressed button says."""
    if not request.user.has_perm(PERMISSION):
        raise PermissionDenied
    if asked := asked_again(request):
        return asked
    form = PeriodForm(request.POST if request.method == "POST" else None)
    done: Repriced | None = None
    if form.is_bound and form.is_valid():
        since, until = form.cleaned_data["since"], form.cleaned_data["until"]
        if "write" in request.POST:
            return _write(request, since, until)
        done = repricing.run(since, until, dry_run=True)
    context = {
        **site.each_context(request),
        "title": "Price a period again",
        "form": form,
        "period": (_said(form.cleaned_data["since"]), _said(form.cleaned_data["until"])) if done else (),
        "found": _told(done) if done else None,
    }
    return TemplateResponse(request, "admin/analytics/reprice.html", context)


def _write(request: HttpRequest, since: datetime, until: datetime) -> HttpResponse:
    done = repricing.run(since, until)
    facts = {"since": since, "until": until, "calls changed": done.changed, "nano-dollars before": done.before,
             "nano-dollars after": done.after}  # fmt: skip
    audit.note("priced again", f"calls of {since:%Y-%m-%d %H:%M} to {until:%Y-%m-%d %H:%M} UTC", facts)
    said = f"{done.changed:,} of {done.looked_at:,} calls have a new price: {_dollars(done.before)} became "
    messages.success(request, f"{said}{_dollars(done.after)}. Sums follow within a minute.")
    return redirect(NAME)


def _told(done: Repriced) -> dict[str, Any]:
    ordered = sorted(done.models.items(), key=lambda pair: (-abs(pair[1].after - pair[1].before), pair[0]))
    unknown = sorted(done.without_price.items(), key=lambda pair: (-pair[1], pair[0]))
    return {
        "looked_at": f"{done.looked_at:,}",
        "changed": f"{done.changed:,}" if done.changed else "",
        "before": _dollars(done.before),
        "after": _dollars(done.after),
        "models": [
            (model or "no model", f"{one.calls:,}", _dollars(one.before), _dollars(one.after))
            for model, one in ordered[:MODELS_SHOWN]
        ],
        "more": max(0, len(ordered) - MODELS_SHOWN),
        "without": [(model or "no model", f"{calls:,}") for model, calls in unknown[:MODELS_SHOWN]],
    }


def _dollars(nano: int) -> str:
    return f"${nano / NANO:,.6f}"


def _said(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%dT%H:%M:%S}"
