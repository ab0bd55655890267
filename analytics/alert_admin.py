"""The console's pages for alerts: the rules, and what they raised."""

from functools import partial
from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib import admin, messages
from django.db import transaction
from django.db.models import Count, Q, QuerySet
from django.http import HttpRequest, HttpResponse
from unfold.admin import ModelAdmin
from unfold.decorators import action, display
from unfold.widgets import UnfoldAdminPasswordWidget

from accounts.admin.base import CarefulAdmin, ago, low
from accounts.admin.scope import Scoped
from analytics import alert_sending
from analytics.alert import Alert, AlertRule

STATE_COLOURS = {"raised": "danger", "quiet": "success", "off": "warning"}
ALERT_COLOURS = {"goes on": "danger", "over": "success"}
TOLD_COLOURS = {"told": "success", "waiting": "info", "failed": "danger"}
ABOUT = "A rule looks at one thing each minute and tells people once when it happens, by e-mail or by a webhook."
WEBHOOK = (
    "Messages are JSON, signed with the secret: x-proxx-signature is “v1=” and the HMAC-SHA256 of the timestamp in "
    "x-proxx-timestamp, a dot, and the body."
)

if TYPE_CHECKING:
    _RuleForm = forms.ModelForm[AlertRule]
else:
    _RuleForm = forms.ModelForm


class RuleForm(_RuleForm):
    """A rule; its secret is written, never shown."""

    secret = forms.CharField(label="Webhook's secret", strip=True, required=False, max_length=500)

    class Meta:
        model = AlertRule
        exclude: tuple[str, ...] = ()

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.initial.pop("secret", None)
        if "secret" in self.fields:
            stored = f"••••{self.instance.secret_tail}, type to replace" if self.instance.secret else ""
            field = self.fields["secret"]
            field.widget = UnfoldAdminPasswordWidget({"placeholder": stored, "autocomplete": "off"})
            field.help_text = "Stored sealed, and never shown again. Leave it empty to keep the present one."

    def clean_secret(self) -> str:
        """Return the new secret, or the sealed old one if none was typed."""
        return self.cleaned_data["secret"] or self.instance.secret

    def clean(self) -> dict[str, Any]:
        """Ask for the secret again if messages shall go elsewhere: whoever gets them could learn to sign."""
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        moved = self.instance.secret and cleaned.get("webhook_url") != self.initial.get("webhook_url")
        if moved and cleaned.get("webhook_url") and "secret" not in self.changed_data:
            self.add_error("secret", "Type the secret again to have messages sent to another address.")
        return cleaned


@admin.register(AlertRule)
class AlertRuleAdmin(CarefulAdmin):
    """Rules, with a button that sends a sample."""

    form = RuleForm
    about = ABOUT
    unchosen = {"tenant": "All tenants"}
    list_display = ("name", "kind", "told", "state")
    list_filter = ("kind", "enabled")
    search_fields = ("name",)
    saved_along = {"secret": ("secret_tail",)}
    actions_submit_line = ("send_sample",)
    conditional_fields = {
        "threshold": "['budget', 'error_rate', 'quota_low'].includes(kind)",
        "minutes": "['error_rate', 'records_lost'].includes(kind)",
        "least": "kind == 'error_rate'",
        "tenant": "['budget', 'error_rate'].includes(kind)",
        "provider_id": "!['budget', 'records_lost'].includes(kind)",
    }
    fieldsets = (
        (None, {"fields": ("name", "kind", "threshold", "minutes", "least", "tenant", "provider_id", "enabled")}),
        ("Who is told", {"fields": ("emails", "cooldown")}),
        ("Webhook", {"fields": ("webhook_url", "secret"), "description": WEBHOOK}),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[AlertRule]:
        """Bring along how many matters go on."""
        going_on = Count("alerts", filter=Q(alerts__ended_at=None))
        return super().get_queryset(request).annotate(going_on=going_on)  # type: ignore[no-any-return]

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        """Keep the box for addresses low."""
        return low(super().formfield_for_dbfield(db_field, request, **kwargs), db_field)

    @display(description="tells")
    def told(self, rule: AlertRule) -> str:
        """Show by which ways."""
        ways = [*rule.recipients[:2], *(["…"] if len(rule.recipients) > 2 else [])]
        return ", ".join([*ways, *(["webhook"] if rule.webhook_url else [])]) or "–"

    @display(description="state", label=STATE_COLOURS)
    def state(self, rule: Any) -> tuple[str, str]:
        """Show whether something goes on."""
        if not rule.enabled:
            return "off", "off"
        return ("raised", f"{rule.going_on} raised") if rule.going_on else ("quiet", "quiet")

    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Offer the sample for a new rule, too; unfold shows such buttons on stored rows only."""
        more = {"actions_submit_line": self.get_actions_submit_line(request, None)}
        return super().add_view(request, form_url, more | (extra_context or {}))  # type: ignore[no-any-return]

    def save_model(self, request: HttpRequest, obj: AlertRule, form: Any, change: bool) -> None:  # noqa: FBT001
        """Save, and do what the pressed button says besides."""
        super().save_model(request, obj, form, change)
        for pressed in self.get_actions_submit_line(request, obj.pk) if change else ():
            if pressed.action_name in request.POST:
                pressed.method(request, obj)

    @action(description="Save and send a sample", permissions=["change"])
    def send_sample(self, request: HttpRequest, obj: AlertRule) -> None:
        """Send a sample by every way, once the rule is stored: nobody shall wait for a receiver with a lock in hand."""
        transaction.on_commit(partial(_sample, request, obj))


def _sample(request: HttpRequest, rule: AlertRule) -> None:
    faults = alert_sending.send_sample(rule)
    for fault in faults:
        messages.error(request, fault)
    if not faults:
        messages.success(request, "The sample was sent.")


@admin.register(Alert)
class AlertAdmin(Scoped, ModelAdmin):
    """What was raised: looked at, never changed."""

    list_display = ("title", "rule", "raised", "state", "told", "fault")
    list_display_links = None
    list_filter = ("rule__kind",)
    list_select_related = ("rule",)
    list_per_page = 50
    actions = None
    ordering = ("-raised_at",)

    @display(description="raised", ordering="raised_at")
    def raised(self, alert: Alert) -> str:
        """Show how long ago."""
        return ago(alert.raised_at)

    @display(description="state", label=ALERT_COLOURS)
    def state(self, alert: Alert) -> str:
        """Show whether it goes on."""
        return "over" if alert.ended_at else "goes on"

    @display(description="people", label=TOLD_COLOURS)
    def told(self, alert: Alert) -> str:
        """Show whether they know."""
        if alert.next_try_at is not None:
            return "waiting"
        return "failed" if alert.fault else "told"

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Only rules raise them."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Alert | None = None) -> bool:
        """Nobody changes them."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Alert | None = None) -> bool:
        """They go by themselves."""
        return False
