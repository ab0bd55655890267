"""Five dialects in, five out, whole and streamed: every scenario in every one of the fifty cells.

The client half (tests/clients) and the provider half (tests/upstreams) are written from the vendors' descriptions; only
a running proxx stands between them. The summary of a run prints how many cells were tried.
"""

from collections.abc import Iterator

import pytest

from tests.clients.asking import CLIENTS, five_upstreams
from tests.databases import Templates
from tests.live import LiveProxx, running
from tests.protocols.matrix import endings, scenarios
from tests.protocols.matrix.cell import Cell
from tests.upstreams.server import SimulatedProvider


@pytest.fixture(scope="module")
def proxx(
    tmp_path_factory: pytest.TempPathFactory, templates: Templates, module_provider: SimulatedProvider
) -> Iterator[LiveProxx]:
    # One attempt: a test asks one upstream what it says, not who else might answer.
    folder = tmp_path_factory.mktemp("proxx")
    with running(folder, templates, module_provider, env={"PROXY_MAX_ATTEMPTS": "1"}) as started:
        five_upstreams(started)
        yield started


@pytest.mark.parametrize("way", ["whole", "stream"])
@pytest.mark.parametrize("upstream", CLIENTS)
@pytest.mark.parametrize("client", CLIENTS)
@pytest.mark.parametrize("scenario", [*scenarios.SCENARIOS, *endings.SCENARIOS], ids=lambda one: one.__name__)
def test_every_cell(proxx: LiveProxx, scenario: scenarios.Scenario, client: str, upstream: str, way: str) -> None:
    scenario(Cell(proxx, client, upstream, way == "stream"))
