"""What a collector receives over a real socket is what docs/telemetry.md promises."""

import re
import subprocess
import sys
import uuid

import pytest
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from analytics import otlp
from proxx.kit import traceparent
from tests.analytics.records import attempt, record
from tests.collector import Collector, collecting, plain
from tests.databases import ROOT
from tests.house import files
from tests.live import LiveProxx

TRACE, SPAN = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
PROMPT = "a prompt that no span may hold"
ATTRIBUTE = re.compile(r"^\| `([a-z_.]+)` \| (call|attempt|call, attempt) \| [^|]+ \|$", re.MULTILINE)
METRIC = re.compile(r"^\| `([a-z_.]+)` \| (?:histogram|counter), [^|]+ \| [^|]+ \| [^|]+ \|$", re.MULTILINE)


def promised(who: str) -> set[str]:
    return {name for name, whose in ATTRIBUTE.findall(files.text("docs/telemetry.md")) if who in whose.split(", ")}


@pytest.fixture
def collector():
    with collecting() as running:
        yield running


@pytest.fixture
def watched(start_proxx, collector) -> LiveProxx:
    return start_proxx(
        env={
            "OTEL_EXPORTER_OTLP_ENDPOINT": collector.url,
            "OTEL_EXPORTER_OTLP_HEADERS": "x-collector-key=collector-secret-0123456789",
            "OTEL_SERVICE_NAME": "gateway-of-tests",
            "OTEL_RESOURCE_ATTRIBUTES": "deployment.environment.name=tests",
            "OTEL_METRIC_EXPORT_INTERVAL": "200",
            "PROXY_TRACE_UPSTREAM": "yes",
        }
    )


def ask(proxx: LiveProxx, model: str, said: str = "") -> str:
    """Ask for a stream and return the call's id."""
    body = {"model": model, "stream": True, "messages": [{"role": "user", "content": PROMPT}]}
    headers = {"traceparent": said} if said else {}
    _, found, _ = proxx.request("POST", "/v1/chat/completions", body, headers)
    return found["x-request-id"]


def calls(collector: Collector) -> list[Span]:
    return [span for span in collector.spans if span.kind == Span.SPAN_KIND_SERVER]


def attempts(collector: Collector, of: Span) -> list[Span]:
    return [span for span in collector.spans if span.parent_span_id == of.span_id]


def test_a_collector_receives_a_span_for_each_call_and_each_attempt(watched, collector):
    call_id = ask(watched, "openai/sim-echo", f"00-{TRACE}-{SPAN}-01")
    collector.wait_for(lambda: len(collector.spans) >= 2)
    (call,) = calls(collector)
    assert (call.trace_id.hex(), call.parent_span_id.hex()) == (TRACE, SPAN)
    assert call.name == "chat openai/sim-echo"
    said = plain(call.attributes)
    assert said["proxx.call.id"] == call_id
    assert (said["gen_ai.provider.name"], said["gen_ai.response.model"], said["proxx.outcome"]) == (
        "openai",
        "sim-echo",
        "ok",
    )
    (tried,) = attempts(collector, call)
    assert call.start_time_unix_nano <= tried.start_time_unix_nano < tried.end_time_unix_nano
    assert tried.end_time_unix_nano <= call.end_time_unix_nano + 2_000_000  # each is rounded to its millisecond
    resource = collector.resources[0]
    assert resource["service.name"] == "gateway-of-tests"
    assert resource["deployment.environment.name"] == "tests"
    assert collector.headers[0]["x-collector-key"] == "collector-secret-0123456789"
    # What the provider was told is the very span that the collector knows.
    sent = watched.provider.journal.last.header("traceparent")
    assert sent == f"00-{TRACE}-{tried.span_id.hex()}-01"


def test_spans_hold_what_the_manual_promises_and_no_content(watched, collector):
    ask(watched, "openai/sim-echo")
    ask(watched, "openai/sim-fault-500")
    collector.wait_for(lambda: len(calls(collector)) >= 2)
    for call in calls(collector):
        assert set(plain(call.attributes)) <= promised("call")
        assert call.trace_id.hex() == plain(call.attributes)["proxx.call.id"].replace("-", "")
        assert attempts(collector, call)
        for tried in attempts(collector, call):
            assert set(plain(tried.attributes)) <= promised("attempt")
    failed = next(call for call in calls(collector) if plain(call.attributes)["proxx.outcome"] == "error")
    assert failed.status.code == 2
    assert {plain(one.attributes)["error.type"] for one in attempts(collector, failed)} == {"upstream_error"}
    for secret in (PROMPT, watched.token, "sk-sim-1"):
        assert secret.encode() not in collector.raw


def test_every_attribute_of_the_manual_is_one_that_is_sent():
    full = record(
        credential_id=uuid.uuid4(),
        key_id=uuid.uuid4(),
        error_code="upstream_failed",
        cache_read_tokens=1,
        cache_write_tokens=1,
        cost_nano=1,
    )
    assert set(otlp.of_call(full)) == promised("call")
    tried = attempt(number=2, credential_id=uuid.uuid4(), failure="rate_limited", retry_after=1.0)
    assert set(otlp.of_attempt(full, tried)) == promised("attempt")


def test_metrics_arrive_as_the_manual_says(watched, collector):
    ask(watched, "openai/sim-echo")
    ask(watched, "openai/sim-fault-404")
    ask(watched, "openai/sim-fault-429")
    wanted = set(METRIC.findall(files.text("docs/telemetry.md")))
    assert len(wanted) == 6
    collector.wait_for(lambda: wanted <= set(collector.metrics))
    assert set(collector.metrics) == wanted
    points = collector.metrics["gen_ai.client.token.usage"].histogram.data_points
    assert {plain(point.attributes)["gen_ai.token.type"] for point in points} == {"input", "output"}


def test_a_client_that_does_not_sample_is_not_told_of(watched, collector):
    ask(watched, "openai/sim-echo", f"00-{TRACE}-{SPAN}-00")
    known = ask(watched, "openai/sim-echo")
    collector.wait_for(lambda: calls(collector) != [])
    assert [plain(call.attributes)["proxx.call.id"] for call in calls(collector)] == [known]


def test_a_collector_that_redirects_gets_nothing_further(start_proxx, collector):
    with collecting() as elsewhere:
        collector.redirect = f"{elsewhere.url}/v1/traces"
        proxx = start_proxx(env={"OTEL_EXPORTER_OTLP_ENDPOINT": collector.url, "OTEL_METRICS_EXPORTER": "none"})
        ask(proxx, "openai/sim-echo")
        proxx.stop()
        assert (len(collector.headers) > 0, elsewhere.headers) == (True, [])


def test_what_waits_is_sent_before_the_end(watched, collector):
    known = ask(watched, "openai/sim-echo")
    assert watched.stop() == 0
    assert [plain(call.attributes)["proxx.call.id"] for call in calls(collector)] == [known]


def test_without_the_extra_the_start_is_refused_in_a_sentence(live_proxx):
    hidden = (
        "import sys, runpy; sys.modules['opentelemetry.sdk'] = None; "
        "sys.argv = ['proxx.server']; runpy.run_module('proxx.server', run_name='__main__')"
    )
    environment = {**live_proxx.environment, "OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:9", "PROXY_PORT": "0"}
    ended = subprocess.run(
        [sys.executable, "-c", hidden], cwd=ROOT, env=environment, capture_output=True, text=True, timeout=60
    )
    assert ended.returncode == 2
    assert "pip install -r requirements/otel.txt" in ended.stderr
    assert "Traceback" not in ended.stderr


@pytest.mark.parametrize(
    "said",
    [
        "",
        "nonsense",
        f"ff-{TRACE}-{SPAN}-01",
        f"00-{'0' * 32}-{SPAN}-01",
        f"00-{TRACE}-{'0' * 16}-01",
        f"00-{TRACE.upper()}-{SPAN}-01",
        f"00-{TRACE}-{SPAN}-01-more",
        f"00-{TRACE}-{SPAN}-01\r\nx-evil: 1",
    ],
)
def test_a_header_that_the_standard_has_us_ignore_begins_a_trace_of_its_own(said):
    assert traceparent.read(said) is None
    call_id = uuid.UUID("01890a5d-ac96-774b-bcce-b302099a8057")
    written = traceparent.write(call_id, 1, said).decode()
    assert traceparent.read(written) == traceparent.Parent(call_id.int, traceparent.span_id(call_id, 1), True)
