"""Imports go down the stairs, never up: the linter finds nothing here, and finds what is done wrong on purpose."""

import ast
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.house import files

LINTER = Path(sys.executable).parent / "lint-imports"

# One deliberate fault per contract: the file it goes into, the line, and the contract that must break.
FAULTS = [
    ("proxx/kit/clock.py", "from accounts import models", "stairs"),
    ("accounts/fields.py", "from routing import models", "stairs"),
    ("routing/health.py", "from proxx.gateway import errors", "stairs"),
    ("proxx/protocols/registry.py", "import django.conf", "pure"),
    ("proxx/protocols/registry.py", "from proxx.kit import clock", "pure"),
    ("accounts/keys.py", "import httpx", "one door"),
    ("proxx/api/routes.py", "import requests", "one door"),
    ("proxx/gateway/failover.py", "from proxx.gateway import settle", "walk"),
    ("routing/providers.py", "from routing import planner", "routing inside"),
    ("analytics/queue.py", "from analytics import queries", "hot half"),
    ("proxx/settings/base.py", "from proxx.kit import clock", "settings"),
]


def linted(folder: Path) -> subprocess.CompletedProcess[str]:
    """Run the linter over a tree."""
    environment = {**os.environ, "PYTHONPATH": str(folder), "NO_COLOR": "1"}
    command = [str(LINTER), "--no-cache", "--no-logo"]
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=120)


@pytest.fixture(scope="module")
def copy(tmp_path_factory):
    folder = tmp_path_factory.mktemp("house")
    for name in (*files.python(migrations=True), "pyproject.toml"):
        if name.startswith((*(f"{room}/" for room in files.ROOMS), "pyproject.toml")):
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(files.ROOT / name, folder / name)
    return folder


def test_every_import_goes_down_the_stairs():
    done = linted(files.ROOT)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize(("name", "line", "contract"), FAULTS, ids=[f"{fault[2]}: {fault[1]}" for fault in FAULTS])
def test_a_deliberate_violation_is_caught(copy, name, line, contract):
    file = copy / name
    before = file.read_text()
    try:
        file.write_text(f"{before}\n\n{line}\n")
        done = linted(copy)
    finally:
        file.write_text(before)
    broken = [one for one in done.stdout.splitlines() if one.endswith("BROKEN")]
    assert done.returncode == 1, done.stdout + done.stderr
    assert any(one.startswith(contract) for one in broken), done.stdout


def test_no_contract_has_exceptions():
    assert "ignore_imports" not in files.text("pyproject.toml")


def test_nothing_imports_the_tests():
    importing = [
        f"{name}:{number}"
        for name in files.python(tests=False)
        for number, line in enumerate(files.text(name).splitlines(), 1)
        if line.lstrip().startswith(("import tests", "from tests"))
    ]
    assert importing == []


def test_only_upstream_uses_the_standard_librarys_http_client():
    """The linter knows packages of others only as a whole, so these two are looked for here."""
    clients = {"urllib.request", "http.client"}
    found = [
        f"{name}: {module}"
        for name in files.python(tests=False)
        if not name.startswith("proxx/upstream/")
        for module in imported(name)
        if module in clients
    ]
    assert found == []


def test_no_protocol_imports_another():
    """What two of them share moves to `hub` or `framing`."""
    found = []
    for name in files.python(tests=False):
        if name.startswith("proxx/protocols/") and name.count("/") >= 3:
            own = name.split("/")[2]
            allowed = {own, "spec", "hub", "framing", "passthrough"}
            modules = [module.split(".") for module in imported(name) if module.startswith("proxx.protocols.")]
            found += [f"{name}: {'.'.join(module)}" for module in modules if module[2] not in allowed]
    assert found == []


def imported(name: str) -> set[str]:
    """Return every module a file imports, with `from package import module` as `package.module` too."""
    modules: set[str] = set()
    for node in ast.walk(ast.parse(files.text(name))):
        if isinstance(node, ast.Import):
            modules |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            modules |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return modules
