"""Answers in a given form by way of a tool."""

from proxx.protocols.hub.events import ArgsDelta, Ended, Event, Finished, PartClosed, PartOpened, Started
from proxx.protocols.hub.output import ANSWER_TOOL, AnswerAsText, answer_tool
from proxx.protocols.hub.parts import Text, ToolCall
from proxx.protocols.hub.reply import fold
from proxx.protocols.hub.request import OutputWish

SCHEMA = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}


def called(part: int, name: str, *args: str) -> list[Event]:
    deltas: list[Event] = [ArgsDelta(part, piece) for piece in args]
    return [PartOpened(part, "call", 0, f"call_{part}", name), *deltas, PartClosed(part)]


def ended(reason: str) -> list[Event]:
    return [Finished(reason), Ended()]


def test_the_answers_call_comes_back_as_text_and_the_turn_as_stopped():
    """D77."""
    events = [Started(), *called(0, ANSWER_TOOL, '{"city":', '"Graz"}'), *ended("tool_calls")]
    reply = fold(AnswerAsText(ANSWER_TOOL)(events))
    assert reply.choices[0].parts == (Text('{"city":"Graz"}'),)
    assert reply.choices[0].finish.reason == "stop"


def test_an_answer_cut_short_says_so():
    """D77."""
    reply = fold(AnswerAsText(ANSWER_TOOL)([Started(), *called(0, ANSWER_TOOL, '{"ci'), *ended("length")]))
    assert (reply.choices[0].parts, reply.choices[0].finish.reason) == ((Text('{"ci'),), "length")


def test_the_clients_own_tools_stay_calls():
    """D78."""
    reply = fold(AnswerAsText(ANSWER_TOOL)([Started(), *called(0, "look", "{}"), *ended("tool_calls")]))
    assert reply.choices[0].parts == (ToolCall("call_0", "look", "{}"),)
    assert reply.choices[0].finish.reason == "tool_calls"


def test_of_two_answers_the_first_counts():
    two = [*called(0, ANSWER_TOOL, "1"), *called(1, ANSWER_TOOL, "2")]
    told = AnswerAsText(ANSWER_TOOL)([Started(), *two, *called(2, "look", "{}"), *ended("tool_calls")])
    assert fold(told).choices[0].parts == (Text("1"), ToolCall("call_2", "look", "{}"))
    assert [event.part for event in told if isinstance(event, PartOpened)] == [0, 1]


def test_the_answers_tool_takes_no_name_that_a_client_uses():
    wish = OutputWish("schema", SCHEMA, description="A city.")
    tool = answer_tool(wish, taken={ANSWER_TOOL, f"{ANSWER_TOOL}_2"})
    assert tool.name == "structured_output_3"
    assert tool.schema == SCHEMA
    assert tool.description.endswith("A city.")
    assert answer_tool(OutputWish("json"), taken=()).schema == {"type": "object", "properties": {}}
