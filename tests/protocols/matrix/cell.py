"""One cell of the matrix: a client of one dialect, an upstream of another, whole or streamed, and what passed."""

from dataclasses import dataclass, field, replace
from typing import Any

from tests.clients.asking import CLIENTS, send, upstream
from tests.clients.talk import Heard, Talk
from tests.live import LiveProxx
from tests.upstreams.script import Step

MODELS = {
    "openai_chat": "gpt-x",
    "openai_responses": "gpt-x",
    "anthropic": "claude-sonnet-4-6",
    "gemini": "gemini-2.5-flash",
    "ollama": "glm-x",
}


@dataclass
class Cell:
    """A client, an upstream, and the last call between them."""

    proxx: LiveProxx
    client: str
    upstream: str
    streams: bool
    warnings: list[str] = field(default_factory=list)
    headers: dict[str, str] = field(default_factory=dict)

    @property
    def same(self) -> bool:
        """Say whether bytes pass without translation."""
        return self.client == self.upstream

    @property
    def sent(self) -> dict[str, Any]:
        """Return the body that the upstream got last."""
        found: dict[str, Any] = self.proxx.provider.journal.last.json
        return found

    def ask(self, talk: Talk, *steps: Step, model: str = "") -> Heard:
        """Have the upstream say these steps and return what the client heard of them."""
        status, answer = self.answer(talk, *steps, model=model)
        assert status == 200, answer.decode()
        module = CLIENTS[self.client]
        heard: Heard = module.stream(answer) if self.streams else module.whole(answer)
        return heard

    def answer(
        self, talk: Talk, *steps: Step, model: str = "", fault: str = "", provider: str = "", **headers: str
    ) -> tuple[int, bytes]:
        """Have the upstream answer like that and return the status and bytes that the client got."""
        name = model or MODELS[self.upstream]
        self.proxx.provider.reset()
        self.proxx.provider.script(*steps, model=name, fault=fault)
        named = f"{provider}/{name}" if provider else upstream(self.upstream, name)
        talk = replace(talk, model=named, stream=self.streams)
        status, self.headers, answer = send(self.proxx, self.client, talk, **headers)
        noted = self.headers.get("x-proxx-warnings", "")
        self.warnings = [note.partition(";")[0] for note in noted.split(",") if note]
        return status, answer

    def error(self, answer: bytes) -> str:
        """Return the error's type in the client's own words."""
        found: str = CLIENTS[self.client].error(answer)
        return found

    def finish(self, reason: str) -> str:
        """Return the client's word for an ending."""
        found: str = CLIENTS[self.client].FINISH[reason]
        return found

    def loses(self, name: str) -> bool:
        """Say whether the loss of something was noted by name."""
        return any(name in note for note in self.warnings)
