"""Each place that holds something sealed moves under a new key, and opens afterwards with the new key alone."""

import pytest
from allauth.mfa.models import Authenticator

from accounts import resealing, sealed_places
from accounts.fields import opened_bytes, reveal
from accounts.models import Credential, Operator
from accounts.signin import second_factor
from analytics.alert import AlertRule
from analytics.bodies.table import RequestBody
from oauth.models import OAuthAccount
from oauth.pending import PendingLogin
from proxx.kit import clock, ids, sealing
from tests import factories

pytestmark = pytest.mark.django_db
NEW = "HxAREhMUFRYXGBkaGxwdHgABAgMEBQYHCAkKCwwNDg8="
SECRET = "JBSWY3DPEHPK3PXP0123456789"


def of_a_credential():
    row = factories.make_credential(secret=SECRET)
    return lambda: reveal(Credential.objects.get(pk=row.pk)).reveal()


def of_an_alert():
    row = AlertRule.objects.create(name="rule", webhook_url="https://example.com/", secret=SECRET)
    return lambda: reveal(AlertRule.objects.get(pk=row.pk)).reveal()


def of_an_app():
    operator = Operator.objects.create_user("kim")
    adapter = second_factor.SecondFactorAdapter()
    with second_factor.belonging_to(operator):
        data = {"secret": adapter.encrypt(SECRET), "noted": "beside it"}
    row = Authenticator.objects.create(user=operator, type=Authenticator.Type.TOTP, data=data)

    def opened():
        now = Authenticator.objects.get(pk=row.pk).data
        assert now["noted"] == "beside it"
        with second_factor.belonging_to(operator):
            return adapter.decrypt(now["secret"])

    return opened


def of_bodies():
    row = RequestBody.objects.create(id=ids.new(), why="full", plain_bytes=1, stored_bytes=1, content=SECRET)
    return lambda: opened_bytes(RequestBody.objects.get(pk=row.pk).content, row.pk).decode()


def of_an_account():
    credential = factories.make_credential(secret="")
    row = OAuthAccount.objects.create(credential=credential, sign_in="openai", refresh_token=SECRET)
    return lambda: sealing.unseal(OAuthAccount.objects.get(pk=row.pk).refresh_token, context=str(row.pk))


def of_a_sign_in():
    now = clock.now()
    times = {"begun_at": now, "ends_at": now}
    row = PendingLogin.objects.create(sign_in="openai", method="browser", begun_by="operator:1", secret=SECRET, **times)
    return lambda: sealing.unseal(PendingLogin.objects.get(pk=row.pk).secret, context=str(row.pk))


MAKERS = {
    "oauth.OAuthAccount.refresh_token": of_an_account,
    "oauth.PendingLogin.secret": of_a_sign_in,
    "analytics.RequestBody.content": of_bodies,
    "accounts.Credential.secret": of_a_credential,
    "analytics.AlertRule.secret": of_an_alert,
    "mfa.Authenticator.data['secret']": of_an_app,
}


def test_each_place_is_tried_here():
    assert {place.name for place in sealed_places.places()} == set(MAKERS)


@pytest.mark.parametrize("name", MAKERS)
def test_what_is_sealed_there_moves_under_the_new_key(name, settings):
    opened = MAKERS[name]()
    settings.SEALING_KEYS = (NEW, *settings.SEALING_KEYS)
    assert resealing.retired() == 1
    assert resealing.reseal() == resealing.Resealed(done=1)
    settings.SEALING_KEYS = (NEW,)
    assert (opened(), resealing.retired()) == (SECRET, 0)


@pytest.mark.parametrize("name", MAKERS)
def test_what_somebody_changes_there_meanwhile_is_left_as_they_made_it(name, settings):
    opened = MAKERS[name]()
    place = next(place for place in sealed_places.places() if place.name == name)
    row = place.filled().get()
    assert place.exchange(row, sealing.seal(SECRET, context=place.context(row)))
    assert not place.exchange(row, sealing.seal("late", context=place.context(row)))
    assert opened() == SECRET


def test_recovery_codes_are_digests_and_no_work_for_it(settings):
    operator = Operator.objects.create_user("kim")
    second_factor.new_codes(operator)
    settings.SEALING_KEYS = (NEW, *settings.SEALING_KEYS)
    assert resealing.retired() == 0
