"""What every library is asked to do, and what the upstream says to it: words, a stream, a tool and its result."""

from tests.clients.asking import CLIENTS, limited, upstream
from tests.live import LiveProxx
from tests.protocols.matrix.cell import MODELS
from tests.upstreams.script import call_tool, fail, say

UPSTREAMS = tuple(CLIENTS)
TEXT = "Hello from the other side – 🙂."
ARGUMENTS = {"city": "Oslo"}
SCHEMA = {
    "type": "object",
    "properties": {"city": {"type": "string"}},
    "required": ["city"],
    "additionalProperties": False,
}

# A fault of the upstream -> the HTTP status a client of the gateway gets.
FAULTS = {"400": 400, "404": 404, "413": 413, "429": 429, "500": 502}


def model(dialect: str) -> str:
    """Return the model of the upstream that speaks this dialect."""
    return upstream(dialect, MODELS[dialect])


def says_text(proxx: LiveProxx, dialect: str) -> str:
    """Have the upstream say the text; return the model to ask."""
    proxx.provider.script(say(TEXT), model=MODELS[dialect])
    return model(dialect)


def calls_then_answers(proxx: LiveProxx, dialect: str) -> str:
    """Have the upstream call the tool, then say the text; return the model to ask."""
    proxx.provider.script(call_tool("weather", ARGUMENTS), model=MODELS[dialect])
    proxx.provider.script(say(TEXT), model=MODELS[dialect])
    return model(dialect)


def fails(proxx: LiveProxx, dialect: str, fault: str) -> str:
    """Have the upstream fail; return the model to ask."""
    proxx.provider.script(fail(fault), model=MODELS[dialect])
    return f"{limited(dialect)}/{MODELS[dialect]}" if fault == "429" else model(dialect)
