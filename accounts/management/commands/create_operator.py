"""A new operator from the command line, with a random password that is printed once."""

import secrets
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import transaction

from accounts import rights
from accounts.management.commands.first_boot import PASSWORD_BYTES
from accounts.models import Operator, Tenant
from accounts.rights import Role


class Command(BaseCommand):
    """Create an operator."""

    help = "Create an operator of the console and print a random password, once."

    def add_arguments(self, parser: CommandParser) -> None:
        """Take a name, an e-mail address and a role."""
        parser.add_argument("username")
        parser.add_argument("--email", default="", help="where alerts go")
        parser.add_argument("--role", choices=Role.values, help="what they may do; nothing without it")
        parser.add_argument("--tenant", help="short name of the tenant, for the roles of a tenant")

    def handle(self, *args: Any, **options: Any) -> None:
        """Create the operator with the role, or neither."""
        password = secrets.token_urlsafe(PASSWORD_BYTES)
        operator = Operator(username=options["username"], email=options["email"], is_staff=True)
        operator.set_password(password)
        try:
            with transaction.atomic():
                operator.full_clean()
                operator.save()
                if options["role"]:
                    rights.grant(operator, Role(options["role"]), _tenant(options["tenant"]), by=None)
        except ValidationError as fault:
            raise CommandError(" ".join(fault.messages)) from None
        self.stdout.write(f"{operator.username}   password: {password}   (shown this once)")


def _tenant(slug: str | None) -> Tenant | None:
    if not slug:
        return None
    found = Tenant.objects.filter(slug=slug).first()
    if found is None:
        raise CommandError(f"There is no tenant {slug}.")
    return found
