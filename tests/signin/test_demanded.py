"""Roles that demand a second factor (security B3)."""

import pytest
from channels.db import database_sync_to_async
from channels.testing import WebsocketCommunicator

from accounts.models import Operator
from accounts.rights import Role, grant
from accounts.signin import second_factor
from analytics.consumers import PATH, traffic_socket
from tests.signin.conftest import PASSWORD, own_page

pytestmark = pytest.mark.django_db
ACCOUNT = "/console/account/"


@pytest.mark.parametrize("roles", [("operator",), ("auditor", "operator"), ("all",)])
def test_whose_role_demands_a_second_factor_gets_nowhere_without(client, kim, settings, roles):
    settings.PROXY_SECOND_FACTOR_ROLES = roles
    grant(kim, Role.OPERATOR, by=None)
    kim.refresh_from_db()  # new roles begin a new round of sign-ins
    client.force_login(kim)
    for page in ("/console/", "/console/accounts/apikey/", "/console/no/such/page/"):
        assert client.get(page)["Location"] == ACCOUNT
    assert b"needs a second factor" in client.get(ACCOUNT).content
    assert client.get("/console/account/app/").status_code == 200


def test_with_one_they_go_on_and_without_again_they_do_not(client, kim, settings):
    from allauth.mfa.models import Authenticator

    settings.PROXY_SECOND_FACTOR_ROLES = ("operator",)
    grant(kim, Role.OPERATOR, by=None)
    kim.refresh_from_db()  # new roles begin a new round of sign-ins
    with second_factor.belonging_to(kim):
        sealed = second_factor.SecondFactorAdapter().encrypt("JBSWY3DPEHPK3PXP")
    Authenticator.objects.create(user=kim, type="totp", data={"secret": sealed})
    client.force_login(kim)
    assert client.get("/console/").status_code == 200
    client.post("/console/account/app/remove/")
    assert client.get("/console/")["Location"] == ACCOUNT


def test_other_roles_are_left_alone_and_an_owner_is_one_by_the_old_mark_too(client, kim, settings):
    settings.PROXY_SECOND_FACTOR_ROLES = ("owner",)
    client.force_login(kim)
    assert client.get("/console/").status_code == 200
    client.force_login(Operator.objects.create_superuser("root", password=PASSWORD))
    assert client.get("/console/")["Location"] == ACCOUNT


@pytest.mark.django_db(transaction=True)
async def test_a_socket_demands_it_too(client, settings):
    settings.PROXY_SECOND_FACTOR_ROLES = ("owner",)
    root = await database_sync_to_async(Operator.objects.create_superuser)("root", password=PASSWORD)
    await database_sync_to_async(client.force_login)(root)
    assert not (await WebsocketCommunicator(traffic_socket, PATH, headers=own_page(client)).connect())[0]
    settings.PROXY_SECOND_FACTOR_ROLES = ()
    socket = WebsocketCommunicator(traffic_socket, PATH, headers=own_page(client))
    assert (await socket.connect())[0]
    await socket.disconnect()
