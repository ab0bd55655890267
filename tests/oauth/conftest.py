"""A simulated issuer, and settings that lead to it."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.upstreams.signin import Issuer


@pytest.fixture
def issuer(settings: Any) -> Iterator[Issuer]:
    """An issuer that OpenAI's sign-ins lead to."""
    with Issuer() as issuer:
        settings.OPENAI_OAUTH_ISSUER, settings.OPENAI_OAUTH_CLIENT_ID = issuer.origin, issuer.client_id
        yield issuer
