"""Operators from the command line: no password that anybody could know beforehand."""

import re
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from accounts.models import Operator, Tenant
from accounts.signin import second_factor
from tests.signin.conftest import PASSWORD

pytestmark = pytest.mark.django_db


def run(*command, **options):
    said = StringIO()
    call_command(*command, stdout=said, **options)
    return re.search(r"password: (\S+)", said.getvalue())[1]


def test_an_operator_is_made_with_a_random_password_and_a_role():
    password = run("create_operator", "lee", email="lee@example.com", role="auditor")
    lee = Operator.objects.get(username="lee")
    assert len(password) == 20
    assert lee.check_password(password)
    assert (lee.is_staff, lee.is_superuser) == (True, False)
    assert list(lee.memberships.values_list("role", flat=True)) == ["auditor"]
    assert run("create_operator", "max") != password


def test_a_role_of_a_tenant_needs_its_tenant_and_without_it_nobody_is_made():
    with pytest.raises(CommandError, match="tenant"):
        run("create_operator", "lee", role="tenant_admin")
    with pytest.raises(CommandError, match="no tenant nowhere"):
        run("create_operator", "lee", role="tenant_admin", tenant="nowhere")
    assert not Operator.objects.filter(username="lee").exists()
    Tenant.objects.create(slug="acme", name="Acme")
    run("create_operator", "lee", role="tenant_admin", tenant="acme")
    assert Operator.objects.get(username="lee").memberships.get().tenant.slug == "acme"


def test_a_name_is_taken_once(kim):
    with pytest.raises(CommandError, match="already exists"):
        run("create_operator", "kim")


def test_a_reset_gives_a_new_password_and_ends_all_sign_ins(client, sign_in, kim):
    sign_in()
    new = run("reset_sign_in", "kim")
    kim.refresh_from_db()
    assert kim.check_password(new)
    assert not kim.check_password(PASSWORD)
    assert client.get("/console/account/").status_code == 302


def test_a_reset_takes_second_factors_away_only_if_told_to(kim):
    second_factor.new_codes(kim)
    run("reset_sign_in", "kim")
    assert second_factor.codes_left(kim) == 10
    run("reset_sign_in", "kim", second_factors=True)
    assert second_factor.codes_left(kim) is None


def test_nobody_is_reset_who_is_not_there():
    with pytest.raises(CommandError, match="no operator nobody"):
        run("reset_sign_in", "nobody")
