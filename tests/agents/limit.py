"""Codex on two ChatGPT accounts: the first hits its limit in the middle of the task, the task ends on the second.

Twice: once the answers say how much is left, so nobody asks in vain; once the limit comes as a surprise.
"""

from pathlib import Path

from tests.agents import task
from tests.agents.agents import AGENTS
from tests.agents.task import Run
from tests.databases import Templates
from tests.live import LiveProxx, running
from tests.upstreams.plan import FIVE_HOURS, WEEK, Plan, PlanWindow
from tests.upstreams.responses_plan import plans_of
from tests.upstreams.server import SimulatedProvider

MODEL = "gpt-x"
CALLS = 2  # of three that the task takes
ROWS = """
from accounts.models import Credential
Credential.objects.all().delete()
for number in (1, 2):
    Credential.objects.create(
        provider_id="openai", kind="oauth_bearer", secret=f"sk-sim-{number}", label=f"account {number}",
        base_url=BASE, chatgpt_account_id=f"workspace-{number}", priority=number,
    )
"""


def runs(folder: Path, provider: SimulatedProvider, programs: Path, templates: Templates, server: str) -> list[Run]:
    """Do the task both ways; return what came of it."""
    found = []
    for is_quiet in (False, True):
        name = "by surprise" if is_quiet else "foretold"
        place = folder / f"limit-{name.replace(' ', '-')}"
        with running(place, templates, provider, server=server, env={}, real=False) as proxx:
            found.append(_run(proxx, place, programs, name, is_quiet=is_quiet))
    return found


def _run(proxx: LiveProxx, folder: Path, programs: Path, name: str, *, is_quiet: bool) -> Run:
    plans = [Plan([PlanWindow(FIVE_HOURS, 100), PlanWindow(WEEK, 500)], is_quiet=is_quiet) for _ in (1, 2)]
    plans_of(proxx.provider.world).update({f"sk-sim-{number}": plan for number, plan in enumerate(plans, 1)})
    proxx.run(ROWS.replace("BASE", repr(f"{proxx.provider.origin}/backend-api")))
    proxx.wait_until_served(MODEL)
    for plan in plans:  # what was asked until it was there does not count
        plan.windows[0].used = plan.served = 0
    plans[0].windows[0].size = CALLS
    done = task.run(proxx, AGENTS["codex"], "openai_responses", folder / "agent", programs, model=MODEL, limited=True)
    done.upstream = f"limit, {name}"
    first, second = plans
    done.requests.append(f"calls: {first.served} and {second.served}, refused: {first.refused}")
    if first.served != CALLS or not second.served:
        done.faults.append(f"the accounts served {first.served} and {second.served} calls")
    # Headers are heard once a second, so that even a limit that was told may be found out by asking.
    if first.refused > 1 or (is_quiet and not first.refused):
        done.faults.append(f"the first account refused {first.refused} calls")
    return done
