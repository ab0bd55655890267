"""Periodic jobs of this room; when they run is in proxx/celery.py."""

from celery import shared_task

from oauth import scan


@shared_task(name="oauth.tasks.refresh_tokens", ignore_result=True)
def refresh_tokens() -> None:
    """Renew the tokens of sign-ins that end soon."""
    scan.renew_due()
