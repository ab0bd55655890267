"""`oauth_login PROVIDER`: connect an account from a terminal: with a code, a pasted address, or what lies in files.

Whoever can run it is trusted, as with every command. No token is printed.
"""

import time
from argparse import ArgumentParser
from collections.abc import Iterable
from pathlib import Path
from typing import Any
from uuid import UUID

from django.core.management.base import BaseCommand, CommandError

from accounts.acting import Actor, ActorKind, acting_as
from accounts.models import Credential
from oauth import pending, providers
from oauth.flows import bringing, brought, browser, device, finishing, paste
from oauth.pending import PendingLogin
from oauth.providers import SignIn
from oauth.tokens import Refused, Unreachable

HERE = "http://localhost"  # entries without an address of their own need a console's


class Command(BaseCommand):
    """Sign in and store the account."""

    help = "Connect an account at a provider: with a code (the usual way), a pasted address, or files."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Take the provider and the way."""
        parser.add_argument("sign_in", metavar="PROVIDER", help="openai, factory, ...")
        ways = parser.add_mutually_exclusive_group()
        ways.add_argument("--paste", action="store_true", help="sign in with a browser and paste its last address")
        ways.add_argument("--files", nargs=2, metavar=("DATA", "KEY"), help="auth.v2.file and auth.v2.key of Factory")
        ways.add_argument("--import", nargs="+", dest="lists", metavar="FILE", help="JSON with tokens")
        parser.add_argument("--account", default="", help="id of the credential to sign in to again")

    def handle(self, *args: Any, sign_in: str, account: str, **options: Any) -> None:
        """Sign in; raise `CommandError` if nothing came of it."""
        try:
            entry = providers.get(sign_in)
            again = finishing.known(entry, UUID(account)) if account else None
        except providers.UnknownSignIn as fault:
            raise CommandError(str(fault)) from None
        except ValueError:
            again = None
        if account and again is None:
            raise CommandError("No account of this provider has this id.")
        with acting_as(Actor(ActorKind.COMMAND, name="oauth_login")):
            try:
                self._sign_in(entry, again, options)
            except (Refused, Unreachable, ValueError, OSError) as fault:
                raise CommandError(str(fault)) from None

    def _sign_in(self, entry: SignIn, again: Credential | None, options: dict[str, Any]) -> None:
        if options["files"]:
            self._bring(entry, [bringing.of_files(*(Path(name).read_text() for name in options["files"]))], again)
        elif options["lists"]:
            found = [one for name in options["lists"] for one in brought.read(Path(name).read_text())]
            self._bring(entry, found, again)
        elif options["paste"]:
            self._told(self._by_paste(entry, again))
        elif not entry.device:
            raise CommandError(f"{entry.label} has no codes to type: use --paste.")
        else:
            self._told(self._by_code(entry, again))

    def _by_code(self, entry: SignIn, again: Credential | None) -> PendingLogin:
        row = PendingLogin.objects.get(pk=device.begin(entry, replaces=again))
        held = pending.opened(row)
        self.stdout.write(f"Open {held.away} on any device and type this code:\n\n    {held.user_code}\n")
        while not row.is_over:
            time.sleep(max(row.interval, 1))
            row = pending.fresh(device.poll(pending.fresh(row)))
        return row

    def _by_paste(self, entry: SignIn, again: Credential | None) -> PendingLogin:
        row = PendingLogin.objects.get(pk=browser.begin(entry, origin=HERE, replaces=again))
        self.stdout.write(f"Sign in here:\n\n{pending.opened(row).away}\n")
        return browser.complete(row, paste.read(input("Paste the address that the browser ends at: ")))

    def _bring(self, entry: SignIn, found: Iterable[brought.Brought], again: Credential | None) -> None:
        outcomes = bringing.keep(entry, found, again=again)
        for one in outcomes:
            said = self.stdout if one.credential is not None else self.stderr
            said.write(one.sentence if one.credential is not None else f"{one.place}: {one.sentence}")
        if not any(one.credential for one in outcomes):
            raise CommandError("Nothing was stored.")

    def _told(self, row: PendingLogin) -> None:
        if row.status != PendingLogin.Status.DONE:
            raise CommandError(row.fault or "The sign-in is not finished.")
        self.stdout.write(row.said)
