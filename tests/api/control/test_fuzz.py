"""schemathesis throws generated requests at the control API, by its own document: no 5xx, no answer that breaks it."""

from typing import Any

import pytest
import schemathesis
from django.core.signals import request_finished, request_started
from django.core.wsgi import get_wsgi_application
from django.db import close_old_connections
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from proxx.api.control import app
from routing import reload
from tests import factories

# Asks the providers themselves, over the network.
ABROAD = {"/api/v1/catalog/refresh", "/admin/usage/refresh", "/api/v1/sign-ins", "/admin/oauth/start"}
ABROAD |= {
    f"{base}/credentials/{name}/oauth/device/start" for base in ("/api/ui", "/api/v1") for name in ("openai", "factory")
}
EXAMPLES = 3
CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]

DOCUMENT = schemathesis.openapi.from_dict(app.described())
DOCUMENT.app = get_wsgi_application()
OPERATIONS = [one for found in DOCUMENT.get_all_operations() if (one := found.ok()).path not in ABROAD]


@pytest.fixture
def rows(db, token) -> dict[str, str]:
    """Some of everything, so that addresses lead somewhere."""
    reload.install(None)
    for signal in (request_started, request_finished):  # each request would close the connection that the test is in
        signal.disconnect(close_old_connections)
    key = factories.make_key().row
    credential = factories.make_credential()
    yield {"tenant_id": "default", "key_id": str(key.pk), "credential": str(credential.pk), "provider_id": "openai"}
    for signal in (request_started, request_finished):
        signal.connect(close_old_connections)
    reload.install(None)


def headers_of(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


@pytest.mark.parametrize("operation", OPERATIONS, ids=[f"{one.method} {one.path}" for one in OPERATIONS])
def test_no_request_breaks_it_and_every_answer_is_as_promised(operation: Any, rows: dict[str, str], token: str):
    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        database=None,
        derandomize=True,
        suppress_health_check=list(HealthCheck),
    )
    @given(
        st.one_of(operation.as_strategy(), operation.as_strategy(generation_mode=schemathesis.GenerationMode.NEGATIVE))
    )
    def try_out(case: Any) -> None:
        response = case.call(headers=headers_of(token))
        case.validate_response(response, checks=CHECKS)

    try_out()
