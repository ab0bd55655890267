"""Names that a provider's list does not have, where the list is not all there is."""

from dataclasses import replace

from proxx.kit import clock
from routing import planner
from tests.routing.pictures import TENANT, catalog, credential, picture


def test_an_account_may_have_what_its_list_does_not_name() -> None:
    lists = {"openai": replace(catalog("gpt-x"), is_whole=False), "vivgrid": catalog("gpt-y")}
    snapshot = picture(credential("openai"), credential("vivgrid"), catalogs=lists)
    plan = planner.plan(model="gpt-y", dialect="openai_chat", tenant=TENANT, snapshot=snapshot, now=clock.monotonic())
    assert [candidate.provider.id for candidate in plan.candidates] == ["vivgrid", "openai"]
