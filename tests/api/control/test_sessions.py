"""A console session is worth no more in the control API than in the console (security B3, B5)."""

import pytest

from accounts.models import Operator
from accounts.rights import Role, grant
from accounts.signin.sessions import CONFIRMED
from tests import factories

ME = "/api/v1/me"
HOUR = 3600


def code(answer) -> tuple[int, str]:
    return answer.status_code, answer.json()["error"]["code"]


def test_a_sign_in_that_is_over_for_the_console_is_over_here_too(clock, as_operator):
    caller = as_operator()
    clock.advance(7.9 * HOUR)
    assert caller.get(ME).status_code == 200  # that counts as use
    clock.advance(7.9 * HOUR)
    assert caller.get(ME).status_code == 200
    clock.advance(8.1 * HOUR)
    assert code(caller.get(ME)) == (401, "invalid_api_key")


@pytest.mark.parametrize("demanded", ["operator", "all"])
def test_whose_role_demands_a_second_factor_asks_nothing_here_without_one(as_operator, settings, demanded):
    settings.PROXY_SECOND_FACTOR_ROLES = (demanded,)
    operator = Operator.objects.create_user("kim", is_staff=True)
    grant(operator, Role.OPERATOR, by=None)
    operator.refresh_from_db()
    caller = as_operator(operator)
    assert code(caller.get(ME)) == (403, "second_factor_required")
    assert code(caller.post("/api/v1/tenants", {"slug": "x", "name": "x"})) == (403, "second_factor_required")
    operator.authenticator_set.create(type="webauthn", data={})
    assert caller.get(ME).status_code == 200


def test_a_token_needs_no_second_factor(admin, settings):
    settings.PROXY_SECOND_FACTOR_ROLES = ("all",)
    assert admin.get(ME).status_code == 200


CHANGES = [
    ("POST", "/api/v1/credentials", {"provider_id": "openai", "secret": "sk-typed-0123456789"}),
    ("PATCH", "/api/v1/credentials/{credential}", {"secret": "sk-typed-0123456789"}),
    ("DELETE", "/api/v1/credentials/{credential}", None),
    ("POST", "/api/v1/operators", {"username": "max", "password": "correct horse battery"}),
    ("POST", "/api/v1/members", {"operator": "max", "role": "owner"}),
    ("DELETE", "/api/v1/members/{credential}", None),
    ("POST", "/api/v1/providers", {"provider_id": "mine", "base_url": "https://llm.example/v1"}),
    ("PATCH", "/api/v1/providers/openai", {"base_url": "https://llm.example/v1"}),
    ("POST", "/admin/accounts", {}),
    ("DELETE", "/admin/accounts/{credential}", None),
    ("DELETE", "/api/ui/credentials/account", {"providerId": "openai", "accountId": "x"}),
]


@pytest.mark.parametrize(("method", "path", "body"), CHANGES)
def test_whoever_did_not_show_lately_who_they_are_changes_no_credential_operator_or_role(
    as_operator, method, path, body
):
    row = factories.make_credential()
    caller = as_operator()
    session = caller.client.session
    session[CONFIRMED] = 0
    session.save()
    assert code(caller.ask(method, path.format(credential=row.pk), body)) == (403, "step_up_required")
