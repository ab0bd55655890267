"""For whoever is locked out: a new random password, and the second factors away if they are lost. Ends all sign-ins."""

import secrets
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import transaction

from accounts import audit
from accounts.management.commands.first_boot import PASSWORD_BYTES
from accounts.models import Operator
from accounts.signin import second_factor, sessions


class Command(BaseCommand):
    """Give an operator a new password."""

    help = "Give an operator a new random password and print it once; all their sign-ins end."

    def add_arguments(self, parser: CommandParser) -> None:
        """Take a name, and whether the second factors go too."""
        parser.add_argument("username")
        parser.add_argument("--second-factors", action="store_true", help="take apps, passkeys and recovery codes away")

    def handle(self, *args: Any, **options: Any) -> None:
        """Set the password, end the sign-ins, print the password."""
        operator = Operator.objects.filter(username=options["username"]).first()
        if operator is None:
            raise CommandError(f"There is no operator {options['username']}.")
        password = secrets.token_urlsafe(PASSWORD_BYTES)
        operator.set_password(password)
        with transaction.atomic():
            operator.save(update_fields=["password"])
            removed = second_factor.remove_all(operator) if options["second_factors"] else 0
            audit.note("sign-in reset", operator, {"second factors removed": removed})
            sessions.end_all(operator)
        self.stdout.write(f"{operator.username}   password: {password}   (shown this once)")
        if not operator.is_active:
            self.stdout.write("This operator is switched off and cannot sign in.")
