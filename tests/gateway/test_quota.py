"""An account that says it has nothing left is not called again until its window ends."""

import json
from pathlib import Path

import pytest

from tests.gateway.raw_upstream import RawUpstream
from tests.live import LiveProxx
from tests.until import until
from tests.upstreams.server import SimulatedProvider

ANSWER = json.dumps(
    {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "created": 1,
        "model": "gpt-x",
        "choices": [{"index": 0, "message": {"role": "assistant", "content": "Yes."}, "finish_reason": "stop"}],
    }
).encode()
USED_UP = (
    "x-codex-primary-used-percent: 99\r\nx-codex-primary-window-minutes: 300\r\n"
    "x-codex-primary-reset-after-seconds: 600\r\n"
)


def test_the_last_answer_of_a_window_is_the_last_call_until_it_ends(start_proxx):
    with RawUpstream(200, ANSWER, extra=USED_UP) as upstream:
        proxx: LiveProxx = start_proxx(env={"OPENAI_BASE_URL": upstream.base_url})
        assert proxx.chat("gpt-x")[0] == 200
        status, headers, body = proxx.chat("gpt-x")
    assert status == 429
    assert 590 <= int(headers["retry-after"]) <= 600
    assert json.loads(body)["error"]["code"] == "all_keys_rate_limited"


def test_a_refusal_is_remembered_as_a_full_window(start_proxx):
    refusal = json.dumps({"error": {"type": "usage_limit_reached", "message": "no more", "resets_in_seconds": 900}})
    with RawUpstream(429, refusal.encode()) as upstream:
        proxx: LiveProxx = start_proxx(env={"OPENAI_BASE_URL": upstream.base_url})
        assert proxx.chat("gpt-x")[0] == 429
        status, headers, _ = proxx.chat("gpt-x")
    assert status == 429
    assert 880 <= int(headers["retry-after"]) <= 900


def test_what_is_known_outlives_the_process(start_proxx):
    with RawUpstream(200, ANSWER, extra=USED_UP) as upstream:
        proxx: LiveProxx = start_proxx(env={"OPENAI_BASE_URL": upstream.base_url})
        assert proxx.chat("gpt-x")[0] == 200
        assert proxx.wait_for_rows("SELECT source FROM routing_quotastanding", 1) == [("headers",)]
        proxx.stop()
        proxx.start()
        until(lambda: proxx.chat("gpt-x")[0] == 429, seconds=10)


@pytest.mark.real
def test_what_one_process_hears_the_other_knows(start_proxx, provider: SimulatedProvider, tmp_path: Path):
    with RawUpstream(200, ANSWER, extra=USED_UP) as upstream:
        first: LiveProxx = start_proxx(env={"OPENAI_BASE_URL": upstream.base_url}, real=True)
        (tmp_path / "other").mkdir()
        # Its own upstream says nothing of quota.
        other = LiveProxx(tmp_path / "other", first.database, provider, "daphne", {})
        other.environment["PROXY_DATA_DIR"] = str(first.folder)
        other.start()
        try:
            assert other.chat("gpt-x")[0] == 200
            assert first.chat("gpt-x")[0] == 200
            # A message that a busy Redis did not take in time is lost: then the table tells, 10 and 15 seconds later.
            until(lambda: other.chat("gpt-x")[0] == 429, seconds=40)
        finally:
            other.stop()
