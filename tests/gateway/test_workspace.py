"""For which workspace a ChatGPT account speaks."""

import pytest

from tests.live import LiveProxx


@pytest.mark.parametrize(("quirks", "said"), [(["codex_backend"], "ws-1"), ([], None)])
def test_only_the_chatgpt_backend_is_told_the_workspace_of_an_account(live_proxx: LiveProxx, quirks, said):
    live_proxx.run(
        f"""
from accounts.models import Credential
from routing.models import ProviderSetting
ProviderSetting.objects.create(
    provider_id="mine", base_url={live_proxx.provider.base_url!r}, protocols=["openai_responses"],
    models_paths=[], quirks={quirks!r},
)
Credential.objects.create(provider_id="mine", secret="sk-sim-1", label="one", chatgpt_account_id="ws-1")
"""
    )
    live_proxx.wait_until_served("mine/sim-say")
    assert live_proxx.provider.journal.last.header("chatgpt-account-id") == said
