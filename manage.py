#!/usr/bin/env python
"""Django's command line, with the production settings unless told otherwise.

A house that nobody has entered yet has no secrets and no tables: that is told in a sentence, not in a traceback
(`--traceback` shows that, too).
"""

import getpass
import logging
import os
import select
import sys

NO_TABLES = (
    "The database is not ready: proxx was never started here, or its code is newer. Run `make run` once, or "
    "`python manage.py migrate`."
)
NO_SECRETS = (
    "The secrets are missing: `make run` makes them at its first start and writes them to .env. Elsewhere set "
    "SECRET_KEY, PROXY_TOKEN_PEPPER and PROXY_ENCRYPTION_KEYS as the server has them."
)
NOBODY_READS = 141  # as a command ends that the system stops for it


def main() -> None:
    """Run one management command."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "proxx.settings.prod")
    from django.core.exceptions import ImproperlyConfigured
    from django.core.management import execute_from_command_line
    from django.db import OperationalError, ProgrammingError

    from accounts.acting import Actor, ActorKind, acting_as
    from proxx.kit.sealing import SealBroken

    if _is_read_along():
        logging.getLogger("accounts.audit").setLevel(logging.WARNING)  # later lines of the server vouch for them, too
    try:
        with acting_as(Actor(ActorKind.COMMAND, name=_who())):
            execute_from_command_line(sys.argv)
        sys.stdout.flush()
    except BrokenPipeError:
        if _is_read():
            raise
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # what is left is for nobody
        sys.exit(NOBODY_READS)
    except (ImproperlyConfigured, OperationalError, ProgrammingError, SealBroken) as fault:
        sentence = told(fault)
        if sentence is None or "--traceback" in sys.argv:
            raise
        sys.exit(sentence)


def _who() -> str:
    """Return the command's name and whose it is, for the audit; never its arguments, which may hold a secret."""
    try:
        owner = getpass.getuser()
    except (KeyError, OSError):  # a container's user may have no name
        owner = str(os.getuid())
    return f"{sys.argv[1] if len(sys.argv) > 1 else 'manage.py'} by {owner}"


def _is_read_along() -> bool:
    """Tell whether log lines would stand between a command's own words: no log of their own is kept of them."""
    try:
        return sys.stderr.isatty() or os.path.samestat(os.fstat(sys.stdout.fileno()), os.fstat(sys.stderr.fileno()))
    except (OSError, ValueError):  # closed, or none of the system's
        return False


def _is_read() -> bool:
    """Tell whether somebody still reads what is printed; `| head` leaves once it has enough."""
    asked = select.poll()
    asked.register(sys.stdout, 0)
    return not any(event & select.POLLERR for _, event in asked.poll(0))


def told(fault: Exception) -> str | None:
    """Return what an operator should know and do; nothing for a fault that is no matter of setting up."""
    text = str(fault)
    if "SECRET_KEY" in text or "No encryption key" in text:
        return NO_SECRETS
    if type(fault).__name__ in ("ImproperlyConfigured", "SealBroken"):
        return f"proxx is not set up: {text}"
    missing = ("no such table", "no such column", "unable to open database file", "does not exist")
    return NO_TABLES if any(word in text for word in missing) else None


if __name__ == "__main__":
    main()
