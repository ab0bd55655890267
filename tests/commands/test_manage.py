"""manage.py in a house that nobody has entered yet: a sentence in place of a traceback."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.commands import house
from tests.house import files


def told(folder: Path, *arguments: str, **variables: str) -> tuple[int, str]:
    environment = house.environment(PROXX_ENV_FILE="/dev/null", PROXY_DATA_DIR=str(folder), **variables)
    command = [sys.executable, "manage.py", *arguments]
    done = subprocess.run(command, cwd=files.ROOT, env=environment, capture_output=True, text=True, timeout=120)
    return done.returncode, done.stderr.strip()


def test_without_a_database_a_command_says_what_to_do(tmp_path: Path) -> None:
    for folder in (tmp_path, tmp_path / "missing"):
        code, said = told(folder, "explain_route", "gpt-x")
        assert (code, len(said.splitlines())) == (1, 1)
        assert "manage.py migrate" in said
    assert "Traceback" in told(tmp_path, "explain_route", "gpt-x", "--traceback")[1]


@pytest.mark.parametrize("arguments", [("import_legacy", "keys.example.json", "--yes"), ("first_boot",)])
def test_without_secrets_a_command_says_which_are_missing(tmp_path: Path, arguments: tuple[str, ...]) -> None:
    assert told(tmp_path, "migrate", "-v0")[0] == 0
    code, said = told(tmp_path, *arguments)
    assert (code, len(said.splitlines())) == (1, 1)
    assert "PROXY_TOKEN_PEPPER" in said


def test_a_setting_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    code, said = told(tmp_path, "explain_route", "gpt-x", PROXY_PORT="many")
    assert (code, said) == (1, "proxx is not set up: PROXY_PORT must be a number.")


def test_a_reader_who_leaves_early_causes_no_traceback(tmp_path: Path) -> None:
    environment = house.environment(PROXX_ENV_FILE="/dev/null", PROXY_DATA_DIR=str(tmp_path))
    reader, writer = os.pipe()
    os.close(reader)
    command = [sys.executable, "manage.py", "diffsettings", "--all"]
    done = subprocess.run(
        command, cwd=files.ROOT, env=environment, stdout=writer, stderr=subprocess.PIPE, text=True, timeout=120
    )
    os.close(writer)
    assert (done.returncode, done.stderr) == (141, "")


@pytest.mark.parametrize("is_apart", [False, True], ids=["one output", "a log of its own"])
def test_audit_lines_stand_in_a_log_and_never_between_what_a_person_reads(tmp_path: Path, is_apart: bool) -> None:
    assert told(tmp_path, "migrate", "-v0")[0] == 0
    environment = house.environment(
        PROXX_ENV_FILE="/dev/null", PROXY_DATA_DIR=str(tmp_path), PROXY_TOKEN_PEPPER="p" * 40, SECRET_KEY="s" * 50
    )
    log = subprocess.PIPE if is_apart else subprocess.STDOUT
    command = [sys.executable, "manage.py", "issue_key", "--label", "laptop"]
    done = subprocess.run(
        command, cwd=files.ROOT, env=environment, stdout=subprocess.PIPE, stderr=log, text=True, timeout=120
    )
    assert len(done.stdout.split()) == 1
    assert done.stdout.startswith("pxx_")
    assert ('"message": "audit"' in (done.stderr or "")) == is_apart
