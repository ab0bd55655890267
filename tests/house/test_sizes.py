"""How the code must look: sizes, names, docstrings, empty `__init__.py`, no promises without a number."""

import ast
import re
from functools import cache

import pytest

from tests.house import files

LINES_PER_FILE = 300
LINES_PER_FUNCTION = 70
VAGUE_FILES = {"utils", "util", "helpers", "helper", "common", "misc", "lib", "shared", "stuff"}
VAGUE_CLASSES = re.compile(r".*(Manager|Service|Handler|Processor|Engine|Helper|Util)$")
PROMISE = re.compile(r"\b(TODO|FIXME|XXX|HACK)\b(?!.*(#\d+|\b\d{4}\b))")
FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)


@cache
def trees(**which):
    return {name: ast.parse(files.text(name)) for name in files.python(**which)}


def test_no_file_reaches_300_lines():
    sizes = {name: files.text(name).count("\n") for name in files.python()}
    assert {name: size for name, size in sizes.items() if size >= LINES_PER_FILE} == {}


def test_no_function_exceeds_70_lines():
    long = [
        f"{name}:{node.lineno} {node.name}"
        for name, tree in trees().items()
        for node in ast.walk(tree)
        if isinstance(node, FUNCTIONS) and node.end_lineno - node.lineno >= LINES_PER_FUNCTION
    ]
    assert long == []


def test_file_names_say_what_is_inside():
    assert [name for name in files.python() if VAGUE_FILES & set(name.removesuffix(".py").split("/"))] == []


def test_no_class_is_called_manager_or_the_like():
    vague = [
        f"{name}:{node.lineno} {node.name}"
        for name, tree in trees(tests=False).items()
        for node in ast.walk(tree)
        if isinstance(node, ast.ClassDef) and VAGUE_CLASSES.match(node.name)
    ]
    assert vague == []


def test_an_init_names_at_most_its_own_children():
    """Only a protocol or a file that was split may have one with content; re-exports elsewhere grow cycles."""
    wrong = []
    for name in files.python():
        if name.endswith("__init__.py"):
            package = name.removesuffix("/__init__.py").replace("/", ".")
            body = ast.parse(files.text(name)).body
            wrong += [f"{name}:{node.lineno}" for node in body if not allowed_in_init(node, package)]
    assert wrong == []


def allowed_in_init(node: ast.stmt, package: str) -> bool:
    """Tell whether a statement may stand in a package's `__init__.py`."""
    if isinstance(node, ast.Expr):
        return isinstance(node.value, ast.Constant)
    if isinstance(node, ast.ImportFrom):
        common = ("proxx.protocols.spec", "proxx.protocols.hub")  # what a dialect's entry is made of
        protocol = package.startswith("proxx.protocols.") and (node.module or "").startswith(common)
        return protocol or (node.module or "").split(".")[: package.count(".") + 1] == package.split(".")
    return isinstance(node, ast.Assign | ast.AnnAssign)


@pytest.mark.parametrize("source", ["import os", "from proxx.kit import clock", "def f(): ...", "print(1)"])
def test_the_rule_on_inits_catches_what_it_should(source):
    assert not allowed_in_init(ast.parse(source).body[0], "proxx.api")


def test_no_promise_without_a_number():
    broken = [
        f"{name}:{number}"
        for name in files.python()
        if not name.startswith("tests/house/")
        for number, line in enumerate(files.text(name).splitlines(), 1)
        if PROMISE.search(line)
    ]
    assert broken == []


def test_every_public_name_has_a_docstring():
    silent = [place for name, tree in trees(tests=False).items() for place in without_docstring(name, tree)]
    assert silent == []


def without_docstring(name: str, tree: ast.Module) -> list[str]:
    """Return the places of public modules, classes and functions that do not say what they are."""
    silent = [] if ast.get_docstring(tree) or not tree.body else [name]
    todo: list[ast.AST] = [tree]
    while todo:
        for node in ast.iter_child_nodes(todo.pop()):
            if not isinstance(node, (*FUNCTIONS, ast.ClassDef)) or node.name.startswith("_") or node.name == "Meta":
                continue
            if not ast.get_docstring(node):
                silent.append(f"{name}:{node.lineno} {node.name}")
            if isinstance(node, ast.ClassDef):
                todo.append(node)
    return silent
