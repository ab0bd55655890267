"""No SQL is built from what somebody sent (security A2): statements are constants, or made of our own tables' names."""

import ast

from tests.house import files

CALLS = {"execute", "executemany", "raw", "extra", "RawSQL"}
NEVER = {"raw", "extra", "RawSQL"}

# Where a statement is put together, and what of. Values travel as parameters everywhere.
BUILT = {
    "accounts/ledger.py": "names of the ledger's table and columns",
    "analytics/bodies/store.py": "names of its table and columns",
    "analytics/calls.py": "Django's own statements, put together by UNION ALL, and a number of rows",
    "analytics/partitions.py": "names and bounds of partitions, counted out of days",
    "analytics/rollup.py": "Django's own statement, and names of the sums' table and columns",
    "analytics/rows.py": "names of a table and its columns, and a number of the settings",
}


def calls(name: str):
    for node in ast.walk(ast.parse(files.text(name))):
        if isinstance(node, ast.Call):
            called = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            if called in CALLS and node.args:
                yield called, node.args[0], node.lineno


def is_constant(node: ast.expr) -> bool:
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        return is_constant(node.left) and is_constant(node.right)
    return isinstance(node, ast.Constant)


def test_no_statement_is_built_but_where_it_is_said_of_what() -> None:
    built = {}
    for name in files.python(tests=False):
        for called, statement, line in calls(name):
            if not is_constant(statement) and not (isinstance(statement, ast.Name) and statement.id.isupper()):
                built.setdefault(name, []).append((line, called))
    assert set(built) <= set(BUILT), built


def test_nobody_writes_raw_queries() -> None:
    found = [(name, line) for name in files.python(tests=False) for called, _, line in calls(name) if called in NEVER]
    assert found == []
