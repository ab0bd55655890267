"""What stands behind an issuer: a chat endpoint that takes its tokens while they live, and nothing else.

    backend = Backend(issuer)      # issuer.origin + "/v1"
    ...
    assert backend.refused == 0

Like signin.py it imports nothing of proxx.
"""

from tests.upstreams.signin import Asked, Issuer, Told


class Backend:
    """Answers every chat with “Hello.”; `good` and `refused` count. It takes nothing of the families in `bars`."""

    def __init__(self, issuer: Issuer) -> None:
        self.issuer = issuer
        self.good = self.refused = 0
        self.bars: set[int] = set()
        self.tokens: list[str] = []  # the last ones that were shown
        issuer.routes["POST", "/v1/chat/completions"] = self._answer

    @property
    def base_url(self) -> str:
        """Return the base URL that accounts of this issuer need."""
        return f"{self.issuer.origin}/v1"

    async def _answer(self, asked: Asked) -> Told:
        token = asked.headers.get("authorization", "").removeprefix("Bearer ")
        self.tokens = [*self.tokens[-99:], token]
        family, _ = self.issuer.accesses.get(token, (None, 0.0))
        if not self.issuer.accepts(token) or (family is not None and family.number in self.bars):
            self.refused += 1
            return Told(401, {"error": {"message": "Your token has ended.", "code": "token_expired"}})
        self.good += 1
        message = {"role": "assistant", "content": "Hello."}
        usage = {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2}
        choice = {"index": 0, "message": message, "finish_reason": "stop"}
        said = {"id": "c", "object": "chat.completion", "created": 1, "model": "m", "choices": [choice], "usage": usage}
        return Told(200, said)
