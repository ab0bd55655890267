"""Who may open a Responses socket, and where none is served."""

import json

import pytest
from websockets.exceptions import InvalidStatus
from websockets.sync.client import ClientConnection, connect

from tests.conftest import StartProxx
from tests.live import LiveProxx


def opened(proxx: LiveProxx, **headers: str) -> ClientConnection:
    address = f"ws://127.0.0.1:{proxx.port}/v1/responses"
    return connect(address, additional_headers=headers, compression=None, ping_interval=None)


def test_a_server_without_sockets_says_so(start_proxx: StartProxx) -> None:
    """D188."""
    proxx = start_proxx(server="uvicorn")
    with pytest.raises(InvalidStatus) as refused:
        opened(proxx, authorization=f"Bearer {proxx.token}")
    assert refused.value.response.status_code == 426
    assert refused.value.response.headers["connection"].lower() == "close"


def test_the_stock_data_plane_serves_sockets_too(start_proxx: StartProxx) -> None:
    proxx = start_proxx(env={"PROXX_DATA_PLANE": "stock"})
    with opened(proxx, authorization=f"Bearer {proxx.token}") as socket:
        socket.send(json.dumps({"type": "response.create", "model": "openai/sim-say", "input": "Hi", "store": False}))
        assert json.loads(socket.recv(timeout=20))["type"] == "response.created"


def test_a_web_page_needs_a_key_even_where_nobody_else_does(start_proxx: StartProxx) -> None:
    proxx = start_proxx(env={"PROXY_ALLOW_UNAUTHENTICATED": "true"})
    with opened(proxx) as socket:
        assert socket.response is not None
    with pytest.raises(InvalidStatus) as refused:
        opened(proxx, origin="https://evil.example")
    assert refused.value.response.status_code == 403
    with opened(proxx, origin="https://app.example", authorization=f"Bearer {proxx.token}") as socket:
        assert socket.response is not None
