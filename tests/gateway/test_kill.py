"""Killed in the middle of 200 concurrent calls: every call whose end the client saw is in the log exactly once."""

import asyncio
import time

import pytest

from tests.gateway.load import Load

MARGIN = 0.1  # seconds before the kill inside which a record may be lost


@pytest.mark.slow
@pytest.mark.parametrize("server", ["daphne", "uvicorn"])
def test_a_killed_server_loses_no_call_that_ended_before(start_proxx, server, record_property, capsys):
    proxx = start_proxx(server=server)
    load = Load(proxx.port, proxx.token)
    killed_at = 0.0

    async def kill_in_the_middle() -> None:
        nonlocal killed_at
        calls = asyncio.create_task(load.run(200))
        await load.reached(1000)
        killed_at = time.monotonic()
        await asyncio.to_thread(proxx.kill)
        await calls

    asyncio.run(kill_in_the_middle())
    ended = [seen for seen in load.seen if seen.status == 200]
    owed = {seen.call_id.replace("-", "") for seen in ended if seen.ended <= killed_at - MARGIN}
    inside = {seen.call_id.replace("-", "") for seen in ended if seen.ended > killed_at - MARGIN}
    assert len(owed) > 300
    proxx.start()
    rows = proxx.wait_for_rows("SELECT id FROM analytics_requestlog", len(owed), seconds=20)
    proxx.stop()  # the drain writes the rest
    rows = proxx.rows("SELECT id FROM analytics_requestlog")
    logged = [str(row[0]).replace("-", "") for row in rows]
    attempts = proxx.rows("SELECT call_id, count(*) FROM analytics_requestattempt GROUP BY call_id HAVING count(*) > 1")
    with capsys.disabled():
        lost = len(inside - set(logged))
        print(f"\n{server}: {len(owed)} calls ended before the last 100 ms, {len(inside)} inside, {lost} of those lost")
    assert len(logged) == len(set(logged))
    assert owed <= set(logged)
    assert attempts == []
