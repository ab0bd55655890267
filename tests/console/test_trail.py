"""The head of a page says where it stands, in the words of the menu."""

import re

import pytest
from django.urls import reverse

from proxx.settings.unfold import UNFOLD
from tests.factories import make_key, make_tenant

pytestmark = pytest.mark.django_db
MENU = [
    (group.get("title", ""), item["title"], item["link"])
    for group in UNFOLD["SIDEBAR"]["navigation"]
    for item in group["items"]
    if item["title"] != "Facts and prices"  # an entry for those only who have no page of models above it
]


def head(page: str) -> list[str]:
    """Return the steps that a page names."""
    return re.findall(r'class="px-trail"[^>]*>([^<]+)<', page)


@pytest.mark.parametrize(("group", "title", "link"), MENU, ids=[link for _, _, link in MENU])
def test_a_page_of_the_menu_is_named_as_there(console, group, title, link):
    make_tenant()  # with one alone the page of settings leads to its own at once
    page = console.get(link).content.decode()
    assert head(page) == ([group, title] if group else [title])
    assert re.search(rf"<title>\s*{title} \|", page)


@pytest.mark.parametrize(
    ("name", "steps"),
    [
        ("routing_modelexclusion", ["Where calls go", "Models", "Exclusions"]),
        ("routing_factsetting", ["Where calls go", "Models", "Facts and prices"]),
        ("analytics_alert", ["Alerts", "What was raised"]),
    ],
)
def test_a_tab_is_named_below_its_page(console, name, steps):
    assert head(console.get(reverse(f"admin:{name}_changelist")).content.decode()) == steps


def test_a_row_is_named_behind_its_list(console):
    key = make_key(label="laptop").row
    page = console.get(reverse("admin:accounts_apikey_change", args=[key.pk])).content.decode()
    assert head(page)[:2] == ["Who calls", "Keys"]
    assert "laptop" in head(page)[2]
