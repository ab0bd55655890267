"""Calls as OpenTelemetry tells them: spans and metrics by the conventions for generative AI, sent by OTLP over HTTP.

Everything is made from records after the calls have ended, in the thread of traces.py. One span for the call, one below
it for each attempt. Nothing of what was said is in a record, so nothing of it is in a span. The OTEL_* variables that
are not settings of ours are read by the library itself. This module needs the extra (requirements/otel.txt).
"""

from collections.abc import Mapping, Sequence
from typing import Any

from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult
from opentelemetry.sdk.trace.id_generator import IdGenerator
from opentelemetry.trace import NonRecordingSpan, SpanContext, SpanKind, Status, StatusCode, TraceFlags
from opentelemetry.util.re import parse_env_headers

from analytics import meters
from analytics.record import AttemptRecord, UsageRecord
from analytics.traces import Offered
from proxx.kit import ids, metrics, traceparent
from proxx.upstream import collector

MS, SECOND = 1_000_000, 1_000_000_000  # in nanoseconds
NANO = 1_000_000_000

# The conventions' names where they differ from ours.
PROVIDERS = {"gemini": "gcp.gemini", "mistral": "mistral_ai", "xai": "x_ai", "moonshot": "moonshot_ai"}
# Operations by the last part of the endpoint; what is not here is `chat`.
OPERATIONS = {
    "embeddings": "embeddings",
    "embedContent": "embeddings",
    "batchEmbedContents": "embeddings",
    "embed": "embeddings",
    "completions": "text_completion",
    "generate": "text_completion",
    "generateContent": "generate_content",
    "streamGenerateContent": "generate_content",
}
CHAT = "/chat/completions"
# Bounds that the conventions name.
SECONDS = (0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28, 2.56, 5.12, 10.24, 20.48, 40.96, 81.92)
FIRST = (0.001, 0.005, 0.01, 0.02, 0.04, 0.06, 0.08, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0)
TOKENS = tuple(4**power for power in range(14))
# What the first of the united programs counted, by kind of failure.
POOL = {"rate_limited": "proxy.key_pool.rate_limited", "not_found": "proxy.key_pool.model_unsupported"}

Attributes = Mapping[str, Any]


class Export:
    """Providers and exporters of one process."""

    def __init__(self, settings: Any) -> None:
        headers = parse_env_headers(settings.OTEL_EXPORTER_OTLP_HEADERS, liberal=True)
        resource = Resource.create({"service.name": settings.OTEL_SERVICE_NAME})
        self._ids, self._ended = _Ids(), _Ended()
        self._spans: SpanExporter | None = None
        if settings.OTEL_TRACES_EXPORTER != "none":
            self._spans = OTLPSpanExporter(headers=headers, session=collector.session())
        provider = TracerProvider(resource=resource, id_generator=self._ids, shutdown_on_exit=False)
        provider.add_span_processor(self._ended)
        self._tracer = provider.get_tracer("proxx")
        readers = []
        if settings.OTEL_METRICS_EXPORTER != "none":
            exporter = OTLPMetricExporter(headers=headers, session=collector.session())
            readers.append(PeriodicExportingMetricReader(exporter))
        self._meters = MeterProvider(resource=resource, metric_readers=readers, shutdown_on_exit=False)
        self._figures = _Figures(self._meters) if readers else None

    def tell(self, offered: Sequence[Offered]) -> None:
        """Make spans and figures of these calls; send the spans, and wait for the collector."""
        for record, said in offered:
            if self._spans is not None:
                self._span(record, traceparent.read(said))
            if self._figures is not None:
                self._figures.note(record)
        ended = self._ended.taken()
        if ended and self._spans is not None and self._spans.export(ended) is not SpanExportResult.SUCCESS:
            metrics.count("proxx_telemetry_dropped", len(offered))

    def close(self) -> None:
        """Send the last figures and hang up."""
        self._meters.shutdown(timeout_millis=2_000)
        if self._spans is not None:
            self._spans.shutdown()

    def _span(self, record: UsageRecord, parent: traceparent.Parent | None) -> None:
        begun = int(ids.moment(record.id) * 1000) * MS
        self._ids.give(record.id.int, traceparent.span_id(record.id))
        span = self._tracer.start_span(
            f"{operation_of(record.endpoint)} {record.model_requested or record.model_routed}".strip(),
            context=_context(parent),
            kind=SpanKind.SERVER,
            attributes=of_call(record),
            start_time=begun,
        )
        inside = trace.set_span_in_context(span)
        for attempt in record.attempts:
            self._ids.give(record.id.int, traceparent.span_id(record.id, attempt.number))
            child = self._tracer.start_span(
                f"{operation_of(record.endpoint)} {attempt.model}",
                context=inside,
                kind=SpanKind.CLIENT,
                attributes=of_attempt(record, attempt),
                start_time=begun + attempt.started_ms * MS,
            )
            if attempt.failure:
                child.set_status(Status(StatusCode.ERROR))
            child.end(begun + (attempt.started_ms + attempt.duration_ms) * MS)
        if record.outcome == "error":
            span.set_status(Status(StatusCode.ERROR))
        span.end(begun + record.duration_ms * MS)


def operation_of(endpoint: str) -> str:
    """Return the conventions' name of what an endpoint does."""
    if endpoint.endswith(CHAT):
        return "chat"
    return OPERATIONS.get(endpoint.rpartition("/")[2], "chat")


def provider_of(provider_id: str) -> str:
    """Return the conventions' name of a provider."""
    return PROVIDERS.get(provider_id, provider_id) or meters.NONE


def of_call(record: UsageRecord) -> Attributes:
    """Return a call's attributes; ids instead of names, and nothing that was not said."""
    found = {
        "gen_ai.operation.name": operation_of(record.endpoint),
        "gen_ai.provider.name": provider_of(record.provider_id),
        "gen_ai.request.model": record.model_requested,
        "gen_ai.response.model": record.model_routed or None,
        "gen_ai.usage.input_tokens": record.input_tokens,
        "gen_ai.usage.output_tokens": record.output_tokens,
        "gen_ai.usage.cache_read.input_tokens": record.cache_read_tokens,
        "gen_ai.usage.cache_creation.input_tokens": record.cache_write_tokens,
        "http.route": record.endpoint,
        "http.response.status_code": record.status,
        "error.type": record.error_code or None,
        "proxx.call.id": str(record.id),
        "proxx.tenant.id": str(record.tenant_id),
        "proxx.key.id": str(record.key_id) if record.key_id else None,
        "proxx.dialect": record.dialect,
        "proxx.stream": record.stream,
        "proxx.outcome": record.outcome,
        "proxx.first_event_ms": record.first_event_ms,
        "proxx.usage_state": record.usage_state,
        "proxx.price_state": record.price_state,
        "proxx.cost_dollars": None if record.cost_nano is None else record.cost_nano / NANO,
    }
    return {name: value for name, value in found.items() if value is not None}


def of_attempt(record: UsageRecord, attempt: AttemptRecord) -> Attributes:
    """Return an attempt's attributes; the account is told by its id, since its name may be somebody's."""
    found = {
        "gen_ai.operation.name": operation_of(record.endpoint),
        "gen_ai.provider.name": provider_of(attempt.provider_id),
        "gen_ai.request.model": attempt.model,
        "http.response.status_code": attempt.status,
        "http.request.resend_count": attempt.number - 1 or None,
        "error.type": attempt.failure or None,
        "proxx.attempt": attempt.number,
        "proxx.credential.id": str(attempt.credential_id) if attempt.credential_id else None,
        "proxx.protocol": attempt.protocol,
        "proxx.headers_ms": attempt.headers_ms,
        "proxx.first_event_ms": attempt.first_event_ms,
        "proxx.retry_after": attempt.retry_after,
    }
    return {name: value for name, value in found.items() if value is not None}


class _Figures:
    """The instruments. A model is called what Prometheus calls it, so that labels stay few."""

    def __init__(self, provider: MeterProvider) -> None:
        meter = provider.get_meter("proxx")

        def seconds(name: str, text: str, bounds: Sequence[float]) -> Any:
            return meter.create_histogram(name, "s", text, explicit_bucket_boundaries_advisory=list(bounds))

        self._call = seconds("gen_ai.server.request.duration", "A call, from its first byte to its end.", SECONDS)
        self._first = seconds("gen_ai.server.time_to_first_token", "A stream's first event.", FIRST)
        self._attempt = seconds("gen_ai.client.operation.duration", "One try at a candidate.", SECONDS)
        self._tokens = meter.create_histogram(
            "gen_ai.client.token.usage", "{token}", "Tokens.", explicit_bucket_boundaries_advisory=list(TOKENS)
        )
        self._pool = {kind: meter.create_counter(name, "{attempt}") for kind, name in POOL.items()}

    def note(self, record: UsageRecord) -> None:
        """Add one call."""
        place = {
            "gen_ai.operation.name": operation_of(record.endpoint),
            "gen_ai.provider.name": provider_of(record.provider_id),
            "gen_ai.request.model": meters.label_of(record.model_routed),
        }
        failed = {"error.type": record.error_code or record.outcome} if record.outcome != "ok" else {}
        self._call.record(record.duration_ms / 1000, place | failed)
        if record.stream and record.first_event_ms is not None:
            self._first.record(record.first_event_ms / 1000, place)
        for kind, count in (("input", record.input_tokens), ("output", record.output_tokens)):
            if count is not None:
                self._tokens.record(count, place | {"gen_ai.token.type": kind})
        for attempt in record.attempts:
            at = place | {
                "gen_ai.provider.name": provider_of(attempt.provider_id),
                "gen_ai.request.model": meters.label_of(attempt.model),
            }
            failed = {"error.type": attempt.failure} if attempt.failure else {}
            self._attempt.record(attempt.duration_ms / 1000, at | failed)
            if attempt.failure in self._pool:
                self._pool[attempt.failure].add(1, {"gen_ai.provider.name": provider_of(attempt.provider_id)})


class _Ids(IdGenerator):
    """Ids that were decided when the call was made; one thread asks."""

    def __init__(self) -> None:
        self._trace_id = self._span_id = 0

    def give(self, trace_id: int, span_id: int) -> None:
        """Say which ids come next."""
        self._trace_id, self._span_id = trace_id, span_id

    def generate_trace_id(self) -> int:
        """Return the call's id."""
        return self._trace_id

    def generate_span_id(self) -> int:
        """Return the id that belongs to the call or the attempt."""
        return self._span_id


class _Ended(SpanProcessor):
    """Collects spans until they are sent: the thread that makes them is the one that sends them."""

    def __init__(self) -> None:
        self._spans: list[ReadableSpan] = []

    def on_end(self, span: ReadableSpan) -> None:
        """Keep a span."""
        if span.context is not None and span.context.trace_flags.sampled:
            self._spans.append(span)

    def taken(self) -> list[ReadableSpan]:
        """Return what was collected, and begin anew."""
        taken, self._spans = self._spans, []
        return taken


def _context(parent: traceparent.Parent | None) -> Any:
    if parent is None:
        return None
    flags = TraceFlags(TraceFlags.SAMPLED if parent.is_sampled else TraceFlags.DEFAULT)
    return trace.set_span_in_context(
        NonRecordingSpan(SpanContext(parent.trace_id, parent.span_id, is_remote=True, trace_flags=flags))
    )
