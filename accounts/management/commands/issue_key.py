"""Issue a key from the command line; the token is printed once and never again."""

import json
import re
from datetime import UTC, datetime, timedelta
from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError, CommandParser

from accounts import keys
from accounts import scopes as known
from accounts.models import Tenant
from proxx.kit import clock

LONGEST_LABEL = 120
UNITS = {"m": timedelta(minutes=1), "h": timedelta(hours=1), "d": timedelta(days=1)}


class Command(BaseCommand):
    """Issue one key for one tenant."""

    help = "Issue a key for a tenant and print its token, which is shown this once."

    def add_arguments(self, parser: CommandParser) -> None:
        """Take the tenant, the label and the end."""
        parser.add_argument("--tenant", default="default", help="short name of the tenant (default: default)")
        parser.add_argument("--label", required=True, help="what will use the key")
        parser.add_argument("--expires", default="", help="30d, 12h, 90m, or an ISO date or time in UTC; empty: never")
        parser.add_argument(
            "--files", action="store_true", help="may also reach files and batches in our accounts (proxy:files)"
        )
        parser.add_argument(
            "--scope",
            action="append",
            default=[],
            help="only this scope, such as proxy:chat; may be given several times",
        )
        parser.add_argument("--json", action="store_true", help="print one line of JSON")

    def handle(self, *args: Any, **options: Any) -> None:
        """Issue the key and print the token alone, or everything as JSON."""
        if not settings.KEY_PEPPER:
            raise CommandError(
                "PROXY_TOKEN_PEPPER is not set, so no server would know this key. Set it as the server has it: it "
                "stands in the server's .env."
            )
        tenant = Tenant.objects.filter(slug=options["tenant"].lower()).first()
        if tenant is None:
            raise CommandError(f"There is no tenant {options['tenant']!r}.")
        label = options["label"].strip()
        if not 0 < len(label) <= LONGEST_LABEL:
            raise CommandError(f"A label has 1 to {LONGEST_LABEL} characters.")
        scopes = [*dict.fromkeys(options["scope"] or [known.USE]), *([known.FILES] if options["files"] else [])]
        try:
            key, token = keys.issue(tenant, label=label, scopes=scopes, expires_at=end(options["expires"]))
        except ValidationError as fault:
            raise CommandError(" ".join(fault.messages)) from None
        if not options["json"]:
            self.stdout.write(token)
            return
        expires = key.expires_at.isoformat() if key.expires_at else None
        facts = {"id": str(key.pk), "tenant": tenant.slug, "label": key.label, "expires": expires, "token": token}
        self.stdout.write(json.dumps(facts))


def end(text: str) -> datetime | None:
    """Return the moment that a duration or an ISO time names; raise `CommandError` if it is none or has passed."""
    if not text:
        return None
    duration = re.fullmatch(r"(\d{1,6})([mhd])", text)
    if duration:
        return clock.now() + int(duration[1]) * UNITS[duration[2]]
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise CommandError(f"{text!r} is neither a duration such as 30d nor an ISO date.") from None
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    if moment <= clock.now():
        raise CommandError(f"{text} has passed already.")
    return moment
