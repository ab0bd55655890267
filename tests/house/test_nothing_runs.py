"""Nothing that is stored or sent is ever run: no code, template, shell or pickle. SQL is the linter's rule S608."""

import ast
import inspect
from collections.abc import Iterator

import pytest

from tests.house import files

RUNS = {
    "eval",
    "exec",
    "compile",
    "__import__",
    "mark_safe",
    "from_string",
    "unsafe_load",
    "full_load",
    "Popen",
    "system",
}
BUILT_IN = {"eval", "exec", "compile"}  # a method of that name (`re.compile`, Redis's `eval`) is another matter
MODULES = {"pickle", "marshal", "shelve", "dill", "cloudpickle", "subprocess", "jinja2", "code", "runpy"}
# Programs that start others by names of their own.
STARTERS = {"proxx/run.py", "proxx/child.py", "proxx/prepare.py", "proxx/demo.py"}


def calls(name: str) -> Iterator[tuple[str, ast.Call]]:
    """Yield the called name of every call in a file."""
    for node in ast.walk(ast.parse(files.text(name))):
        if isinstance(node, ast.Call):
            yield getattr(node.func, "attr", getattr(node.func, "id", "")), node


def imported(name: str) -> set[str]:
    """Return the top names of what a file imports."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(files.text(name))):
        if isinstance(node, ast.Import):
            found |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            found.add((node.module or "").split(".")[0])
    return found


def test_nothing_runs_what_is_stored() -> None:
    found = []
    for name in files.python(tests=False):
        if name in STARTERS:
            continue
        found += [f"{name}: import {module}" for module in imported(name) & MODULES]
        found += [
            f"{name}:{node.lineno} {called}"
            for called, node in calls(name)
            if called in RUNS and not (called in BUILT_IN and isinstance(node.func, ast.Attribute))
        ]
        found += [
            f"{name}:{node.lineno} yaml.load"
            for called, node in calls(name)
            if called in {"load", "load_all"} and ast.unparse(node.func).startswith("yaml.")
        ]
    assert found == []


@pytest.mark.parametrize("line", ["eval(x)", "mark_safe(x)", "yaml.unsafe_load(x)", "engine.from_string(x)"])
def test_the_rule_catches_what_it_should(line: str) -> None:
    node = ast.parse(line).body[0].value
    assert getattr(node.func, "attr", getattr(node.func, "id", "")) in RUNS


def test_jobs_take_no_arguments_that_could_hold_a_secret() -> None:
    from proxx.celery import app

    app.loader.import_default_modules()
    ours = {name: task for name, task in app.tasks.items() if not name.startswith("celery.")}
    assert ours
    assert {name for name, task in ours.items() if inspect.signature(task.run).parameters} == set()
