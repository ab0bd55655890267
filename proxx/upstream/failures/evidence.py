"""What a row of the failure table asks for, and whether it is there."""

import re
from dataclasses import dataclass

from proxx.upstream.failures.kinds import Scope


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table.

    It fits if the status is one of its own (none named: any; None stands for an error inside a 200) and, where it names
    codes or words, one of the codes is there or the words are found. `why` is for the reader of the docs.
    """

    name: str
    kind: str
    scope: Scope
    why: str
    statuses: frozenset[int | None] = frozenset()
    codes: frozenset[str] = frozenset()
    words: re.Pattern[str] | None = None

    def fits(self, status: int | None, codes: frozenset[str], message: str) -> bool:
        """Tell whether this row's evidence is there."""
        if self.statuses and status not in self.statuses:
            return False
        if not self.codes and self.words is None:
            return True
        return bool(self.codes & codes) or (self.words is not None and self.words.search(message) is not None)


def codes(*texts: str) -> frozenset[str]:
    """Return the codes in blank-separated texts."""
    return frozenset(" ".join(texts).split())


def words(*alternatives: str) -> re.Pattern[str]:
    """Return one pattern that finds any of these, in any case."""
    return re.compile("|".join(alternatives), re.IGNORECASE)


def only(*statuses: int | None) -> frozenset[int | None]:
    """Return a set of statuses."""
    return frozenset(statuses)
