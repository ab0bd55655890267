"""The console's page that shows where a request would go: the same decision as for a call, drawn. Nothing is sent."""

from typing import Any

from django import forms
from django.contrib.admin import AdminSite
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from unfold.widgets import (
    UnfoldAdminIntegerFieldWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminTextareaWidget,
    UnfoldAdminTextInputWidget,
)

from accounts.models import DEFAULT_TENANT_ID, ApiKey
from routing import explaining, quota, reload
from routing.dialects import USUAL_PATHS
from routing.explaining import CannotAsk, Explained, Step, Wish
from routing.pages import NAMES
from routing.question import EFFORTS
from routing.quota_admin import Bar, bars
from routing.snapshot import Snapshot

PERMISSION = "routing.view_policyrule"
NEEDS = (
    ("images", "pictures"),
    ("audio", "audio"),
    ("pdf", "a PDF"),
    ("tools", "tools"),
    ("schema", "a JSON schema"),
    ("reasoning", "reasoning"),
)
LONGEST_BODY = 2_000_000
LONGEST_MODEL = 200
MODELS_AT_MOST = 2000


class ExplainForm(forms.Form):
    """A request in a few words, or as it is."""

    model = forms.CharField(
        required=False,
        max_length=LONGEST_MODEL,
        widget=UnfoldAdminTextInputWidget(
            attrs={"list": "models", "placeholder": "gpt-5.4, groq/llama, auto:cheapest"}
        ),
        help_text="As a client names it: a model, an alias, or with a provider in front.",
    )
    dialect = forms.ChoiceField(
        label="Asked in", choices=[(name, NAMES[name]) for name in USUAL_PATHS], widget=UnfoldAdminSelectWidget
    )
    caller = forms.ChoiceField(label="By", widget=UnfoldAdminSelectWidget)
    effort = forms.ChoiceField(
        required=False, choices=[("", "not said"), *((one, one) for one in EFFORTS)], widget=UnfoldAdminSelectWidget
    )
    tokens = forms.IntegerField(
        required=False, min_value=0, max_value=100_000_000, widget=UnfoldAdminIntegerFieldWidget(attrs={"min": 0})
    )
    conversation = forms.CharField(
        required=False,
        max_length=1000,
        widget=UnfoldAdminTextInputWidget,
        help_text="Its prompt_cache_key. Empty: a call that belongs to none.",
    )
    needs = forms.MultipleChoiceField(required=False, choices=NEEDS, widget=forms.CheckboxSelectMultiple)
    body = forms.CharField(
        label="Or the request itself",
        required=False,
        max_length=LONGEST_BODY,
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 4, "spellcheck": "false"}),
        help_text="JSON in that dialect; then it says by itself what it needs.",
    )

    def __init__(self, snapshot: Snapshot, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["caller"].choices = _callers(snapshot)  # type: ignore[attr-defined]

    def clean(self) -> dict[str, Any]:
        """Ask for a model, unless a body names one."""
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        if not cleaned.get("model", "").strip() and not cleaned.get("body", "").strip():
            self.add_error("model", "Name a model, or paste a request that names one.")
        return cleaned


def page(request: HttpRequest, site: AdminSite) -> HttpResponse:
    """Show the form, and below it the decision on what was asked."""
    if not request.user.has_perm(PERMISSION):
        raise PermissionDenied
    snapshot = reload.current()
    given = request.POST if request.method == "POST" else request.GET if "model" in request.GET else None
    first = {"dialect": "openai_chat", "caller": str(DEFAULT_TENANT_ID)}
    form = ExplainForm(
        snapshot, first | given.dict() | {"needs": given.getlist("needs")} if given else None, initial=first
    )
    found: Explained | None = None
    if given is not None and form.is_valid():
        try:
            found = explaining.explain(_wish(form.cleaned_data, snapshot), snapshot)
        except CannotAsk as fault:
            form.add_error("body", str(fault))
    context = {
        **site.each_context(request),
        "title": "Explain a route",
        "form": form,
        "found": found,
        "steps": [(step, _bars(step)) for step in found.steps] if found else (),
        "models": [entry.id for entry in snapshot.models[:MODELS_AT_MOST]],
        "dialects": NAMES,
    }
    return TemplateResponse(request, "admin/routing/explain.html", context)


def _wish(said: dict[str, Any], snapshot: Snapshot) -> Wish:
    tenant_id, _, key_id = said["caller"].partition("/")
    views = {str(view.id): view for view in snapshot.tenants.values()}
    key = ApiKey.objects.filter(pk=key_id).first() if key_id else None
    return Wish(
        model=said["model"].strip(),
        tenant=views[tenant_id],
        dialect=said["dialect"],
        key=key.pk if key else None,
        key_profile=key.profile_id if key else None,
        needs=frozenset(said["needs"]),
        effort=said["effort"],
        tokens=said["tokens"] or 0,
        conversation=said["conversation"],
        body=said["body"].strip().encode(),
    )


def _bars(step: Step) -> list[Bar]:
    standing = quota.standings.get(step.credential_id) if step.credential_id is not None else None
    return bars(standing) if standing is not None else []


def _callers(snapshot: Snapshot) -> list[tuple[str, str]]:
    """Return tenants, each with its keys that were not revoked; keys matter by their lists and profiles."""
    keys: dict[Any, list[ApiKey]] = {}
    for key in ApiKey.objects.filter(revoked_at=None).order_by("label")[:1000]:
        keys.setdefault(key.tenant_id, []).append(key)
    found: list[tuple[str, str]] = []
    for view in sorted(snapshot.tenants.values(), key=lambda one: one.slug):
        found.append((str(view.id), f"{view.slug}, any key"))
        found += [(f"{view.id}/{key.pk}", f"{view.slug}, {key.label} ({key.prefix}…)") for key in keys.get(view.id, [])]
    return found
