"""What accounts have left is asked for, stored, told to other processes, and known again after a start."""

import asyncio
from typing import Any
from uuid import UUID, uuid4

import pytest

from accounts.models import Credential
from oauth.plan_usage import FIVE_HOURS, PlanUsage, Window
from proxx.kit import clock as clocks
from proxx.kit import shared_state
from routing import quota, quota_refresh, quota_share, quota_store, revision, tasks
from routing.models import ProviderSetting, QuotaStanding
from routing.quota import Standing
from tests import factories
from tests.oauth.test_plan_usage import CODEX
from tests.routing.catalog.test_refresh import Answer, upstream

pytestmark = pytest.mark.django_db(transaction=True)


def said(used: float, *, plan: str = "", at: float | None = None) -> Standing:
    window = Window("five_hour", used, clocks.unix() + 600, FIVE_HOURS)
    return Standing(PlanUsage((window,), plan), clocks.unix() if at is None else at, "headers")


def used(key: UUID) -> float:
    return quota.standings[key].usage.windows[0].used


def test_what_is_stored_comes_back_as_it_was() -> None:
    credential = factories.make_credential()
    heard = {credential.pk: said(42.5, plan="plus", at=1_700_000_000.0)}
    quota_store.save(heard)
    assert quota_store.since(0) == heard


def test_younger_news_replaces_older_and_never_the_other_way() -> None:
    credential = factories.make_credential()
    quota_store.save({credential.pk: said(50)})
    quota_store.save({credential.pk: said(40, at=clocks.unix() - 60)})
    quota_store.save({credential.pk: said(60, at=clocks.unix() + 1)})
    assert [one.usage.windows[0].used for one in quota_store.since(0).values()] == [60]


def test_news_of_a_deleted_account_is_dropped() -> None:
    credential = factories.make_credential()
    quota_store.save({uuid4(): said(1), credential.pk: said(2)})
    assert list(quota_store.since(0)) == [credential.pk]


def test_only_a_plan_that_changed_is_configuration() -> None:
    credential = factories.make_credential()
    before = revision.number()
    quota_store.save({credential.pk: said(1)})
    assert revision.number() == before
    quota_store.save({credential.pk: said(1, plan="pro", at=clocks.unix() + 1)})
    credential.refresh_from_db()
    assert (credential.plan_type, revision.number() > before) == ("pro", True)
    before = revision.number()
    quota_store.save({credential.pk: said(2, plan="pro", at=clocks.unix() + 2)})
    assert revision.number() == before


def test_a_row_that_cannot_be_read_is_nothing() -> None:
    credential = factories.make_credential()
    QuotaStanding.objects.create(credential=credential, heard_at=clocks.now(), windows=[["five_hour", "much"]])
    assert quota_store.since(0) == {}


def steps(count: int = 1) -> None:
    async def run() -> None:
        for _ in range(count):
            await rounds.step()

    rounds = quota_share.Round()
    asyncio.run(run())


def test_news_is_stored_and_what_others_stored_is_known() -> None:
    mine, theirs = factories.make_credential(), factories.make_credential(secret="sk-2")
    quota_store.save({theirs.pk: said(99)})
    quota.note(mine.pk, said(10), is_news=True)
    steps()
    assert set(quota_store.since(0)) == {mine.pk, theirs.pk}
    assert used(theirs.pk) == 99
    assert theirs.pk in quota.spent
    assert not quota.news


def test_the_same_again_is_not_written_again() -> None:
    credential = factories.make_credential()
    first = said(10)

    async def run() -> None:
        rounds = quota_share.Round()
        for at in (0, 20, 40):
            quota.note(credential.pk, Standing(first.usage, first.heard_at + at, "headers"), is_news=True)
            clock.advance(20)
            await rounds.step()

    with clocks.stopped() as clock:
        asyncio.run(run())
    [row] = QuotaStanding.objects.all()
    assert row.heard_at is not None
    assert row.heard_at.timestamp() == pytest.approx(first.heard_at)


def test_news_that_could_not_be_stored_is_stored_later(monkeypatch: pytest.MonkeyPatch) -> None:
    credential = factories.make_credential()
    quota.note(credential.pk, said(10), is_news=True)

    def fails(heard: object) -> None:
        raise OSError("away")

    saves = quota_store.save
    monkeypatch.setattr(quota_store, "save", fails)
    with pytest.raises(OSError, match="away"):
        steps()
    monkeypatch.setattr(quota_store, "save", saves)
    steps()
    assert list(quota_store.since(0)) == [credential.pk]


def test_what_is_told_is_taken_in_and_nonsense_is_passed_over() -> None:
    credential = factories.make_credential()
    listening = shared_state.listen(quota_share.CHANNEL, quota_share._inbox.append)
    try:
        shared_state.publish(quota_share.CHANNEL, b"{}")
        quota_share.tell({credential.pk: said(7)})
    finally:
        listening.stop()
    quota_share.take_in()
    assert used(credential.pk) == 7


def asked(answer: Answer, credentials: list[Credential], **fields: Any) -> list[quota_refresh.Answer]:
    """Ask through a server of our own, at which the accounts are."""

    async def serve() -> list[quota_refresh.Answer]:
        async with upstream(answer) as (base, _):
            for row in credentials:
                row.base_url = f"{base}/backend-api"
                await asyncio.to_thread(row.save)
            return await asyncio.to_thread(quota_refresh.refresh, **fields)

    return asyncio.run(serve())


def signed_in(**fields: Any) -> Credential:
    return factories.make_credential(kind=Credential.Kind.OAUTH_BEARER, **fields)


def test_accounts_that_can_be_asked_are_asked_and_the_answer_is_known_everywhere() -> None:
    credential = signed_in(chatgpt_account_id="acc-1", secret="sk-1")
    factories.make_credential("groq", secret="sk-2")
    [answer] = asked(lambda path, headers: (200, CODEX), [credential])
    assert (answer.credential.id, answer.fault) == (credential.pk, "")
    row = QuotaStanding.objects.get()
    assert (row.source, row.plan, row.fault, row.tried_at is not None) == ("asked", "plus", "", True)
    steps()
    assert [one.name for one in quota.standings[credential.pk].usage.windows if one.is_ours] == ["five_hour", "weekly"]


def test_who_was_asked_just_now_is_asked_again_only_on_a_wish() -> None:
    credential = signed_in()
    assert len(asked(lambda path, headers: (200, CODEX), [credential])) == 1
    assert asked(lambda path, headers: (200, CODEX), [credential]) == []
    assert len(asked(lambda path, headers: (200, CODEX), [credential], forced=True)) == 1


def test_a_fault_is_stored_and_what_was_known_stays() -> None:
    credential = signed_in()
    asked(lambda path, headers: (200, CODEX), [credential])
    [answer] = asked(lambda path, headers: (500, {}), [credential], credential_ids=[credential.pk], forced=True)
    row = QuotaStanding.objects.get()
    assert answer.fault == row.fault == "The provider said 500."
    assert len(row.windows) == 3


def test_a_provider_that_hangs_costs_only_its_time(settings: Any) -> None:
    settings.PROXY_QUOTA_TIMEOUT = 0.2
    [answer] = asked(lambda path, headers: (0, b""), [signed_in()])
    assert answer.fault


def test_a_workspace_that_is_gone_is_not_named_again() -> None:
    def answer(path: str, headers: dict[str, str]) -> tuple[int, Any]:
        gone = "chatgpt-account-id" in headers
        return (403, {"error": {"code": "invalid_workspace", "message": "gone"}}) if gone else (200, CODEX)

    credential = signed_in(chatgpt_account_id="acc-1")
    asked(answer, [credential])
    credential.refresh_from_db()
    assert credential.chatgpt_account_id == ""


def test_keys_of_the_platform_are_not_asked_for_a_plan() -> None:
    factories.make_credential()
    ProviderSetting.objects.filter(provider_id="openai").delete()
    tasks.refresh_quota()
    assert not QuotaStanding.objects.exists()


def test_a_replaced_secret_is_another_account_whose_quota_nobody_knows(monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[dict[UUID, Standing]] = []
    monkeypatch.setattr(quota_share, "tell", told.append)
    credential = factories.make_credential()
    quota_store.save({credential.pk: said(100)})
    credential.label = "another"
    credential.save()
    assert (told, quota_store.since(0)[credential.pk].usage.windows != ()) == ([], True)
    quota.note(credential.pk, said(100), is_news=True)
    credential.secret = "sk-of-another-account-0123"
    credential.save()
    assert quota_store.since(0)[credential.pk].usage.windows == ()
    quota.note(credential.pk, told[0][credential.pk])
    assert (credential.pk in quota.spent, credential.pk in quota.news) == (False, False)
