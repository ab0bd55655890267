"""Money that cannot be wrong (security H3, H5): whatever is reported, and however often it is entered at once."""

import subprocess
import sys
import uuid

import pytest
from hypothesis import given
from hypothesis import strategies as st

from accounts import limits
from accounts.held import Held, Worst
from accounts.limit import MOST, LimitView
from accounts.limit_set import LimitSet, Places
from proxx.protocols.hub.events import Usage
from routing import pricing
from routing.pricing import Price
from tests.databases import ROOT
from tests.live import base_environment

ANY = st.integers(-(2**80), 2**80)
COUNT = 60
BOOKED = """
SELECT (SELECT sum(nano) FROM accounts_ledgerentry), w.spent, w.held FROM accounts_limitwindow w
"""
CALLS = f"""
import random, threading, uuid
from django.db import connection, transaction
from accounts import ledger
from accounts.bill import Bill
from accounts.limit import LimitView
budget = LimitView(uuid.UUID(int=1), "money", "total", 10**9)
bill = Bill(nano=7, charges=[(budget.id, 0, 7)])
owed = [ledger.Owed(uuid.UUID(int=2 + number), uuid.UUID(int=1), None, "x", bill) for number in range({COUNT})]
"""
HOLD = "for one in owed: ledger.hold(one.call_id, [(budget, 0, 9)], lease=900)"
# Each of eight threads enters all calls, in batches of its own.
ENTER = """
def enter():
    mine = random.sample(owed, len(owed))
    while mine:
        batch = [mine.pop() for _ in range(min(len(mine), random.randint(1, 9)))]
        with transaction.atomic():
            ledger.charge(batch)
    connection.close()

threads = [threading.Thread(target=enter) for _ in range(4)]
[one.start() for one in threads]
[one.join() for one in threads]
"""


@given(tokens=ANY, nano=ANY)
def test_a_bill_is_whole_and_neither_negative_nor_beyond_what_a_column_holds(tokens: int, nano: int):
    of = [LimitView(uuid.uuid4(), measure, "total", 10) for measure in ("tokens", "money")]
    held = Held(uuid.uuid4(), Worst(), LimitSet(of), places=Places((one, 0) for one in of))
    bill = limits.settle(held, tokens=tokens, nano=nano)
    assert bill is not None
    for amount in (bill.tokens, bill.nano, *(charge for *_, charge in bill.charged())):
        assert type(amount) is int
        assert 0 <= amount <= MOST
    assert bill.nano == nano or not 0 <= nano <= MOST


@given(usage=st.builds(Usage, input_total=ANY | st.none(), output_total=ANY | st.none(), cache_read=ANY | st.none()))
def test_a_price_of_odd_counts_is_unknown_or_a_whole_number_of_nano_dollars(usage: Usage):
    cost = pricing.cost(usage, Price(input=3_000, output=15_000))
    assert cost is None or (type(cost) is int and cost >= 0)


@pytest.mark.real
def test_entered_by_many_at_once_a_call_is_charged_once_and_what_it_held_ends(tmp_path, templates):
    environment = base_environment(tmp_path)
    database = templates.copy(tmp_path, environment, real=True)
    shell = [sys.executable, "manage.py", "shell", "--no-imports", "-c"]
    inside = {"cwd": ROOT, "env": {**environment, **database.environment}, "stderr": subprocess.PIPE, "text": True}
    try:
        subprocess.run([*shell, CALLS + HOLD], check=True, timeout=60, **inside)
        assert database.rows(BOOKED) == [(None, 0, COUNT * 9)]
        writers = [subprocess.Popen([*shell, CALLS + ENTER], **inside) for _ in range(2)]
        said = [writer.communicate(timeout=120)[1] for writer in writers]
        assert [writer.returncode for writer in writers] == [0, 0], said
        assert not any("Traceback" in text for text in said), said
        assert database.rows(BOOKED) == [(COUNT * 7, COUNT * 7, 0)]
    finally:
        database.drop()
