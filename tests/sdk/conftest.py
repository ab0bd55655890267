"""A running proxx with five upstreams, for the official client libraries."""

from collections.abc import Iterator

import pytest

from tests.clients.asking import five_upstreams
from tests.databases import Templates
from tests.live import LiveProxx, running
from tests.upstreams.server import SimulatedProvider


@pytest.fixture(scope="module")
def proxx(
    tmp_path_factory: pytest.TempPathFactory, templates: Templates, module_provider: SimulatedProvider
) -> Iterator[LiveProxx]:
    """A server whose models `up-chat/...`, `up-responses/...`, ... are served in that dialect; one attempt a call."""
    folder = tmp_path_factory.mktemp("proxx")
    with running(folder, templates, module_provider, env={"PROXY_MAX_ATTEMPTS": "1"}) as started:
        five_upstreams(started)
        yield started


@pytest.fixture(autouse=True)
def fresh_scripts(module_provider: SimulatedProvider) -> None:
    """Forget what an earlier test scripted."""
    module_provider.reset()
