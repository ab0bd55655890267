"""Databases for live servers: a migrated template made once, a copy of it for each server.

SQLite unless both DATABASE_URL_TEST and REDIS_URL_TEST are set; then Postgres, one database per server, and a Redis
number per test worker.
"""

import os
import shutil
import sqlite3
from collections.abc import Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import urlsplit, urlunsplit
from uuid import uuid4

from tests import forked

ROOT = forked.ROOT
REDIS_NUMBERS = 16  # a Redis server's default


class Database(Protocol):
    """What a live server is given, and how a test looks into it."""

    @property
    def environment(self) -> Mapping[str, str]:
        """Return the variables that name it."""
        ...

    def rows(self, query: str, parameters: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """Run one statement (`%s` for parameters) and return its rows."""
        ...

    def drop(self) -> None:
        """Remove it."""
        ...


class SqliteCopy:
    """A file in the server's own data folder."""

    def __init__(self, template: Path, folder: Path) -> None:
        self._path = folder / "proxx.sqlite3"
        shutil.copy(template, self._path)
        self._environment = {"DATABASE_URL": "", "REDIS_URL": ""}

    @property
    def environment(self) -> Mapping[str, str]:
        return self._environment

    def rows(self, query: str, parameters: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        with closing(sqlite3.connect(self._path, timeout=20)) as connection, connection:
            return connection.execute(query.replace("%s", "?"), parameters).fetchall()

    def drop(self) -> None:
        """Leave the file: its folder goes with the test."""


class PostgresCopy:
    """A database of its own, made from the template."""

    def __init__(self, server_url: str, template: str, redis_url: str) -> None:
        self._server_url = server_url
        self.name = f"proxx_live_{uuid4().hex[:12]}"
        execute(server_url, f'CREATE DATABASE "{self.name}" TEMPLATE "{template}"')
        self.url = with_path(server_url, self.name)
        # Messages of servers in other tests would cross: Redis keeps numbers apart in keys only.
        self._environment = {"DATABASE_URL": self.url, "REDIS_URL": redis_url, "PROXY_REDIS_PREFIX": self.name}

    @property
    def environment(self) -> Mapping[str, str]:
        return self._environment

    def rows(self, query: str, parameters: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        return execute(self.url, query, parameters)

    def drop(self) -> None:
        execute(self._server_url, f'DROP DATABASE IF EXISTS "{self.name}" WITH (FORCE)')


class Templates:
    """The migrated database of this session, made on first use."""

    def __init__(self, folder: Path, worker: str) -> None:
        self._folder = folder
        self._worker = int(worker.removeprefix("gw") or 0) if worker.startswith("gw") else 0
        self._sqlite: Path | None = None
        self._postgres: str | None = None

    def copy(self, folder: Path, environment: Mapping[str, str], *, real: bool | None = None) -> Database:
        """Return a fresh database; `real` insists on Postgres and Redis or, when False, on SQLite."""
        url, redis = os.environ.get("DATABASE_URL_TEST", ""), os.environ.get("REDIS_URL_TEST", "")
        if real is None:
            real = bool(url and redis)
        if not real:
            return SqliteCopy(self._sqlite_template(environment), folder)
        number = (self._worker + 1) % REDIS_NUMBERS
        return PostgresCopy(url, self._postgres_template(url, environment), with_path(redis, str(number)))

    def drop(self) -> None:
        """Remove what is left."""
        if self._postgres is not None:
            execute(os.environ["DATABASE_URL_TEST"], f'DROP DATABASE IF EXISTS "{self._postgres}" WITH (FORCE)')

    def _sqlite_template(self, environment: Mapping[str, str]) -> Path:
        if self._sqlite is None:
            data = self._folder / "template"
            data.mkdir()
            migrate({**environment, "PROXY_DATA_DIR": str(data), "DATABASE_URL": "", "REDIS_URL": ""})
            path = data / "proxx.sqlite3"
            with closing(sqlite3.connect(path)) as connection:
                connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            self._sqlite = path
        return self._sqlite

    def _postgres_template(self, url: str, environment: Mapping[str, str]) -> str:
        if self._postgres is None:
            name = f"proxx_template_{uuid4().hex[:12]}"
            execute(url, f'CREATE DATABASE "{name}"')
            self._postgres = name
            data = str(self._folder)
            migrate({**environment, "PROXY_DATA_DIR": data, "DATABASE_URL": with_path(url, name), "REDIS_URL": ""})
        return self._postgres


def migrate(environment: Mapping[str, str]) -> None:
    """Bring the database that this environment names up to date."""
    done = forked.run("manage.py", "migrate", "--verbosity", "0", env=environment, timeout=120)
    if done.returncode:
        raise RuntimeError(f"The migrations failed:\n{done.stdout}{done.stderr}")


def execute(url: str, query: str, parameters: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
    """Run one statement on Postgres and return its rows, if it has any."""
    import psycopg

    with psycopg.connect(url, autocommit=True) as connection:
        cursor = connection.execute(query, parameters or None)
        return cursor.fetchall() if cursor.description else []


def with_path(url: str, name: str) -> str:
    """Return the same server's URL for another database."""
    return urlunsplit(urlsplit(url)._replace(path=f"/{name}"))
