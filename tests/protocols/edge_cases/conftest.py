"""One running proxx for all odd cases. Its providers `up-...` are the simulated one, `raw-...` say fixed bytes."""

from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from tests.clients.asking import AUTH, CLIENTS, five_upstreams
from tests.conftest import simulated_provider
from tests.databases import Templates
from tests.live import LiveProxx, running
from tests.protocols.edge_cases.canned import Canned, Said

# A fault may let its credential rest: hardly any time, so that no test meets another's fault.
QUICK = {"PROXY_KEY_COOLDOWN_MS": "1", "UPSTREAM_TRANSIENT_RETRY_COUNT": "0", "PROXY_MAX_ATTEMPTS": "2"}


@dataclass
class Shared:
    """The gateway and the upstream with the fixed answers."""

    proxx: LiveProxx
    canned: Canned


@pytest.fixture(scope="package")
def shared(tmp_path_factory: pytest.TempPathFactory, templates: Templates) -> Iterator[Shared]:
    folder = tmp_path_factory.mktemp("proxx")
    with simulated_provider() as provider, running(folder, templates, provider, env=QUICK) as started, Canned() as raw:
        rows = [(f"raw-{name.removeprefix('openai_')}", name, AUTH.get(name, "bearer")) for name in CLIENTS]
        started.run(
            f"""
from accounts.models import Credential
from routing.models import ProviderSetting
for provider_id, protocol, auth in {rows!r}:
    ProviderSetting.objects.create(
        provider_id=provider_id, base_url={raw.origin!r}, protocols=[protocol], auth=auth, models_paths=[]
    )
    Credential.objects.create(provider_id=provider_id, secret="sk-raw")
"""
        )
        five_upstreams(started)
        yield Shared(started, raw)


@pytest.fixture
def proxx(shared: Shared) -> LiveProxx:
    """A running proxx whose upstreams know nothing yet."""
    shared.proxx.provider.reset()
    return shared.proxx


@pytest.fixture
def canned(shared: Shared) -> Canned:
    """The upstream with the fixed answers."""
    shared.canned.says(Said())
    return shared.canned
