"""What the simulated Responses service keeps: responses by id, reasoning items, sealed texts, compactions."""

import json

import pytest

from tests.upstreams.script import call_tool, say, think
from tests.upstreams.test_responses import REASON, events, post, whole

USER = {"role": "user", "content": "hi"}


def refused(provider, *, status=400, key="sk-sim-1", **changes):
    found, answer = post(provider, {"model": "gpt-x", "input": "hi", **changes}, key=key)
    assert found == status, answer
    return json.loads(answer)["error"]


def thought(provider, **changes):
    """Return the reasoning item and what came after it."""
    provider.script(think("Hm."), say("Hello."))
    return whole(provider, **{**REASON, **changes})["output"]


def get(provider, path, *, method="GET", key="sk-sim-1"):
    status, answer = post(provider, None, f"/v1/responses/{path}", method=method, key=key)
    return status, json.loads(answer)


def test_a_conversation_goes_on_from_a_kept_response(provider):
    provider.script(call_tool("f", {}, id="call_7"))
    first = whole(provider, instructions="Be short.")
    output = {"type": "function_call_output", "call_id": "call_7", "output": "rain"}
    second = whole(provider, previous_response_id=first["id"], input=[output])
    assert second["previous_response_id"] == first["id"]
    assert second["instructions"] is None
    assert second["output"][0]["content"][0]["text"] == "The tool answered: rain"
    assert second["usage"]["input_tokens"] > 10


def test_a_call_of_a_kept_response_still_wants_its_output(provider):
    provider.script(call_tool("f", {}, id="call_7"))
    first = whole(provider)
    error = refused(provider, previous_response_id=first["id"])
    assert error["message"] == "No tool output found for function call call_7."


def test_nothing_is_kept_without_store(provider):
    first = whole(provider, store=False)
    assert refused(provider, previous_response_id=first["id"])["code"] == "previous_response_not_found"
    assert get(provider, first["id"])[0] == 404


def test_a_kept_response_is_shown_listed_and_deleted(provider):
    made = whole(provider, input=[USER, {"role": "user", "content": "there"}])
    assert get(provider, made["id"]) == (200, made)
    status, items = get(provider, f"{made['id']}/input_items?limit=1&order=asc")
    assert (status, items["has_more"], items["data"][0]["content"]) == (200, True, "hi")
    assert items["first_id"] == items["data"][0]["id"]
    assert get(provider, made["id"], method="DELETE")[1]["deleted"] is True
    assert get(provider, made["id"])[0] == 404


def test_a_kept_stream_is_played_again_from_where_it_was_left(provider):
    streamed = events(provider)
    id = streamed[0][1]["response"]["id"]
    status, answer = post(provider, None, f"/v1/responses/{id}?stream=true&starting_after=3", method="GET")
    again = [json.loads(line[6:]) for line in answer.decode().splitlines() if line.startswith("data: ")]
    assert status == 200
    assert again == [event for _, event in streamed][4:]


def test_a_background_response_waits_and_can_be_cancelled(provider):
    first, second = whole(provider, background=True), whole(provider, background=True)
    assert (first["status"], first["output"]) == ("queued", [])
    assert [get(provider, first["id"])[1]["status"] for _ in range(2)] == ["in_progress", "completed"]
    assert get(provider, f"{second['id']}/cancel", method="POST")[1]["status"] == "cancelled"
    assert get(provider, f"{whole(provider)['id']}/cancel", method="POST")[0] == 400


def test_another_organization_finds_nothing(provider):
    made = whole(provider)
    assert get(provider, made["id"], key="sk-sim-org-other.1")[0] == 404
    error = refused(provider, previous_response_id=made["id"], key="sk-sim-org-other.1")
    assert error["code"] == "previous_response_not_found"


@pytest.mark.parametrize("with_id", [True, False])
def test_a_sealed_text_is_taken_back(provider, with_id):
    reasoning, message = thought(provider, store=False)
    kept = reasoning if with_id else {name: value for name, value in reasoning.items() if name != "id"}
    assert whole(provider, store=False, input=[USER, kept, message, USER])["status"] == "completed"


@pytest.mark.parametrize(
    ("change", "key", "reason"),
    [
        ({"encrypted_content": "gAAAAAfalse=="}, "sk-sim-1", "could not be decrypted or parsed"),
        ({"id": "rs_other"}, "sk-sim-1", "item_id did not match"),
        ({}, "sk-sim-org-other.1", "organization_id did not match"),
    ],
)
def test_a_sealed_text_that_does_not_open_is_refused(provider, change, key, reason):
    reasoning, message = thought(provider)
    error = refused(provider, input=[USER, {**reasoning, **change}, message, USER], key=key)
    assert error["code"] == "invalid_encrypted_content"
    assert "could not be verified" in error["message"]
    assert reason in error["message"]


def test_a_scripted_signature_is_a_sealed_text_too(provider):
    provider.script(think("Hm.", signature="mine"), say("Hello."))
    reasoning, message = whole(provider, **REASON)["output"]
    assert reasoning["encrypted_content"] == "mine"
    assert whole(provider, input=[USER, reasoning, message, USER])["status"] == "completed"


@pytest.mark.parametrize("item", [{"type": "reasoning", "summary": []}, {"type": "item_reference"}])
def test_an_id_alone_is_not_found_without_store(provider, item):
    reasoning, message = thought(provider)
    input = [USER, {**item, "id": reasoning["id"]}, message, USER]
    error = refused(provider, status=404, store=False, input=input)
    assert error["message"].startswith(f"Item with id '{reasoning['id']}' not found. Items are not persisted")
    assert whole(provider, input=input)["status"] == "completed"


def test_reasoning_without_what_followed_it_is_refused(provider):
    reasoning, _ = thought(provider)
    error = refused(provider, input=[USER, reasoning, USER])
    expected = f"Item '{reasoning['id']}' of type 'reasoning' was provided without its required following item."
    assert error["message"] == expected


def test_a_kept_item_without_its_reasoning_is_refused(provider):
    reasoning, message = thought(provider)
    error = refused(provider, input=[USER, message, USER])
    assert error["message"].endswith(f"without its required 'reasoning' item: '{reasoning['id']}'.")


def test_the_same_item_twice_is_refused(provider):
    reasoning, message = thought(provider)
    error = refused(provider, input=[USER, reasoning, message, reasoning, message, USER])
    assert error["message"].startswith(f"Duplicate item found with id {reasoning['id']}.")


def test_tokens_are_counted_without_an_answer(provider):
    status, answer = post(provider, {"model": "gpt-x", "input": "x" * 400}, "/v1/responses/input_tokens")
    assert (status, json.loads(answer)) == (200, {"object": "response.input_tokens", "input_tokens": 107})
    assert post(provider, {"model": "gpt-x", "input": "x", "stream": True}, "/v1/responses/input_tokens")[0] == 400


def test_a_conversation_is_compacted_into_one_sealed_item(provider):
    body = {"model": "gpt-x", "input": [USER, {"role": "assistant", "content": "Hello."}]}
    made = json.loads(post(provider, body, "/v1/responses/compact")[1])
    assert made["object"] == "response.compaction"
    assert [item["type"] for item in made["output"]] == ["message", "compaction"]
    assert whole(provider, input=[*made["output"], USER])["status"] == "completed"
    assert post(provider, {**body, "store": False}, "/v1/responses/compact")[0] == 400


def test_a_trigger_at_the_end_gives_exactly_one_compaction(provider):
    provider.script(think("Hm."), say("ignored"), call_tool("f", {}))
    found = events(provider, input=[USER, {"type": "compaction_trigger"}])
    output = found[-1][1]["response"]["output"]
    assert [item["type"] for item in output] == ["compaction"]
    assert [event["type"] for _, event in found][2:4] == ["response.output_item.added", "response.output_item.done"]
