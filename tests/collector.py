"""A stand-in for an OpenTelemetry collector: takes OTLP over HTTP on a port of its own and keeps what came."""

import contextlib
import gzip
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest


class Collector:
    """What a collector was sent: spans, metrics by name, and the headers of each request."""

    def __init__(self) -> None:
        self.spans: list[Any] = []
        self.metrics: dict[str, Any] = {}
        self.resources: list[dict[str, Any]] = []
        self.headers: list[dict[str, str]] = []
        self.raw = b""
        self.redirect = ""
        self.url = ""
        self._news = threading.Condition()

    def take(self, path: str, body: bytes) -> None:
        """Keep one request."""
        with self._news:
            self.raw += body
            if path == "/v1/traces":
                for resource in ExportTraceServiceRequest.FromString(body).resource_spans:
                    self.resources.append(plain(resource.resource.attributes))
                    self.spans += [span for scope in resource.scope_spans for span in scope.spans]
            else:
                for resource in ExportMetricsServiceRequest.FromString(body).resource_metrics:
                    self.metrics |= {one.name: one for scope in resource.scope_metrics for one in scope.metrics}
            self._news.notify_all()

    def wait_for(self, enough: Any, seconds: float = 20.0) -> None:
        """Wait until a condition holds; raise AssertionError."""
        with self._news:
            assert self._news.wait_for(enough, seconds), (len(self.spans), sorted(self.metrics))


def plain(attributes: Any) -> dict[str, Any]:
    """Return attributes as a dictionary."""
    return {one.key: getattr(one.value, one.value.WhichOneof("value")) for one in attributes}


@contextlib.contextmanager
def collecting() -> Iterator[Collector]:
    """Run a collector on a free port of this machine."""
    collector = Collector()

    class Door(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            collector.headers.append({name.lower(): value for name, value in self.headers.items()})
            if collector.redirect:
                self.send_response(307)
                self.send_header("location", collector.redirect)
            else:
                zipped = self.headers.get("content-encoding") == "gzip"
                collector.take(self.path, gzip.decompress(body) if zipped else body)
                self.send_response(200)
            self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Door)
    collector.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield collector
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
