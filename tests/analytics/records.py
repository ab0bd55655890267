"""Records to test with: whole, ordinary, different from each other only where asked."""

import uuid
from typing import Any

from analytics.record import AttemptRecord, UsageRecord
from proxx.kit import ids

TENANT = uuid.UUID("00000000-0000-4000-8000-000000000001")


def attempt(**changes: Any) -> AttemptRecord:
    """One good attempt, changed where asked."""
    usual: dict[str, Any] = {
        "number": 1,
        "provider_id": "openai",
        "account": "main",
        "model": "gpt-5-mini",
        "protocol": "openai_chat",
        "status": 200,
        "started_ms": 1,
        "headers_ms": 80,
        "first_event_ms": 81,
        "duration_ms": 300,
    }
    return AttemptRecord(**{**usual, **changes})


def record(*, at: float | None = None, **changes: Any) -> UsageRecord:
    """One good call with one attempt, begun now or at a unix time, changed where asked."""
    usual: dict[str, Any] = {
        "id": ids.new(at),
        "tenant_id": TENANT,
        "endpoint": "/v1/chat/completions",
        "dialect": "openai_chat",
        "model_requested": "fast",
        "model_routed": "gpt-5-mini",
        "provider_id": "openai",
        "status": 200,
        "outcome": "ok",
        "duration_ms": 301,
        "first_event_ms": 81,
        "bytes_in": 900,
        "bytes_out": 3000,
        "client_address": "127.0.0.1",
        "user_agent": "OpenAI/Python 1.0",
        "input_tokens": 120,
        "output_tokens": 30,
        "usage_state": "reported",
        "attempts": [attempt()],
    }
    return UsageRecord(**{**usual, **changes})
