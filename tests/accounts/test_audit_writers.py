"""Several processes and threads write the audit at the same time, on real databases: one chain."""

from pathlib import Path
from typing import Any

import pytest

from tests import forked
from tests.live import base_environment

THREADS, EACH = 3, 8
WRITE = f"""
import threading
from uuid import uuid4
from django.db import connection
from accounts import audit
from accounts.models import Operator, Tenant

def write():
    for number in range({EACH}):
        if number % 4 == 0:
            audit.note("looked")
        elif number % 4 == 1:
            Operator.objects.create(username=str(uuid4()))
        else:
            Tenant.objects.create(slug=str(uuid4()), name="t")
    connection.close()

threads = [threading.Thread(target=write) for _ in range({THREADS})]
[thread.start() for thread in threads]
[thread.join() for thread in threads]
"""


@pytest.mark.parametrize("real", [False, pytest.param(True, marks=pytest.mark.real)], ids=["sqlite", "postgres"])
def test_writers_at_the_same_time_make_one_chain(tmp_path: Path, templates: Any, real: bool) -> None:
    environment = base_environment(tmp_path)
    database = templates.copy(tmp_path, environment, real=real)
    environment |= database.environment
    shell = ("manage.py", "shell", "--no-imports", "-c", WRITE)
    try:
        before = database.rows("SELECT COUNT(*) FROM accounts_auditentry")[0][0]
        with (tmp_path / "said").open("w+b") as said:
            writers = [forked.start(*shell, env=environment, output=said) for _ in range(2)]
            assert [writer.wait(120) for writer in writers] == [0, 0]
            said.seek(0)
            assert b"Traceback" not in said.read()
        done = forked.run("manage.py", "verify_audit", env=environment)
        assert done.stdout.startswith(f"All {before + 2 * THREADS * EACH} entries are as they were written."), done
        for statement in ("UPDATE accounts_auditentry SET reason = 'x'", "DELETE FROM accounts_auditentry"):
            with pytest.raises(Exception, match="neither change nor go"):
                database.rows(statement)
    finally:
        database.drop()
