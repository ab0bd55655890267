"""A bill says the same however it names its windows, also after its way through the journal."""

import uuid
from collections.abc import Sequence

import msgspec
import pytest

from accounts import ledger
from accounts.bill import Bill, written
from accounts.ledger import Owed
from accounts.limit import LimitView

MONEY, TOKENS = LimitView(uuid.uuid4(), "money", "day", 10), LimitView(uuid.uuid4(), "tokens", "total", 10)
DAY = 1_700_000_000
WINDOWS = written([(MONEY.id, DAY, MONEY.slot), (TOKENS.id, 0, TOKENS.slot)])


def of_windows(tokens: int, nano: int) -> Bill:
    return Bill(tokens=tokens, nano=nano, windows=WINDOWS)


def of_charges(tokens: int, nano: int) -> Bill:
    return Bill(tokens=tokens, nano=nano, charges=[(MONEY.id, DAY, nano), (TOKENS.id, 0, tokens)])


def journaled(bill: Bill) -> Bill:
    return msgspec.json.decode(msgspec.json.encode(bill), type=Bill)


def owed(bills: Sequence[Bill]) -> list[Owed]:
    return [Owed(uuid.uuid4(), uuid.UUID(int=1), None, "gpt-x", bill) for bill in bills]


@pytest.mark.parametrize("make", [of_windows, of_charges])
def test_a_bill_names_each_window_with_what_counts_there(make):
    expected = [(MONEY.id, DAY, 7), (TOKENS.id, 0, 3)]
    assert make(3, 7).charged() == expected
    assert journaled(make(3, 7)).charged() == expected


def test_a_bill_that_an_earlier_version_wrote_is_read():
    line = msgspec.json.encode([3, 7, [(MONEY.id, DAY, 7)], []])
    assert msgspec.json.decode(line, type=Bill).charged() == [(MONEY.id, DAY, 7)]


@pytest.mark.django_db
def test_windows_are_charged_the_sum_of_bills_of_every_kind():
    bills = [of_windows(1, 10), of_windows(2, 20), of_charges(4, 40), journaled(of_windows(8, 80)), Bill(tokens=9)]
    assert ledger.charge(owed(bills)) == {(MONEY.id, DAY): 150, (TOKENS.id, 0): 15}
