"""Every way a provider can fail, whole and streamed: the right status before the first byte, an error after it.

The official client raises its own typed exception; nobody gets a clean end that is none.
"""

import json

import openai
import pytest

from tests.live import LiveProxx

GOOD = "good"
MESSAGES = [{"role": "user", "content": "hello"}]

# fault: (whole answer, stream). A number is the HTTP status; a name the code of an error inside the stream.
MATRIX = {
    "400": (400, 400),
    "400-context": (400, 400),
    "400-policy": (400, 400),
    "401": (502, 502),  # our credential, not the client's key
    "402": (429, 429),
    "403": (502, 502),
    "403-retry": (502, 502),
    "404": (404, 404),
    "413": (413, 413),
    "422": (422, 422),
    "429": (429, 429),
    "429-quota": (429, 429),
    "429-bare": (429, 429),
    "429-gemini": (429, 429),
    "429-anthropic": (429, 429),
    "429-zai": (429, 429),
    "500": (502, 502),
    "502": (502, 502),
    "503": (502, 502),
    "503-retry": (502, 502),
    "504": (504, 504),
    "529": (502, 502),
    "slow-start": (GOOD, GOOD),
    "stall-before-headers": (504, 504),
    "stall-before-first-event": (504, 504),
    "stall-mid-stream": (504, "timeout"),
    "close": (502, 502),
    "reset": (502, 502),
    "reset-mid-body": (502, "upstream_truncated"),
    "head-only": (502, 502),
    "cut-between-frames": (502, "upstream_truncated"),
    "cut-mid-frame": (502, "upstream_truncated"),
    "end-mid-frame": (502, "upstream_truncated"),
    "empty-200": (502, 502),
    "only-done": (502, 502),
    "error-200": (502, 502),
    "error-first-event": (502, 502),
    "limit-first-event": (429, 429),
    "error-mid-stream": (502, "passed on"),
    "no-end": (502, "upstream_truncated"),
    "no-done": (GOOD, GOOD),
    "no-usage": (GOOD, GOOD),
    "garbage": (502, 502),
    "garbage-mid-stream": (502, "upstream_malformed"),
    "invalid-json": (502, 502),
    "invalid-json-mid-stream": (502, "upstream_malformed"),
    "one-byte": (GOOD, GOOD),
    "one-write": (GOOD, GOOD),
    "huge-frame": (GOOD, GOOD),
    "wrong-content-type": (GOOD, GOOD),
    "json-content-type": (GOOD, GOOD),
    "no-content-type": (GOOD, GOOD),
    "unframed": (GOOD, GOOD),
    "leaves-after": (GOOD, GOOD),
    "early-hints": (GOOD, GOOD),
    "comments": (GOOD, GOOD),
    "crlf": (GOOD, GOOD),
    "after-done": (GOOD, GOOD),
    "redirect": (502, 502),
}
TYPED = {
    400: openai.BadRequestError,
    404: openai.NotFoundError,
    413: openai.APIStatusError,
    422: openai.UnprocessableEntityError,
    429: openai.RateLimitError,
    502: openai.InternalServerError,
    504: openai.InternalServerError,
}
QUICK = {
    "UPSTREAM_REQUEST_TIMEOUT_MS": "1500",
    "UPSTREAM_STREAM_BOOTSTRAP_TIMEOUT_MS": "5000",
    "UPSTREAM_IDLE_TIMEOUT_MS": "1000",
    "UPSTREAM_TRANSIENT_RETRY_COUNT": "0",
    "PROXY_KEY_COOLDOWN_MS": "1",
    # A fault may let its credential rest: with many of them, and one attempt a call, no test meets another's fault.
    "PROXY_MAX_ATTEMPTS": "1",
    "PROXY_KEYS_JSON": json.dumps({"providers": {"openai": [f"sk-sim-many-{number}" for number in range(500)]}}),
}


@pytest.fixture(scope="module")
def quick_proxx(tmp_path_factory, templates, module_provider):
    from tests.live import running

    with running(tmp_path_factory.mktemp("quick"), templates, module_provider, env=QUICK) as proxx:
        yield proxx


def test_every_simulated_fault_stands_in_the_matrix():
    from tests.upstreams import faults, refusals

    missing = set(faults.TABLE) - set(MATRIX)
    assert not missing, missing
    assert refusals.TABLE


@pytest.mark.parametrize("fault", MATRIX)
def test_a_whole_answer_that_fails_has_the_right_status(quick_proxx: LiveProxx, fault):
    expected = MATRIX[fault][0]
    with quick_proxx.openai() as client:
        if expected == GOOD:
            answer = client.chat.completions.create(model=f"sim-fault-{fault}", messages=MESSAGES)
            assert answer.choices[0].message.content
            return
        with pytest.raises(TYPED[expected]) as raised:
            client.chat.completions.create(model=f"sim-fault-{fault}", messages=MESSAGES)
    assert raised.value.status_code == expected
    assert raised.value.body["message"]


@pytest.mark.parametrize("fault", MATRIX)
def test_a_stream_that_fails_says_so_before_or_inside(quick_proxx: LiveProxx, fault):
    expected = MATRIX[fault][1]
    with quick_proxx.openai() as client:
        if isinstance(expected, int):
            with pytest.raises(TYPED[expected]) as refused:
                client.chat.completions.create(model=f"sim-fault-{fault}", messages=MESSAGES, stream=True)
            assert refused.value.status_code == expected
            return
        if expected == GOOD:
            stream = client.chat.completions.create(model=f"sim-fault-{fault}", messages=MESSAGES, stream=True)
            assert any(piece.choices and piece.choices[0].finish_reason for piece in stream)
            return
        # If first word and fault arrive in one read, the call fails before its first byte, which is better still.
        with pytest.raises(openai.APIError) as broken:
            list(client.chat.completions.create(model=f"sim-fault-{fault}", messages=MESSAGES, stream=True))
    assert isinstance(broken.value, openai.InternalServerError) or expected in ("passed on", broken.value.code)


@pytest.mark.parametrize("fault", [name for name, (_, stream) in MATRIX.items() if isinstance(stream, str)])
def test_a_stream_ends_with_its_end_mark_or_an_error_never_both_never_neither(quick_proxx: LiveProxx, fault):
    status, _, body = quick_proxx.chat(f"sim-fault-{fault}", stream=True)
    if status == 502 and MATRIX[fault][1] != GOOD:
        return
    frames = [frame for frame in body.replace(b"\r\n", b"\n").split(b"\n\n") if frame.startswith(b"data:")]
    last = frames[-1].removeprefix(b"data: ")
    ended = last == b"[DONE]"
    failed = not ended and "error" in json.loads(last)
    assert ended != failed
    assert ended == (MATRIX[fault][1] == GOOD)


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("fault", MATRIX)
def test_each_fault_leaves_one_row_that_tells_it(quick_proxx: LiveProxx, fault, stream):
    status, headers, _ = quick_proxx.chat(f"sim-fault-{fault}", stream=stream)
    identifier = headers["x-request-id"].replace("-", "")
    query = f"SELECT outcome, status FROM analytics_requestlog WHERE id = '{identifier}'"
    [(outcome, logged)] = quick_proxx.wait_for_rows(query, 1)
    assert logged == status
    # A model that nobody has is the request's fault, whoever says so.
    failed = "refused" if fault == "404" else "error"
    assert outcome == ("ok" if MATRIX[fault][stream] == GOOD else failed)
