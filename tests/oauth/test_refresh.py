"""Renewal of tokens: once however many ask, and a refresh token that may be used up is never sent again."""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import suppress
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection

from accounts.fields import reveal
from oauth import following, held, leases, providers, refresh, scan
from oauth.keeping import keep
from oauth.models import OAuthAccount
from oauth.refresh import NotRenewed
from oauth.tokens import read
from proxx.kit import clock as clocks
from proxx.upstream import client
from routing import revision
from tests.ports import free_port
from tests.upstreams.signin import Issuer, Told

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _nothing_held() -> Iterator[None]:
    held.keep_only(())
    yield
    held.keep_only(())


@pytest.fixture
def account(issuer: Issuer) -> OAuthAccount:
    grant = issuer.grant(email="kim@example.com", workspace="ws-1")
    said = {"access_token": grant.access, "refresh_token": grant.refresh, "expires_in": 3600}
    return keep(providers.get("openai"), read(said)).account


def renew(account: OAuthAccount, *, than: int = 1, times: int = 1, forced: bool = False) -> list[Any]:
    """Ask so many times at once, on a loop of its own; return what came, faults too."""

    async def asked() -> list[Any]:
        asking = (refresh.renew(account.credential_id, than=than, forced=forced) for _ in range(times))
        try:
            return await asyncio.gather(*asking, return_exceptions=True)
        finally:
            await client.close_all()

    return asyncio.run(asked())


def now(account: OAuthAccount) -> OAuthAccount:
    return OAuthAccount.objects.select_related("credential").get(pk=account.pk)


def test_a_hundred_who_ask_get_one_renewal(issuer: Issuer, account: OAuthAccount) -> None:
    before = revision.number()
    found = renew(account, times=100)
    assert {one.version for one in found} == {2}
    assert (issuer.renewals, issuer.reused) == (1, 0)
    row = now(account)
    assert reveal(row.credential) == found[0].secret
    assert issuer.accepts(reveal(row.credential).reveal())
    assert row.opened_refresh_token().reveal() == issuer.families[1].current
    assert revision.number() == before, "tokens that renew themselves are no configuration"


def test_processes_ask_as_one(issuer: Issuer, account: OAuthAccount) -> None:
    """Threads with loops of their own share nothing but the database here: that is what processes are."""
    issuer.delay = lambda: 0.3
    found: list[Any] = []

    def process() -> None:
        async def alone() -> None:
            found.append(await refresh._renewed(account.credential_id, than=1, forced=False))
            await client.close_all()

        asyncio.run(alone())

    threads = [threading.Thread(target=process) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert [one.version for one in found] == [2, 2, 2, 2]
    assert (issuer.renewals, issuer.reused) == (1, 0)


def test_who_leaves_while_waiting_stops_no_renewal(issuer: Issuer, account: OAuthAccount) -> None:
    issuer.delay = lambda: 0.2

    async def impatient() -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(0.05):
                await refresh.renew(account.credential_id, than=1)
        await refresh.finish()
        await client.close_all()

    asyncio.run(impatient())
    assert now(account).version == 2


def test_a_refusal_for_good_asks_for_a_sign_in_and_drops_the_token(issuer: Issuer, account: OAuthAccount) -> None:
    before = revision.number()
    issuer.will.append(Told(400, {"error": "invalid_grant", "error_description": "gone"}))
    assert isinstance(renew(account)[0], NotRenewed)
    row = now(account)
    assert (row.state, row.refresh_token) == ("sign_in_again", "")
    assert "invalid_grant" in row.fault
    assert revision.number() > before, "that an account has no tokens any more is told everywhere"
    assert isinstance(renew(account)[0], NotRenewed)
    assert len(issuer.log) == 1, "nobody asks the issuer again"


@pytest.mark.parametrize("trouble", ["close", Told(504, b""), Told(200, {"odd": True})])
def test_a_lost_answer_means_that_the_token_may_be_used_up(issuer: Issuer, account: OAuthAccount, trouble: Any) -> None:
    issuer.will.append(trouble)
    assert isinstance(renew(account)[0], NotRenewed)
    assert (now(account).state, now(account).fault) == ("sign_in_again", leases.LOST)
    renew(account, forced=True)
    assert len(issuer.log) == 1, "a token that may be used is never sent again"


def test_an_issuer_that_is_not_reached_is_asked_again_later(
    issuer: Issuer, account: OAuthAccount, settings: Any
) -> None:
    address, settings.OPENAI_OAUTH_ISSUER = settings.OPENAI_OAUTH_ISSUER, f"http://127.0.0.1:{free_port()}"
    assert isinstance(renew(account)[0], NotRenewed)
    row = now(account)
    assert (row.state, row.failures, row.claim, row.sent) == ("working", 1, None, False)
    settings.OPENAI_OAUTH_ISSUER = address
    assert isinstance(renew(account)[0], NotRenewed), "not before its pause is over"
    assert renew(account, forced=True)[0].version == 2
    assert (now(account).failures, now(account).retry_at) == (0, None)


def test_pauses_double_from_the_third_failure_on_up_to_ten_minutes() -> None:
    assert [leases.pause(n) for n in range(1, 9)] == [5, 5, 120, 240, 480, 600, 600, 600]


def test_an_issuer_in_trouble_costs_no_account(issuer: Issuer, account: OAuthAccount) -> None:
    issuer.will.append(Told(503, {"error": "down"}))
    renew(account)
    assert (now(account).state, now(account).failures) == ("working", 1)
    assert renew(account, forced=True)[0].version == 2


def test_a_process_that_died_before_it_sent_costs_nothing(issuer: Issuer, account: OAuthAccount, clock: Any) -> None:
    assert isinstance(leases.claim(account.credential_id, than=1, forced=False), leases.Claim)
    assert isinstance(leases.claim(account.credential_id, than=1, forced=False), leases.Busy)
    clock.advance(91)
    assert renew(account)[0].version == 2
    assert issuer.reused == 0


def test_a_process_that_died_after_it_sent_costs_the_sign_in(issuer: Issuer, account: OAuthAccount, clock: Any) -> None:
    mine = leases.claim(account.credential_id, than=1, forced=False)
    assert isinstance(mine, leases.Claim)
    assert leases.mark_sent(mine)
    assert isinstance(leases.claim(account.credential_id, than=1, forced=False), leases.Busy)
    clock.advance(91)
    scan.renew_due()
    row = now(account)
    assert (row.state, row.fault, row.refresh_token) == ("sign_in_again", leases.DIED, "")
    assert issuer.log == []


def test_a_process_that_was_only_slow_brings_its_account_back(
    issuer: Issuer, account: OAuthAccount, clock: Any
) -> None:
    mine = leases.claim(account.credential_id, than=1, forced=False)
    assert isinstance(mine, leases.Claim)
    assert leases.mark_sent(mine)
    clock.advance(91)
    scan.renew_due()
    assert leases.store(mine, read({"access_token": "late", "refresh_token": "rt-late", "expires_in": 60})) is not None
    row = now(account)
    assert (row.state, row.version, row.fault) == ("working", 2, "")
    assert row.opened_refresh_token().reveal() == "rt-late"


def test_who_lost_the_right_sends_nothing(account: OAuthAccount, clock: Any) -> None:
    mine = leases.claim(account.credential_id, than=1, forced=False)
    assert isinstance(mine, leases.Claim)
    clock.advance(91)
    other = leases.claim(account.credential_id, than=1, forced=False)
    assert isinstance(other, leases.Claim)
    assert not leases.mark_sent(mine)
    assert leases.mark_sent(other)
    assert leases.store(mine, read({"access_token": "stale"})) is None


def test_a_new_sign_in_meanwhile_is_not_overwritten(issuer: Issuer, account: OAuthAccount) -> None:
    mine = leases.claim(account.credential_id, than=1, forced=False)
    assert isinstance(mine, leases.Claim)
    again = {"access_token": "signed-in-anew", "refresh_token": "rt-anew", "expires_in": 60}
    keep(providers.get("openai"), read(again), replaces=now(account), who=_same(account))
    assert leases.store(mine, read({"access_token": "old-news"})) is None
    assert reveal(now(account).credential).reveal() == "signed-in-anew"


def _same(account: OAuthAccount) -> Any:
    from oauth.identity import Identity

    return Identity(subject=account.subject, email=account.email, workspace="ws-1")


def test_an_issuer_that_gives_no_new_refresh_token_keeps_the_old(issuer: Issuer, account: OAuthAccount) -> None:
    issuer.will.append(Told(200, {"access_token": "fresh-access-token", "expires_in": 60}))
    before = account.opened_refresh_token()
    assert renew(account)[0].secret.reveal() == "fresh-access-token"
    assert now(account).opened_refresh_token() == before
    assert renew(account, than=2)[0].version == 3


def test_what_ends_soon_is_renewed_in_the_background_and_the_rest_is_left(
    issuer: Issuer, account: OAuthAccount, clock: Any
) -> None:
    grant = issuer.grant(email="sam@example.com", workspace="ws-1")
    said = {"access_token": grant.access, "refresh_token": grant.refresh, "expires_in": 10 * 86400}
    later = keep(providers.get("openai"), read(said)).account
    assert scan.renew_due().total == 0
    clock.advance(3300)
    assert scan.renew_due() == scan.Renewals(1, 1, 0)
    assert (now(account).version, now(later).version) == (2, 1)
    assert scan.renew_now() == scan.Renewals(2, 2, 0)


def test_an_issuer_in_trouble_is_asked_for_one_account_only(issuer: Issuer, account: OAuthAccount) -> None:
    for number in range(3):
        grant = issuer.grant(email=f"more{number}@example.com")
        keep(providers.get("openai"), read({"access_token": grant.access, "refresh_token": grant.refresh}))
    issuer.will.extend([Told(502, b"")] * 4)
    assert scan.renew_now() == scan.Renewals(4, 0, 4)
    assert len(issuer.log) == 1
    assert OAuthAccount.objects.filter(state="sign_in_again").count() == 1


def test_what_another_process_renewed_is_noticed(issuer: Issuer, account: OAuthAccount) -> None:
    held.take_row(now(account))
    live = held.LiveSecret(account.credential_id, account.signed_in_at)
    before = live.pinned()
    mine = leases.claim(account.credential_id, than=1, forced=False)
    assert isinstance(mine, leases.Claim)
    OAuthAccount.objects.filter(pk=account.pk).update(version=2)
    row = now(account)
    row.credential.secret = "renewed-elsewhere"
    row.credential.save()
    assert live.reveal() == before.reveal()
    with connection.execute_wrapper(lambda run, *rest: run(*rest)):
        assert following.look() == 1
    assert live.reveal() == "renewed-elsewhere"
    assert live == held.LiveSecret(account.credential_id, account.signed_in_at)
    assert before.reveal() != live.reveal()


def test_of_a_short_lived_token_a_fifth_is_too_little(account: OAuthAccount, clock: Any) -> None:
    row = now(account)
    row.refreshed_at, row.credential.expires_at = clocks.now(), clocks.now() + timedelta(seconds=5)
    held.take_row(row)
    clock.advance(3.9)
    assert held.is_good(account.credential_id)
    clock.advance(0.2)
    assert not held.is_good(account.credential_id)
    found = held.current(account.credential_id)
    assert found is not None
    assert not found.has_ended
