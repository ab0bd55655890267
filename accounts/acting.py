"""Who acts at this moment: an operator in the console, a key at the control API, a command, a job, or proxx itself.

Whoever lets somebody in says so once (`acting_as`); whoever writes down what happened asks (`current`, `reason`). It
follows the context: a task or a thread that is started inside inherits it, nobody else sees it.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from enum import StrEnum

Asked = Callable[[], "Actor"]


class ActorKind(StrEnum):
    """What somebody is who changes something."""

    OPERATOR = "operator"
    KEY = "key"
    ADMIN = "admin token"
    COMMAND = "command"
    JOB = "job"
    SYSTEM = "system"
    NOBODY = "nobody"  # who has not said yet who they are: a sign-in that fails


@dataclass(frozen=True, slots=True)
class Actor:
    """Who acts: what they are, their row's id if they have one, the name to show, and where they called from."""

    kind: str
    id: str = ""
    name: str = ""
    address: str = ""


PROXX = Actor(ActorKind.SYSTEM, name="proxx")

_acting: ContextVar[tuple[Actor | Asked, str]] = ContextVar("acting", default=(PROXX, ""))


@contextmanager
def acting_as(actor: Actor | Asked, reason: str = "") -> Iterator[None]:
    """Let everything inside be done by that actor; without a reason of its own, for the reason given around it.

    Where it costs something to know who it is, give a function: it is asked each time somebody wants to know.
    """
    token = _acting.set((actor, reason or _acting.get()[1]))
    try:
        yield
    finally:
        _acting.reset(token)


def current() -> Actor:
    """Return who acts now; proxx itself, if nobody said."""
    actor = _acting.get()[0]
    return actor if isinstance(actor, Actor) else actor()


def reason() -> str:
    """Return why, in the words of whoever acts; often nothing."""
    return _acting.get()[1]
