"""What the house tells about itself: metrics, traces, alerts."""

from proxx.settings import env

# Metrics at /metrics.
PROXY_METRICS_TOKEN = env.secret("PROXY_METRICS_TOKEN")  # besides PROXY_AUTH_TOKEN
PROXY_METRICS_MODELS = env.whole("PROXY_METRICS_MODELS", default=200, most=5_000)  # the others are "other"
PROXY_METRICS_TENANTS = env.flag("PROXY_METRICS_TENANTS", default=False)  # a label with the tenant's short name

# Traces and metrics by OpenTelemetry (requirements/otel.txt); what is not here its library reads by itself.
OTEL_EXPORTER_OTLP_ENDPOINT = env.address(
    "OTEL_EXPORTER_OTLP_ENDPOINT", env.text("OTEL_EXPORTER_OTLP_ENDPOINT"), "http", "https"
)
OTEL_EXPORTER_OTLP_HEADERS = env.secret("OTEL_EXPORTER_OTLP_HEADERS")
OTEL_EXPORTER_OTLP_PROTOCOL = env.text("OTEL_EXPORTER_OTLP_PROTOCOL", default="http/protobuf")
OTEL_SERVICE_NAME = env.text("OTEL_SERVICE_NAME", default="proxx")
OTEL_RESOURCE_ATTRIBUTES = env.text("OTEL_RESOURCE_ATTRIBUTES")
OTEL_TRACES_EXPORTER = env.text("OTEL_TRACES_EXPORTER", default="otlp")
OTEL_METRICS_EXPORTER = env.text("OTEL_METRICS_EXPORTER", default="otlp")
OTEL_SDK_DISABLED = env.flag("OTEL_SDK_DISABLED", default=False)
PROXY_TRACE_UPSTREAM = env.flag("PROXY_TRACE_UPSTREAM", default=False)  # tell providers of the trace

# All that is said, in a file; empty: nothing.
PROXY_TRAFFIC_LOG = env.text("PROXY_TRAFFIC_LOG")
PROXY_TRAFFIC_LOG_LIMIT = env.whole("PROXY_TRAFFIC_LOG_LIMIT", default=256 * 2**20, least=2**20)  # bytes, both files

# Alerts.
PROXY_WEBHOOK_ORIGINS = env.words("PROXY_WEBHOOK_ORIGINS")  # inside addresses that webhooks may go to
