"""A server, a simulated issuer with pages, and a browser in which Kim has signed in: once for the tests of a module."""

import pytest

from tests import static_files
from tests.live import running
from tests.oauth.in_chromium.driving import PREPARED, Accepted, sign_in
from tests.ports import free_port
from tests.signin.browser import chromium
from tests.upstreams.signin_pages import IssuerWithPages


@pytest.fixture(scope="module")
def issuer():
    with IssuerWithPages() as issuer:
        yield issuer


@pytest.fixture(scope="module")
def proxx(tmp_path_factory, templates, module_provider, issuer):
    """A server whose loopback port is open, and whose accounts are asked at the simulated backends."""
    folder = tmp_path_factory.mktemp("signing-in")
    module_provider.world.keys = Accepted(issuer)
    static_files.collect()
    env = {
        **issuer.environment,
        "OPENAI_API_KEY": "",
        "OPENAI_BASE_URL": f"{module_provider.origin}/backend-api",
        "FACTORY_BASE_URL": module_provider.origin,
        "OPENAI_OAUTH_CALLBACK_PORT": str(free_port()),
        "PROXY_OAUTH_CALLBACK_LISTENER": "on",
    }
    with running(folder / "proxx", templates, module_provider, env=env) as proxx:
        proxx.run(PREPARED)
        yield proxx


@pytest.fixture(scope="module", params=["light", "dark"])
def browser(proxx, request):
    """Kim, signed in, in a light or a dark room."""
    yield from _kims(proxx, request.param)


@pytest.fixture(scope="module")
def light(proxx):
    """Kim, signed in, in a light room: for what takes its time."""
    yield from _kims(proxx, "light")


def _kims(proxx, theme):
    with chromium(dark=theme == "dark") as opened:
        opened.theme = theme
        opened.driver.set_window_size(1280, 1100)
        sign_in(opened, proxx, "kim")
        opened.faults()
        yield opened
