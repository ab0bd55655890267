"""Secrets are sealed under a new key while calls run: a running server never meets one that it cannot open."""

import json
import threading
from typing import Any

from tests.live import SECRETS

NEW = "HxAREhMUFRYXGBkaGxwdHgABAgMEBQYHCAkKCwwNDg8="
ADD = """
from accounts.models import Credential
for number in range(30):
    Credential.objects.create(provider_id="openai", label=f"n{number}", account_id=f"n{number}", secret="sk-sim-1")
"""
STATE = """
from accounts import resealing
from accounts.models import Credential
from accounts.fields import reveal
result = [resealing.retired(), sorted({reveal(row).reveal() for row in Credential.objects.all()})]
"""
# The rows change while they are sealed anew, from another process that seals under the new key, too.
EDIT = """
from accounts.models import Credential
for turn in range(3):
    for row in Credential.objects.filter(source="console"):
        row.secret = "sk-sim-2"
        row.save()
"""


def test_rotation_under_traffic_and_edits_loses_no_call_and_no_secret(start_proxx: Any) -> None:
    both = f"{NEW},{SECRETS['PROXY_ENCRYPTION_KEYS']}"
    proxx = start_proxx()
    proxx.run(ADD)
    # As after the restart with both keys: this server and every command of it know them.
    proxx.stop()
    proxx.environment["PROXY_ENCRYPTION_KEYS"] = both
    proxx.start()
    assert "rotate_secrets" in proxx.log  # the start's warning
    answers: list[int] = []
    stop = threading.Event()

    def call() -> None:
        while not stop.is_set():
            answers.append(proxx.chat()[0])

    callers = [threading.Thread(target=call) for _ in range(3)]
    editor = threading.Thread(target=lambda: proxx.run(EDIT))
    for one in (*callers, editor):
        one.start()
    try:
        said = proxx.manage("rotate_secrets", "--batch", "3")
    finally:
        editor.join()
        stop.set()
        for one in callers:
            one.join()
    assert "Every stored secret is under the first key now." in said
    retired, plain = proxx.run(STATE)
    assert retired == 0, json.dumps(plain)
    assert set(plain) <= {"sk-sim-1", "sk-sim-2"}
    assert answers
    assert set(answers) == {200}
