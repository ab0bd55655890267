"""The database or Redis goes away under load: calls go on, nothing is lost, and nobody is let in who should not be."""

import asyncio
import json
import os
import time

import pytest

from tests.gateway.load import Load
from tests.relay import relayed

pytestmark = [pytest.mark.real, pytest.mark.slow]

OUTAGE = float(os.environ.get("PROXX_TEST_OUTAGE_SECONDS", "0"))  # how long the database is away, at least
STRANGER = "pxx_" + "s" * 43


def behind(proxx_url: str, path: str) -> str:
    """Return the relay's URL with another database's path."""
    return proxx_url.rpartition("/")[0] + "/" + path


@pytest.mark.parametrize("way", ["cut", "hang"])
def test_without_the_database_known_keys_work_strangers_wait_and_records_arrive_later(start_proxx, way, capsys):
    with relayed(os.environ["DATABASE_URL_TEST"]) as (relay, relay_url):
        proxx = start_proxx(real=True)
        url = behind(relay_url, proxx.database.name)
        proxx.stop()
        proxx.environment["DATABASE_URL"] = url
        proxx.start()
        token = proxx.manage("issue_key", "--tenant", "default", "--label", "load").split()[-1]
        load = Load(proxx.port, token)
        calls_before = calls_during = 0
        away = 0.0

        async def break_it_under_load() -> None:
            nonlocal calls_before, calls_during, away
            calls = asyncio.create_task(load.run(8))
            await load.reached(100)
            getattr(relay, way)()
            began = time.monotonic()
            calls_before = len(load.seen)
            stranger = await asyncio.to_thread(
                proxx.request, "GET", "/v1/models", None, {"authorization": f"Bearer {STRANGER}"}
            )
            assert stranger[0] == 503
            assert int(stranger[1]["retry-after"]) >= 1
            await load.reached(calls_before + 1500)
            await asyncio.sleep(max(0.0, began + OUTAGE - time.monotonic()))
            calls_during, away = len(load.seen) - calls_before, time.monotonic() - began
            relay.mend()
            load.stopping = True
            await calls

        asyncio.run(break_it_under_load())
        assert {seen.status for seen in load.seen} == {200}
        assert load.broken == 0
        rows = proxx.wait_for_rows(
            "SELECT id FROM analytics_requestlog WHERE outcome = 'ok'", len(load.seen), seconds=30 + OUTAGE
        )
        assert len(rows) == len(load.seen)
        assert {str(row[0]) for row in rows} == {seen.call_id for seen in load.seen}
    with capsys.disabled():
        print(f"\n{way}: {calls_during} calls in {away:.1f} s without the database, all answered, all recorded once")


@pytest.mark.parametrize("way", ["cut", "hang"])
def test_without_redis_requests_still_answer(start_proxx, way):
    with relayed(os.environ["REDIS_URL_TEST"]) as (relay, relay_url):
        proxx = start_proxx(real=True, env={"REDIS_URL": relay_url})
        assert proxx.chat()[0] == 200
        getattr(relay, way)()
        statuses = [proxx.chat(stream=stream)[0] for stream in (False, True) * 20]
        relay.mend()
        assert set(statuses) == {200}
        proxx.wait_for_rows("SELECT id FROM analytics_requestlog WHERE outcome = 'ok'", 41, seconds=10)


def test_a_change_acts_in_every_process_within_five_seconds(start_proxx, tmp_path, provider):
    from tests.live import LiveProxx
    from tests.until import until

    first = start_proxx(real=True)
    second = LiveProxx(tmp_path / "second", first.database, provider, "daphne", {})
    second.folder.mkdir()
    second.start()
    try:
        token = first.manage("issue_key", "--tenant", "default", "--label", "both").split()[-1]
        header = {"authorization": f"Bearer {token}"}
        both = (first, second)

        def statuses() -> list[int]:
            body = {"model": "gpt-x", "messages": [{"role": "user", "content": "hi"}]}
            return [proxx.request("POST", "/v1/chat/completions", body, header)[0] for proxx in both]

        def keys_sent() -> set[str | None]:
            provider.journal.clear()
            statuses()
            statuses()
            return {entry.header("authorization") for entry in provider.journal}

        assert statuses() == [200, 200]
        added = first.run(
            "from accounts.models import Credential\n"
            "row = Credential.objects.create(provider_id='openai', label='second', secret='sk-sim-2', priority=1)\n"
            "result = str(row.pk)"
        )
        until(lambda: keys_sent() == {"Bearer sk-sim-2"}, seconds=5)
        first.run(
            "from accounts.models import Credential\n"
            f"row = Credential.objects.get(pk={json.dumps(added)}); row.enabled = False; row.save()"
        )
        until(lambda: keys_sent() == {"Bearer sk-sim-1"}, seconds=5)
        first.run(
            "from accounts import keys\nfrom accounts.models import ApiKey\n"
            "keys.revoke(ApiKey.objects.get(label='both'))"
        )
        until(lambda: statuses() == [401, 401], seconds=5)
    finally:
        assert second.stop() == 0
