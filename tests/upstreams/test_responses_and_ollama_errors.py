"""Every refusal that OpenAI has exists in the manners of Responses, of Codex's backend and of Ollama."""

import http.client
import json

import pytest

from tests.upstreams import refusals
from tests.upstreams.script import fail, say

RESPONSES = {"model": "gpt-x", "input": "hi"}
CODEX = {"model": "gpt-x", "instructions": "", "input": [{"role": "user", "content": "hi"}], "store": False}
OLLAMA = {"model": "gpt-x", "messages": [{"role": "user", "content": "hi"}]}
DOORS = {
    "responses": ("/v1/responses", RESPONSES),
    "codex": ("/backend-api/codex/responses", CODEX),
    "ollama": ("/api/chat", OLLAMA),
}
NAMES = sorted(name.removesuffix("-openai") for name in refusals.names() if name.endswith("-openai"))
NAMES += ["400-context", "400-policy", "400-parameter", "403-retry", "429-plan", "429-quota", "503-retry"]


def post(provider, manner):
    path, body = DOORS[manner]
    connection = http.client.HTTPConnection("127.0.0.1", provider.port, timeout=5)
    headers = {"authorization": "Bearer sk-sim-1", "chatgpt-account-id": "a"}
    connection.request("POST", path, json.dumps({**body, "stream": True}), headers)
    response = connection.getresponse()
    found = response.status, response.read()
    connection.close()
    return found


def in_manner(manner, body):
    """Say whether a refusal looks as this manner's do."""
    if not isinstance(body, dict):
        return manner == "codex" and "<html>" in body  # its bot protection
    if manner == "ollama":
        return isinstance(body["error"], str)
    if "detail" in body:
        return manner == "codex"
    return isinstance(body["error"]["message"], str)


@pytest.mark.parametrize("manner", DOORS)
@pytest.mark.parametrize("name", NAMES)
def test_a_refusal_keeps_its_status_and_takes_the_manner_of_the_door(provider, manner, name):
    provider.script(fail(name))
    status, answer = post(provider, manner)
    assert status == int(name[:3])
    body = answer.decode()
    assert in_manner(manner, json.loads(body) if body.startswith("{") else body)


@pytest.mark.parametrize("manner", DOORS)
@pytest.mark.parametrize("name", NAMES)
def test_a_refusal_inside_a_stream_is_the_last_thing_said(provider, manner, name):
    provider.script(say("Half"), fail(name))
    status, answer = post(provider, manner)
    last = json.loads(answer.decode().strip().split("\n")[-1].removeprefix("data: "))
    assert status == 200
    if manner == "ollama":
        assert list(last) == ["error"]
    else:
        assert (last["type"], last["response"]["status"]) == ("response.failed", "failed")
        assert last["response"]["error"]["code"]
