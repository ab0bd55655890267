"""Limits that apply together: sorted once by who counts them, because most calls have those of the call before."""

from collections.abc import Iterable, Mapping, Sequence
from math import inf
from typing import Self

import msgspec

from accounts.bill import NOWHERE, written
from accounts.limit import LimitView

MOST_REMEMBERED = 4096


class Places(tuple[tuple[LimitView, int], ...]):
    """Budgets with the start of their window, and the same as a bill names them (`written`)."""

    written: msgspec.Raw

    def __new__(cls, places: Iterable[tuple[LimitView, int]] = ()) -> Self:
        """Write them down, once for all calls that fall there."""
        self = super().__new__(cls, places)
        self.written = written((one.id, starts, one.slot) for one, starts in self) if self else NOWHERE
        return self


NO_PLACES = Places()


class LimitSet(tuple[LimitView, ...]):
    """Some limits in their order, and apart the `budgets`, those by the `minutes` (also `per_minute` of each measure),
    those of calls `at_once`; their `measures`; and whether any is for some models only (`names_models`)."""

    budgets: tuple[LimitView, ...]
    minutes: tuple[LimitView, ...]
    at_once: tuple[LimitView, ...]
    per_minute: Mapping[str, tuple[LimitView, ...]]
    measures: frozenset[str]
    names_models: bool
    _places: Places
    _begins: float
    _ends: float

    def __new__(cls, limits: Sequence[LimitView] = ()) -> Self:
        """Sort them."""
        self = super().__new__(cls, limits)
        self.budgets = tuple(one for one in limits if one.is_budget)
        self.minutes = tuple(one for one in limits if one.period and not one.is_budget)
        self.at_once = tuple(one for one in limits if not one.period)
        measured = {one.measure for one in self.minutes}
        self.per_minute = {name: tuple(one for one in self.minutes if one.measure == name) for name in measured}
        self.measures = frozenset(one.measure for one in limits)
        self.names_models = any(one.model for one in limits)
        self._places, self._begins, self._ends = NO_PLACES, inf, -inf
        return self

    def places(self, unix: float) -> Places:
        """Return the budgets with the start of their window at that moment: the same object while it is the same."""
        if not self._begins <= unix < self._ends:
            self._places = Places((one, one.starts(unix)) for one in self.budgets)
            self._begins = max((starts for _, starts in self._places), default=0)
            self._ends = min((one.ends(unix) or inf for one in self.budgets), default=inf)
        return self._places


def together(first: Sequence[LimitView], second: Sequence[LimitView]) -> LimitSet:
    """Return the limits of both; the same set for the same two."""
    known = id(first), id(second)
    found = _sets.get(known)
    # What was asked for is kept with the answer: while it lives nothing else has its identity.
    return found[0] if found is not None else _remember(known, (*first, *second), (first, second))


def some(limits: Sequence[LimitView]) -> LimitSet:
    """Return a set of these limits; the same set for the same ones."""
    known = tuple([0, *map(id, limits)])
    found = _sets.get(known)
    return found[0] if found is not None else _remember(known, limits, limits)


def _remember(known: tuple[int, ...], limits: Sequence[LimitView], kept: object) -> LimitSet:
    if len(_sets) >= MOST_REMEMBERED:
        _sets.clear()
    made = LimitSet(limits)
    _sets[known] = made, kept
    return made


_sets: dict[tuple[int, ...], tuple[LimitSet, object]] = {}
EMPTY = LimitSet()
