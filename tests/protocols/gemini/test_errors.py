"""Errors in Google's shape: its clients look for the time to wait in the body, never in a header."""

import json

from proxx.protocols.gemini import PROTOCOL
from proxx.protocols.hub.errors import ErrorFacts


def test_the_time_to_wait_stands_in_the_details():
    """D153."""
    facts = ErrorFacts("rate_limit", "Too many.", retry_after=6.2)
    details = json.loads(PROTOCOL.write_error(facts))["error"]["details"]
    assert details == [{"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "7s"}]


def test_without_a_time_nothing_is_said_of_one():
    assert "details" not in json.loads(PROTOCOL.write_error(ErrorFacts("rate_limit", "Too many.")))["error"]
