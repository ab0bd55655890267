"""How people are told of an alert: by e-mail, by a signed webhook, again and again with longer pauses until it worked.

What has worked is not repeated when the other way failed. After eight tries it is given up, and the page says why.
"""

import asyncio
from datetime import timedelta

from django.conf import settings
from django.core.mail import EmailMessage
from django.db.models import F

from accounts.fields import reveal
from analytics.alert import Alert, AlertRule
from proxx.kit import clock, fastjson
from proxx.kit.sealing import SealBroken
from proxx.upstream import webhook
from proxx.upstream.webhook import NotDelivered

TRIES = 8
FIRST_PAUSE = timedelta(minutes=1)  # then twice as long each time: two hours in all
AT_ONCE = 50

SAMPLE = "This is a sample: the rule works, and nothing is wrong."


def deliver() -> int:
    """Send what is due; return how many alerts reached everybody."""
    due = Alert.objects.filter(next_try_at__lte=clock.now()).select_related("rule").order_by("next_try_at")
    return sum(_deliver(alert) for alert in due[:AT_ONCE])


def send_sample(rule: AlertRule) -> list[str]:
    """Send a sample by every way of a rule, at once; return what went wrong, in sentences."""
    alert = Alert(rule=rule, subject="sample", title=f"Sample of “{rule.name}”", text=SAMPLE, detail={})
    return _tell(alert, event="alert.sample")


def _deliver(alert: Alert) -> bool:
    # Taken before it is sent: a second worker must not send it too.
    pause = FIRST_PAUSE * 2**alert.tries
    claimed = Alert.objects.filter(pk=alert.pk, next_try_at=alert.next_try_at)
    if not claimed.update(next_try_at=clock.now() + pause, tries=F("tries") + 1):
        return False
    faults = _tell(alert, event="alert.raised")
    is_over = not faults or alert.tries + 1 >= TRIES
    rest = {"next_try_at": None} if is_over else {}
    Alert.objects.filter(pk=alert.pk).update(
        fault=" ".join(faults)[:240], mailed_at=alert.mailed_at, posted_at=alert.posted_at, **rest
    )
    return not faults


def _tell(alert: Alert, *, event: str) -> list[str]:
    faults, rule = [], alert.rule
    if rule.recipients and alert.mailed_at is None:
        try:
            _mail(alert)
            alert.mailed_at = clock.now()
        except (OSError, ValueError, NotDelivered) as fault:  # smtplib's faults are of OSError
            sentence = str(fault) if isinstance(fault, NotDelivered) else f"({type(fault).__name__})"
            faults.append(f"The e-mail was not sent: {sentence}")
    if rule.webhook_url and alert.posted_at is None:
        try:
            asyncio.run(webhook.post(rule.webhook_url, body_of(alert, event=event), reveal(rule)))
            alert.posted_at = clock.now()
        except (NotDelivered, SealBroken) as fault:
            faults.append(str(fault))
    return faults


def body_of(alert: Alert, *, event: str) -> bytes:
    """Return what a webhook is sent."""
    return fastjson.dumps(
        {
            "event": event,
            "id": str(alert.pk),
            "rule": alert.rule.name,
            "kind": alert.rule.kind,
            "title": alert.title,
            "text": alert.text,
            "detail": alert.detail,
            "raised_at": alert.raised_at.isoformat(timespec="seconds"),
        }
    )


def _mail(alert: Alert) -> None:
    if not settings.PROXY_MAIL_URL:
        raise NotDelivered("PROXY_MAIL_URL is not set.")
    title = " ".join(alert.title.split())  # a name with a line break must not begin another header
    text = f"{alert.text}\n\nRule: {alert.rule.name}\nRaised: {alert.raised_at:%Y-%m-%d %H:%M} UTC\n"
    EmailMessage(f"[proxx] {title}", text, to=alert.rule.recipients).send()
