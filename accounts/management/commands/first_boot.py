"""What a fresh installation needs before anybody can use it: one operator and one key, each shown once.

Safe to repeat: if any operator exists none is made, and likewise for keys. Nothing can print these secrets again.
"""

import json
import secrets
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import IntegrityError, transaction

from accounts import keys
from accounts.models import DEFAULT_TENANT_ID, ApiKey, Operator, Tenant

USERNAME = "admin"
PASSWORD_BYTES = 15  # 120 bits: 20 characters
KEY_LABEL = "first key"


class Command(BaseCommand):
    """Create the first operator and the first key, if there is none of either."""

    help = "Create the first operator and the first key of the default tenant, if none exist, and print them once."

    def add_arguments(self, parser: CommandParser) -> None:
        """Take --json."""
        parser.add_argument("--json", action="store_true", help="print one line of JSON; null for what existed already")

    def handle(self, *args: Any, **options: Any) -> None:
        """Create what is missing and print what was created."""
        if not settings.KEY_PEPPER:
            raise CommandError("PROXY_TOKEN_PEPPER is not set, so no server would know the key. `make run` sets it.")
        password = first_operator()
        token = first_key()
        if options["json"]:
            operator = {"username": USERNAME, "password": password} if password else None
            key = {"tenant": "default", "label": KEY_LABEL, "token": token} if token else None
            self.stdout.write(json.dumps({"operator": operator, "key": key}))
            return
        if password:
            self.stdout.write(f"  {'Operator':<10} {USERNAME}   password: {password}   (shown this once)")
        if token:
            self.stdout.write(f"  {'API key':<10} {token}   (tenant default, shown this once)")


def first_operator() -> str | None:
    """Create the operator `admin` with a random password and return that; None if there is any operator."""
    if Operator.objects.exists():
        return None
    password = secrets.token_urlsafe(PASSWORD_BYTES)
    try:
        with transaction.atomic():
            Operator.objects.create_superuser(USERNAME, password=password)
    except IntegrityError:  # two boots at a time: the other one was first
        return None
    return password


def first_key() -> str | None:
    """Issue a key for the default tenant and return its token; None if there is any key, whatever its state."""
    if ApiKey.objects.exists():
        return None
    tenant = Tenant.objects.get(pk=DEFAULT_TENANT_ID)
    return keys.issue(tenant, label=KEY_LABEL)[1]
