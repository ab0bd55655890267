"""How an answer ended is a label of its call, whatever its client speaks."""

import pytest

from analytics.traits import BITS
from tests.upstreams.script import finish, say

DOORS = {
    "/v1/chat/completions": {"messages": [{"role": "user", "content": "x"}]},
    "/v1/messages": {"messages": [{"role": "user", "content": "x"}], "max_tokens": 9},
    "/v1/responses": {"input": "x"},
}


@pytest.mark.parametrize("path", DOORS)
@pytest.mark.parametrize("stream", [True, False])
def test_an_answer_that_was_cut_off_says_so_in_its_record(module_proxx, path, stream):
    module_proxx.provider.script(say("begun"), finish("length"))
    body = {"model": "openai/gpt-x", "stream": stream, **DOORS[path]}
    status, headers, _ = module_proxx.request("POST", path, body)
    assert status == 200
    id = headers["x-request-id"].replace("-", "")
    ((traits,),) = module_proxx.wait_for_rows(f"SELECT traits FROM analytics_requestlog WHERE id = '{id}'", 1)
    assert traits & BITS["finish_length"]
    assert not traits & BITS["finish_tool_calls"]
