"""What every cell must carry: words, tools, reasons, numbers. Each scenario is a function of a cell.

Where a dialect has no word for something the scenario asserts the loss by name; nothing is skipped in silence.
"""

from collections.abc import Callable

from tests.clients.talk import PDF, PNG, Raw, Results, Said, Talk, Tool, User
from tests.protocols.matrix.cell import Cell
from tests.upstreams.script import call_tool, finish, report_usage, say, think, together

Scenario = Callable[[Cell], None]

WEATHER = Tool()
CLOCK = Tool("clock", "Tell the time.")
ASK = User("What is the weather in Oslo?")
OSLO, BERGEN = {"city": "Oslo"}, {"city": "Bergen"}
LONG_TEXT = 'One two three.\n\nÆøå – „quoted“ 🙂 and \\ backslashes " too.'


def text(cell: Cell) -> None:
    heard = cell.ask(Talk(), say(LONG_TEXT))
    assert (heard.text, heard.finish, heard.ended) == (LONG_TEXT, cell.finish("stop"), True)
    assert not heard.thought
    assert not heard.calls


def system_message(cell: Cell) -> None:
    heard = cell.ask(Talk(system="Answer in Norwegian."), say("Hei"))
    assert heard.text == "Hei"
    assert "Answer in Norwegian." in str(cell.sent)


def several_turns(cell: Cell) -> None:
    talk = Talk(turns=(User("One"), Said("Two"), User("Three")))
    assert cell.ask(talk, say("Four")).text == "Four"
    told = str(cell.sent)
    assert told.index("One") < told.index("Two") < told.index("Three")


def a_call_and_its_result(cell: Cell) -> None:
    talk = Talk(turns=(ASK,), tools=(WEATHER,))
    heard = cell.ask(talk, call_tool("weather", OSLO))
    assert [(call.name, call.arguments) for call in heard.calls] == [("weather", OSLO)]
    assert heard.finish == cell.finish("tools")
    results = Results(((heard.calls[0].id, "weather", "Sunny"),))
    again = cell.ask(talk.then(Raw(heard.history), results), say("It is sunny."))
    assert again.text == "It is sunny."
    assert "Sunny" in str(cell.sent)


def a_call_after_text(cell: Cell) -> None:
    heard = cell.ask(Talk(turns=(ASK,), tools=(WEATHER,)), say("Let me look."), call_tool("weather", OSLO))
    assert heard.text == "Let me look."
    assert [call.arguments for call in heard.calls] == [OSLO]
    assert heard.finish == cell.finish("tools")


def a_call_without_arguments(cell: Cell) -> None:
    nothing = {"type": "object", "properties": {}, "required": [], "additionalProperties": False}
    clock = Tool("clock", "Tell the time.", nothing)
    heard = cell.ask(Talk(tools=(clock,)), call_tool("clock", {}))
    assert [(call.name, call.arguments) for call in heard.calls] == [("clock", {})]


def parallel_calls(cell: Cell) -> None:
    talk = Talk(turns=(ASK,), tools=(WEATHER,))
    heard = cell.ask(talk, call_tool("weather", OSLO), call_tool("weather", BERGEN))
    assert [call.arguments for call in heard.calls] == [OSLO, BERGEN]
    ids = [call.id for call in heard.calls]
    assert len(set(ids)) == 2 or cell.client in ("gemini", "ollama")
    results = Results(tuple((call.id, "weather", f"Sun in {call.arguments['city']}") for call in heard.calls))
    assert cell.ask(talk.then(Raw(heard.history), results), say("Both sunny.")).text == "Both sunny."
    told = str(cell.sent)
    assert "Sun in Oslo" in told
    assert "Sun in Bergen" in told


def interleaved_calls(cell: Cell) -> None:
    calls = together(call_tool("weather", OSLO), call_tool("clock", BERGEN), call_tool("weather", {"city": "Tromsø"}))
    heard = cell.ask(Talk(turns=(ASK,), tools=(WEATHER, CLOCK)), calls)
    assert [(call.name, call.arguments["city"]) for call in heard.calls] == [
        ("weather", "Oslo"),
        ("clock", "Bergen"),
        ("weather", "Tromsø"),
    ]


def no_tool_allowed(cell: Cell) -> None:
    if cell.client == "ollama":
        return  # its requests have no tool choice
    heard = cell.ask(Talk(turns=(ASK,), tools=(WEATHER,), choice="none"), say("Just words."))
    assert heard.text == "Just words."
    told = cell.sent
    choice = told.get("tool_choice") or told.get("toolConfig", {}).get("functionCallingConfig", {}).get("mode")
    kind = choice.get("type") if isinstance(choice, dict) else choice
    assert str(kind).lower() == "none" or "tools" not in told


def any_tool_forced(cell: Cell) -> None:
    if cell.client == "ollama":
        return
    heard = cell.ask(Talk(turns=(ASK,), tools=(WEATHER,), choice="required"), call_tool("weather", OSLO))
    assert [call.name for call in heard.calls] == ["weather"]
    if cell.upstream == "ollama":
        assert cell.loses("tool")


def a_named_tool_forced(cell: Cell) -> None:
    if cell.client == "ollama":
        return
    talk = Talk(turns=(ASK,), tools=(WEATHER, CLOCK), choice="clock")
    heard = cell.ask(talk, call_tool("clock", OSLO))
    assert [call.name for call in heard.calls] == ["clock"]
    assert "clock" in str(cell.sent)
    if cell.upstream == "ollama":
        assert "weather" not in str(cell.sent["tools"])
        assert cell.loses("tool")


def one_call_at_a_time(cell: Cell) -> None:
    if cell.client in ("gemini", "ollama"):
        return  # their requests have no such switch
    talk = Talk(turns=(ASK,), tools=(WEATHER,), parallel=False)
    if cell.upstream in ("gemini", "ollama") or (cell.upstream == "openai_chat" and not cell.same):
        # The first two have no such switch, and the usual imitator of chat is not trusted to have it.
        heard = cell.ask(talk, call_tool("weather", OSLO), call_tool("weather", BERGEN))
        assert [call.arguments for call in heard.calls] == [OSLO]
    else:
        cell.ask(talk, call_tool("weather", OSLO))
        assert "parallel" in str(cell.sent)


def image_as_data(cell: Cell) -> None:
    assert cell.ask(Talk(turns=(User("What is it?", images=(PNG,)),)), say("A dot.")).text == "A dot."
    assert PNG in str(cell.sent)


def image_by_url(cell: Cell) -> None:
    if cell.client == "ollama":
        return  # its images are data
    talk = Talk(turns=(User("What is it?", image_urls=("https://pictures.example/dot.png",)),))
    status, answer = cell.answer(talk, say("A dot."))
    if cell.upstream in ("gemini", "ollama"):  # they read no URLs; fetching for callers is a setting
        assert (status, b"image" in answer or b"file" in answer) == (400, True), answer
        assert cell.same or len(cell.proxx.provider.journal) == 0
    else:
        assert status == 200, answer
        assert "https://pictures.example/dot.png" in str(cell.sent)


def document(cell: Cell) -> None:
    if cell.client == "ollama":
        return
    status, answer = cell.answer(Talk(turns=(User("Sum it up.", documents=(PDF,)),)), say("Short."))
    if cell.upstream == "ollama":
        assert status == 400, answer
    else:
        assert status == 200, answer
        assert PDF in str(cell.sent)


def reasoning_and_its_way_back(cell: Cell) -> None:
    talk = Talk(turns=(ASK,), tools=(WEATHER,), effort="high")
    heard = cell.ask(talk, think("The user wants weather."), call_tool("weather", OSLO))
    assert "The user wants weather." in heard.thought
    assert "The user wants weather." not in heard.text
    results = Results(((heard.calls[0].id, "weather", "Sunny"),))
    again = cell.ask(talk.then(Raw(heard.history), results), say("It is sunny."))
    assert again.text == "It is sunny."


def reasoning_off(cell: Cell) -> None:
    heard = cell.ask(Talk(effort="none"), say("Quick."))
    assert (heard.text, heard.thought) == ("Quick.", "")


def structured_output(cell: Cell) -> None:
    heard = cell.ask(Talk(schema=WEATHER.schema), say('{"city":"Oslo"}'))
    assert heard.text == '{"city":"Oslo"}'
    assert not heard.calls
    assert "city" in str(cell.sent)


def json_output(cell: Cell) -> None:
    if cell.client == "anthropic":
        return  # its requests know schemas only
    heard = cell.ask(Talk(turns=(User("Answer in JSON."),), json=True), say('{"a":1}'))
    assert heard.text == '{"a":1}'
    if cell.upstream == "anthropic":
        assert cell.loses("format")


def stop_sequences(cell: Cell) -> None:
    if cell.client == "openai_responses":
        return  # its requests have none
    talk = Talk(stop=("END",))
    if cell.upstream == "openai_responses" and not cell.same:
        heard = cell.ask(talk, say("Hello END and more"))
        assert heard.text == "Hello "
    else:
        assert cell.ask(talk, say("Hello ")).text == "Hello "
        assert "END" in str(cell.sent)


def cut_for_length(cell: Cell) -> None:
    heard = cell.ask(Talk(limit=64), say("Half a sen"), finish("length"))
    assert (heard.text, heard.finish) == ("Half a sen", cell.finish("length"))


def usage(cell: Cell) -> None:
    told = report_usage(input=1000, output=200, cached=600, reasoning=50)
    heard = cell.ask(Talk(), say("Counted."), told)
    assert (heard.usage["input"], heard.usage["output"]) == (1000, 200)
    if "ollama" not in (cell.client, cell.upstream):
        assert heard.usage["cached"] == 600
        assert heard.usage["reasoning"] == 50


def room_for_context(cell: Cell) -> None:
    if cell.client not in ("openai_chat", "ollama"):
        return  # no other request has a word for it
    if cell.same and cell.client == "openai_chat":
        return  # passes as it is; the simulated OpenAI refuses it as the real one does
    cell.ask(Talk(num_ctx=8192), say("Room."))
    if cell.upstream == "ollama":
        assert cell.sent["options"]["num_ctx"] == 8192
    else:
        assert "num_ctx" not in str(cell.sent)


SCENARIOS: tuple[Scenario, ...] = (
    text,
    system_message,
    several_turns,
    a_call_and_its_result,
    a_call_after_text,
    a_call_without_arguments,
    parallel_calls,
    interleaved_calls,
    no_tool_allowed,
    any_tool_forced,
    a_named_tool_forced,
    one_call_at_a_time,
    image_as_data,
    image_by_url,
    document,
    reasoning_and_its_way_back,
    reasoning_off,
    structured_output,
    json_output,
    stop_sequences,
    cut_for_length,
    usage,
    room_for_context,
)
