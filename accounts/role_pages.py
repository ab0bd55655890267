"""docs/operators.md, as far as it follows from the tables of rights and roles.

`manage.py render_docs` writes it; a test compares it with what this module would write.
"""

from accounts.roles import OF_A_TENANT, ROLES, SAYS, Right, Role

HEAD = """\
# Operators, roles and members

An operator is a person who signs in to the [console](console.md). What they may do follows from their roles and from
nothing else: without a role the console is empty. `admin`, whom the first start makes, is an owner. This page is
written from the tables that decide (`manage.py render_docs`).

| role | holds in | says |
|---|---|---|
"""
RIGHTS_HEAD = """
## Who may what

*looks* is reading, *changes* is both. A tenant's roles reach that tenant's rows only: what belongs to another is not in
its lists, numbers, filters and live traffic, and its address answers 404.

"""
TAIL = """
- **Keys of their own**: a member issues keys of the tenant, sees those, rotates and revokes them, and no others.
- **Limits**: a tenant's own limits are set by the house (owner, operator, billing); a tenant admin sets those of its
  keys, which the tenant's bound anyway.
- **Prompts and answers** are in no role. Reading them, as far as they are kept at all, is given to one person by name,
  with a role and in its place, by somebody who has it. The first one gets it from the command line:

      .venv/bin/python manage.py grant_role kim --role auditor --reads-bodies

- A stored credential is sent to another address only by an owner, or by who types the secret again.

## Giving and taking roles

*Operators* has a table of roles on each page, for owners. *Members* lists who is what in which tenant; a tenant admin
adds somebody by username or e-mail address, and removes them. Roles are given and taken, not edited.

- Nobody changes their own roles, and nobody gives or takes a right that they do not have.
- Nobody sets the password of somebody who may do more than they.
- A change of roles ends the operator's sign-ins; open pages notice within seconds.

From the command line, which trusts whoever can run it:

    .venv/bin/python manage.py grant_role kim --role tenant_admin --tenant acme
    .venv/bin/python manage.py grant_role kim --role tenant_admin --tenant acme --take

## One tenant at a time

Who sees several tenants can look at one: the choice below the name of the console narrows keys, members, traffic and
numbers to it, until *All tenants* is chosen again. It widens nothing. Pages of the whole house stay as they are.
"""


def operators_page() -> str:
    """Return docs/operators.md."""
    said = "".join(f"| {role.label} | {_place(role)} | {SAYS[role]} |\n" for role in Role)
    head = f"| | {' | '.join(role.label for role in Role)} |\n|---|{'---|' * len(Role)}\n"
    lines = "".join(f"| {area} | {' | '.join(_cell(role, area) for role in Role)} |\n" for area in _areas())
    return f"{HEAD}{said}{RIGHTS_HEAD}{head}{lines}{TAIL}"


def _place(role: Role) -> str:
    return "one tenant" if role in OF_A_TENANT else "the whole house"


def _areas() -> list[str]:
    return list(dict.fromkeys(right.partition(":")[0] for right in Right))


def _cell(role: Role, area: str) -> str:
    held = {right.partition(":")[2] for right in ROLES[role] if right.partition(":")[0] == area}
    if "write" in held:
        return "changes"
    if "read" in held:
        return "looks"
    return "their own" if "own" in held else "–"
