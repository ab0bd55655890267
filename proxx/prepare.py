"""What happens once before serving: data folder, database, static files, first operator and key, first words.

Safe to repeat: each step does nothing when it is done. Secrets are printed only by the boot that made them; the curl
line names the key by $PROXX_KEY. Anything in the way is said in one sentence, and the exit code is 2. With the word
`complete` missing secrets are made and written to .env, after everything was found in order.
"""

import asyncio
import contextlib
import fcntl
import hashlib
import io
import json
import logging
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import django
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.core.management import CommandError, call_command
from django.db import Error as DatabaseError
from django.db import connection

from proxx import env_file
from proxx.child import say
from proxx.server import checks

if TYPE_CHECKING:
    from routing.snapshot import Snapshot

CANNOT_START = 2
PATIENCE = 3  # seconds that a first start waits for lists of models
SMALL = ("mini", "flash", "haiku", "small", "nano", "lite", "echo")  # a first question should be cheap
NOT_CHAT = ("embed", "image", "dall", "tts", "whisper", "audio", "realtime", "moderation", "transcribe", "rerank")


def main() -> None:
    """Prepare everything, or say what is in the way."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "proxx.settings.prod")
    try:
        if sys.argv[1:] == ["static"]:  # when an image is built: no secrets, no database
            django.setup()
            collect_static_files()
            return
        fresh = env_file.fresh(env_file.path(os.environ), os.environ) if sys.argv[1:] == ["complete"] else {}
        os.environ.update(fresh)  # the settings read them there; the file is written when nothing is in the way
        checks.check_settings(settings)
        django.setup()
        # A person reads along, and the first password must not drown. Every later line vouches for these entries, too.
        logging.getLogger("accounts.audit").setLevel(logging.WARNING)
        prepare(fresh)
    except (ImproperlyConfigured, checks.CannotStart, CommandError, DatabaseError, OSError) as fault:
        sys.stderr.write(f"proxx cannot start: {' '.join(str(fault).split())}\n")
        sys.exit(CANNOT_START)
    except KeyboardInterrupt:
        sys.exit(130)


def prepare(fresh: Mapping[str, str]) -> None:
    """Bring database and static files up to date, make what a first boot needs, tell where things are.

    `fresh` are the secrets that were missing, not yet written to .env.
    """
    from routing import seeding, snapshot

    Path(settings.PROXY_DATA_DIR).mkdir(parents=True, exist_ok=True, mode=0o700)
    refuse_lost_secrets(fresh)
    call_command("migrate", verbosity=0, interactive=False)
    checks.check_data()
    collect_static_files()
    if fresh:
        file = env_file.path(os.environ)
        env_file.append(file, fresh)
        say(f"Fresh secrets in {env_file.shown(file)}: {', '.join(fresh)}.")
    made = io.StringIO()
    call_command("first_boot", "--json", stdout=made)
    seeding.sync_credentials()
    picture = snapshot.build()
    if unseen := [one for one in picture.credentials if one not in picture.catalogs]:
        ask_for_models(picture, unseen)
        picture = snapshot.build()
    providers = [picture.providers[one].label for one in picture.credentials]
    models = [entry.id for entry in picture.models]
    for line in first_words(json.loads(made.getvalue()), providers=providers, models=models):
        say(line)


def refuse_lost_secrets(fresh: Mapping[str, str]) -> None:
    """Raise `CannotStart` if the database holds what only the secrets opened that are missing now."""
    from accounts.models import ApiKey, Credential

    tables = set(connection.introspection.table_names())  # none before the first start
    locked = {
        "PROXY_TOKEN_PEPPER": (ApiKey.objects.all(), "client keys"),
        "PROXY_ENCRYPTION_KEYS": (Credential.objects.all(), "credentials"),
    }
    lost = {
        name: f"{what} ({count})"
        for name, (rows, what) in locked.items()
        if name in fresh and rows.model._meta.db_table in tables and (count := rows.count())
    }
    if lost:
        anew = "empty the database" if settings.DATABASE_URL else f"delete {settings.PROXY_DATA_DIR}"
        raise checks.CannotStart(
            f"{env_file.path(os.environ)} lacks {' and '.join(lost)}, without which the {' and '.join(lost.values())} "
            f"in the database are of no use: restore that file from a copy, or {anew} to begin anew."
        )


def ask_for_models(picture: "Snapshot", provider_ids: list[str]) -> None:
    """Ask providers that are here for the first time for their models, briefly: then the curl line can name one."""
    from routing.catalog import merge, refresh

    async def look() -> list[merge.Look]:
        async with asyncio.timeout(PATIENCE):
            return await refresh.look_at(picture, provider_ids)

    with contextlib.suppress(TimeoutError):  # the worker asks again, as soon as it runs
        merge.store(asyncio.run(look()))


def first_words(made: dict[str, Any], *, providers: list[str], models: list[str]) -> list[str]:
    """Return what the operator should read: where, who, with which key, and what to try."""
    base = address(settings.PROXY_HOST, settings.PROXY_PORT)
    lines = ["", _line("Console", f"{base}/console/")]
    if made["operator"]:
        operator = made["operator"]
        lines.append(
            _line("Operator", f"{operator['username']}   password: {operator['password']}   (shown this once)")
        )
    if made["key"]:
        lines.append(_line("First key", f"export PROXX_KEY={made['key']['token']}   (shown this once)"))
    lines.append(_line("Try it", curl(base, models or ([] if providers else [UNSERVED]))))
    if not providers:
        file = env_file.shown(env_file.path(os.environ))
        lines.append(_line("Providers", f"none yet: put OPENAI_API_KEY=... (or another's) into {file}, {WHERE}"))
    else:
        lines.append(_line("Providers", ", ".join(sorted(providers))))
    if not checks.on_loopback(settings.PROXY_HOST):
        lines.append(_line("Network", f"other machines reach this in plain HTTP, keys included: {IN_FRONT}"))
        lines.append(_line("", f"The console answers only to the names in ALLOWED_HOSTS: {_names()}."))
    if settings.REDIS_URL and (fault := redis_fault(settings.REDIS_URL)):
        lines.append(_line("Redis", f"REDIS_URL does not answer ({fault}): until it does, no job runs and {UNHEARD}"))
    return [*lines, ""]


def redis_fault(url: str) -> str | None:
    """Say in one word why Redis does not answer, or nothing."""
    from redis import Redis, RedisError

    try:
        with Redis.from_url(url, socket_connect_timeout=PATIENCE, socket_timeout=PATIENCE) as door:
            door.ping()
    except (RedisError, OSError, ValueError) as fault:
        return type(fault).__name__  # its text may hold the address with its password
    return None


def curl(base: str, models: list[str]) -> str:
    """Return a command that works as it stands: a chat with a model we know, else the list of models."""
    key = "" if settings.PROXY_ALLOW_UNAUTHENTICATED else ' -H "Authorization: Bearer $PROXX_KEY"'
    if not models:
        return f"curl {base}/v1/models{key}"
    body = json.dumps({"model": cheapest(models), "messages": [{"role": "user", "content": "Say hello."}]})
    quoted = body.replace("'", "'\\''")
    return f"curl {base}/v1/chat/completions{key} -H 'Content-Type: application/json' -d '{quoted}'"


def cheapest(models: list[str]) -> str:
    """Return the model that by its name costs little and chats; the first one if none says so."""
    chatting = [name for name in models if not any(word in name.lower() for word in NOT_CHAT)] or models
    return next((name for name in chatting if any(word in name.lower() for word in SMALL)), chatting[0])


def address(host: str, port: int) -> str:
    """Return the base URL under which a person on this machine reaches the server."""
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def collect_static_files() -> None:
    """Collect the console's static files, unless packages and files are those of the last time; one at a time."""
    root = Path(settings.STATIC_ROOT)
    stamp = root / ".stamp"
    fingerprint = _fingerprint()
    if stamp.is_file() and stamp.read_text() == fingerprint:
        return
    root.mkdir(parents=True, exist_ok=True)
    folder = os.open(root, os.O_RDONLY)
    try:
        fcntl.flock(folder, fcntl.LOCK_EX)
        if stamp.is_file() and stamp.read_text() == fingerprint:  # another process was first
            return
        stamp.unlink(missing_ok=True)
        call_command("collectstatic", verbosity=0, interactive=False)
        stamp.write_text(fingerprint)
    finally:
        os.close(folder)


def _fingerprint() -> str:
    """Return a digest of what the collected files come from: locked packages, own files, the way they are stored."""
    own = sorted(path for folder in settings.STATICFILES_DIRS for path in Path(folder).rglob("*") if path.is_file())
    digest = hashlib.sha256(settings.STORAGES["staticfiles"]["BACKEND"].encode())
    for path in (settings.BASE_DIR / "requirements" / "base.txt", *own):
        digest.update(f"{path.relative_to(settings.BASE_DIR)} {path.stat().st_size}\n".encode() + path.read_bytes())
    return digest.hexdigest()


def _line(name: str, text: str) -> str:
    return f"  {name:<11}{text}"


def _names() -> str:
    return ", ".join(settings.ALLOWED_HOSTS)


UNSERVED = "gpt-4o-mini"  # before there is any account its answer says what is missing
IN_FRONT = "put TLS in front (docs/quickstart.md)."
UNHEARD = "processes do not hear of each other's changes."
WHERE = "then start again; or add one in the console under Credentials."

if __name__ == "__main__":
    main()
