"""Many processes, many accounts, tokens that end every few seconds, and an issuer that forgives no reuse.

Small here; `PROXX_TEST_SIGN_INS=8,200,10000` runs it with so many processes, accounts and calls. Whoever is killed in
the middle of a renewal may cost an account only if the issuer had answered and the answer was not kept.
"""

import itertools
import json
import os
import random
import threading
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from http.client import HTTPException
from pathlib import Path

import pytest

from tests import live
from tests.databases import Templates
from tests.gateway.fleet import fleet
from tests.live import LiveProxx
from tests.until import until
from tests.upstreams.server import SimulatedProvider
from tests.upstreams.signin import Issuer
from tests.upstreams.signin_backend import Backend

PROCESSES, ACCOUNTS, CALLS = map(int, os.environ.get("PROXX_TEST_SIGN_INS", "3,30,600").split(","))
LIVES = 3.0  # seconds of a token
LONGEST = 20 * LIVES
CALLERS = 16
TIMEOUT = 5  # seconds an issuer may take; a renewal that fell silent counts as lost after three times as long

SIGN_IN = """
from oauth import providers
from oauth.keeping import keep
from oauth.tokens import read
entry = providers.get("openai")
for said in {grants!r}:
    keep(entry, read(said), base_url={base!r})
result = {{}}
"""


@pytest.fixture
def issuer() -> Iterator[Issuer]:
    with Issuer(lives=LIVES, delay=lambda: random.uniform(0, 0.05)) as issuer:
        yield issuer


@pytest.fixture
def members(
    issuer: Issuer,
    tmp_path: Path,
    templates: Templates,
    module_provider: SimulatedProvider,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[list[LiveProxx]]:
    monkeypatch.setattr(live, "READY_WITHIN", live.READY_WITHIN * max(1, PROCESSES / 2))  # all start at once
    env = {
        "OPENAI_API_KEY": "",
        "OPENAI_OAUTH_ISSUER": issuer.origin,
        "OPENAI_OAUTH_CLIENT_ID": issuer.client_id,
        "PROXY_OAUTH_TIMEOUT": str(TIMEOUT),
        "PROXY_MAX_ATTEMPTS": "20",
    }
    grants = [issuer.grant(workspace="ws-1") for _ in range(ACCOUNTS)]
    said = [{"access_token": one.access, "refresh_token": one.refresh, "expires_in": LIVES} for one in grants]
    rows = SIGN_IN.format(grants=said, base=Backend(issuer).base_url)
    with fleet(tmp_path, templates, module_provider, count=PROCESSES, rows=rows, env=env) as members:
        yield members


def ask(members: list[LiveProxx], calls: int) -> Counter[int]:
    """Ask so many calls of all members in turn; return how many got which status, 0 for a server that is gone."""
    turns, found, lock = itertools.count(), Counter[int](), threading.Lock()

    def caller() -> None:
        while (turn := next(turns)) < calls:
            try:
                status, _, body = members[turn % len(members)].chat("openai/sim-echo", f"question {turn}")
            except (OSError, HTTPException):
                status, body = 0, b""
            with lock:
                found[status] += 1
                if status not in (0, 200):
                    print(status, body)
                if not found.total() % 1000:
                    print(found, time.strftime("%X"), flush=True)

    with ThreadPoolExecutor(CALLERS) as pool:
        for one in [pool.submit(caller) for _ in range(CALLERS)]:
            one.result()
    return found


def states(member: LiveProxx) -> dict[str, tuple[str, int, str]]:
    """Return state, version and fault of every account by the person's subject."""
    rows = member.rows("SELECT subject, state, version, fault FROM oauth_oauthaccount")
    return {subject: (state, version, fault) for subject, state, version, fault in rows}


@pytest.mark.real
@pytest.mark.slow
def test_no_account_is_lost_and_no_client_sees_a_401(issuer: Issuer, members: list[LiveProxx]) -> None:
    began = time.monotonic()
    found = ask(members, CALLS)
    while issuer.renewals <= ACCOUNTS / 3 and time.monotonic() - began < LONGEST:  # tokens end while calls go on
        found += ask(members, CALLS)
    took = time.monotonic() - began
    print(json.dumps({"answers": found, "seconds": took, "renewals": issuer.renewals}))
    assert issuer.reused == 0
    assert found == {200: found.total()}
    assert {state for state, *_ in states(members[0]).values()} == {"working"}
    assert issuer.renewals > ACCOUNTS / 3


@pytest.mark.real
@pytest.mark.slow
def test_a_kill_costs_only_what_the_issuer_had_answered(issuer: Issuer, members: list[LiveProxx]) -> None:
    issuer.delay = lambda: random.uniform(0.3, 1.0)
    kills = max(2, CALLS // 500)
    done = threading.Event()

    def killer() -> None:
        for number in range(kills):
            if done.wait(random.uniform(0.5, 1.5)):
                return
            with suppress(TimeoutError, AssertionError):
                until(lambda: issuer.waiting >= 2 * len(members), seconds=5)  # then some are this one's
            victim = members[1 + number % (len(members) - 1)]
            victim.kill()
            victim.start()

    killing = threading.Thread(target=killer)
    killing.start()
    found: Counter[int] = Counter()
    try:
        while killing.is_alive():
            found += ask(members, max(CALLS // 20, 100))
    finally:
        done.set()
        killing.join()

    deadline = time.monotonic() + 6 * TIMEOUT
    while members[0].rows("SELECT 1 FROM oauth_oauthaccount WHERE sent") and time.monotonic() < deadline:
        members[0].run("from oauth import scan\nscan.renew_due()")
    lost = {subject: seen for subject, seen in states(members[0]).items() if seen[0] != "working"}
    versions = {family.person["subject"]: family.version for family in issuer.families.values()}
    never_arrived = [subject for subject, (_, version, _) in lost.items() if versions[subject] == version]
    print(json.dumps({"answers": found, "kills": kills, "lost": len(lost), "never_arrived": len(never_arrived)}))
    assert issuer.reused == 0, "a used token is never sent"
    assert set(found) <= {200, 0}, "no client sees anything but answers, and connections to whom was killed"
    assert never_arrived == [], "lost, though the issuer never answered"
    assert all("Sign in again" in fault for _, _, fault in lost.values())
