"""The tokens of signed-in accounts, seen from a call: good before it is sent, renewed once if the provider refuses.

Usually that is a look at what this process holds (oauth/held.py). One that is not: oauth/readiness.py.
"""

from dataclasses import replace

from oauth import held, readiness
from oauth.held import Held
from oauth.readiness import ENDED
from proxx.gateway.call import Call
from proxx.kit import clock
from proxx.upstream import failures
from proxx.upstream.failures import Failure
from routing.planner import Candidate

LONGEST_REST = 10.0  # seconds: another process may renew it sooner than this one would try


class Ended(Exception):
    """This account has no token to be asked with; it was not asked. One that can be renewed, though not now, rests
    until that is tried again."""

    def __init__(self, found: Held | None) -> None:
        super().__init__(ENDED)
        if found is None or not found.can_renew:
            self.failure = failures.named("auth", ENDED)
        else:
            soon = min(max(found.retry_at - clock.unix(), 1.0), LONGEST_REST)
            self.failure = replace(failures.named("not_renewed", ENDED), retry_after=soon)


async def demand(call: Call, candidate: Candidate) -> None:
    """Make sure that a signed-in candidate is asked with a good token, and note with the attempt which; raise `Ended`
    if there is none."""
    credential = candidate.credential
    if credential is None or not credential.sign_in:
        return
    found = await readiness.made_good(credential.id)
    if found is None:
        raise Ended(held.current(credential.id))
    call.attempts[-1].token = found.version


async def renewed_after(call: Call, candidate: Candidate, failure: Failure) -> bool:
    """Tell whether a candidate that was refused for its token has a newer one now: at most once in a call."""
    credential = candidate.credential
    if credential is None or not credential.sign_in or failure.kind != "auth":
        return False
    sent = call.attempts[-1].token
    if not sent or any(one.token and one.candidate.key == candidate.key for one in call.attempts[:-1]):
        return False
    return held.version(credential.id) > sent or await readiness.renewed(credential.id, than=sent)
