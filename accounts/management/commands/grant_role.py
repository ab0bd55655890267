"""`grant_role`: give an operator a role, or take it. Whoever can run this is trusted with everything anyway."""

from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError, CommandParser

from accounts import rights
from accounts.models import Membership, Operator, Tenant
from accounts.rights import Role


class Command(BaseCommand):
    """Give or take a role."""

    help = "Give an operator a role, in the whole house or in one tenant; --take takes it."

    def add_arguments(self, parser: CommandParser) -> None:
        """Take the operator, the role and the tenant."""
        parser.add_argument("operator", help="username")
        parser.add_argument("--role", required=True, choices=Role.values)
        parser.add_argument("--tenant", help="short name; for tenant_admin and tenant_member")
        parser.add_argument("--reads-bodies", action="store_true", help="may read prompts and answers too")
        parser.add_argument("--take", action="store_true", help="take the role instead")

    def handle(self, *args: Any, **options: Any) -> None:
        """Give or take, and say so."""
        operator = Operator.objects.filter(username=options["operator"]).first()
        if operator is None:
            raise CommandError(f"There is no operator {options['operator']}.")
        tenant = Tenant.objects.filter(slug=options["tenant"]).first() if options["tenant"] else None
        if options["tenant"] and tenant is None:
            raise CommandError(f"There is no tenant {options['tenant']}.")
        role = Role(options["role"])
        where = f"in {tenant.slug}" if tenant else "in the whole house"
        if options["take"]:
            held = Membership.objects.filter(operator=operator, role=role, tenant=tenant).first()
            if held is None:
                raise CommandError(f"{operator} is not {role.label.lower()} {where}.")
            rights.withdraw(held, by=None)
            self.stdout.write(f"{operator} is no longer {role.label.lower()} {where}.")
            return
        try:
            given = rights.grant(operator, role, tenant, by=None, reads_bodies=options["reads_bodies"])
        except ValidationError as fault:
            raise CommandError(" ".join(fault.messages)) from fault
        more = ", and reads prompts and answers" if given.reads_bodies else ""
        self.stdout.write(f"{operator} is {role.label.lower()} {where}{more}.")
