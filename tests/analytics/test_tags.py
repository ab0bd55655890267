"""Words on calls: who may put them there, which they may be, and that it is in the audit."""

import json

import pytest
from django.urls import reverse

from accounts.models import AuditEntry
from accounts.rights import Role
from analytics import retention, tags
from analytics.models import CallTag, RequestLog
from analytics.rows import insert
from proxx.kit import clock
from tests import factories
from tests.analytics.records import record

pytestmark = pytest.mark.django_db


def stored(**changes):
    insert([call := record(**changes)])
    return RequestLog.objects.get(pk=call.id)


def words(call):
    return [tag.tag for tag in tags.of([call])[call.id]]


def send(client, call, **said):
    return client.post(reverse("admin:analytics_requestlog_tags", args=[call.pk]), said, follow=True)


def test_a_tag_is_added_once_and_removed(tenant):
    call = stored(tenant_id=tenant.id)
    tags.add(call, "  look   here ")
    tags.add(call, "look here")
    assert words(call) == ["look here"]
    assert tags.remove(call, "look here")
    assert not tags.remove(call, "look here")
    assert words(call) == []
    told = AuditEntry.objects.filter(object_id=str(call.pk)).order_by("sequence")
    assert [(one.action, one.tenant_id) for one in told] == [("tagged", tenant.id), ("untagged", tenant.id)]
    assert json.loads(told[0].changes) == {"tag": [None, "look here"]}


@pytest.mark.parametrize("word", ["", "   ", "a" * 65, "a\x00b", "rate_limited", "provider:openai"])
def test_what_is_no_word_or_is_one_of_ours_is_refused(word):
    call = stored()
    with pytest.raises(tags.NotATag):
        tags.add(call, word)
    assert words(call) == []


def test_a_call_has_so_many_tags_at_most():
    call = stored()
    for number in range(tags.MOST_TAGS):
        tags.add(call, f"tag {number}")
    with pytest.raises(tags.NotATag, match="at most"):
        tags.add(call, "one more")


def test_tags_of_the_last_week_are_counted_for_those_who_may_see_them():
    own, other = factories.make_tenant(), factories.make_tenant()
    for tenant, ago, word in ((own, 0, "a"), (own, 1, "a"), (other, 0, "b"), (own, 8 * 86400, "old")):
        tags.add(stored(tenant_id=tenant.pk, at=clock.unix() - ago), word)
    assert tags.counts(None) == {"a": 2, "b": 1}
    assert tags.counts(frozenset({other.pk})) == {"b": 1}


def test_tags_go_with_their_calls():
    old = clock.unix() - (retention.KEEP["log"].days + 1) * 86400
    tags.add(stored(at=old), "old")
    tags.add(stored(), "new")
    retention.prune()
    assert [tag.tag for tag in CallTag.objects.all()] == ["new"]


def test_an_operator_tags_on_the_page_and_reads_why_not(client):
    client.force_login(factories.make_operator(role=Role.OPERATOR, password=None))
    call = stored()
    assert "look here" in send(client, call, add="look here").content.decode()
    assert "says by itself" in send(client, call, add="success").content.decode()
    send(client, call, remove="look\x00here")  # Postgres would not even hear of it
    send(client, call, remove="look here")
    assert words(call) == []


def test_who_only_looks_cannot_tag(client):
    tenant = factories.make_tenant()
    client.force_login(factories.make_operator(role=Role.TENANT_MEMBER, tenant=tenant, password=None))
    call = stored(tenant_id=tenant.pk)
    assert send(client, call, add="look here").status_code == 403
    page = client.get(reverse("admin:analytics_requestlog_change", args=[call.pk])).content.decode()
    assert "Add a tag" not in page


def test_a_call_of_another_tenant_is_not_there_to_be_tagged(client):
    own, other = factories.make_tenant(), factories.make_tenant()
    client.force_login(factories.make_operator(role=Role.TENANT_ADMIN, tenant=own, password=None))
    assert send(client, stored(tenant_id=other.pk), add="mine").status_code == 404
    assert send(client, stored(tenant_id=own.pk), add="mine").status_code == 200
