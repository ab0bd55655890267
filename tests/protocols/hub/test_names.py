"""Names of tools: what fits stays, what does not is told apart, and the way back is exact."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxx.protocols.hub.events import PartOpened, TextDelta
from proxx.protocols.hub.names import NameTable

NAMES = st.text(st.sampled_from("ab./:_-é"), min_size=1, max_size=80)


def test_a_name_that_fits_stays():
    table = NameTable()
    assert table.upstream("get_weather-2") == "get_weather-2"
    assert table.mends() == ()


@pytest.mark.parametrize("name", ["fs.read", "a/b:c", "x" * 65, "größe", ""])
def test_a_name_that_does_not_fit_is_cleaned_cut_and_marked(name):
    """D70."""
    sent = NameTable().upstream(name)
    assert re.fullmatch(r"[a-zA-Z0-9_-]{1,55}_[0-9a-f]{8}", sent)
    assert sent == NameTable().upstream(name)


def test_long_names_with_one_beginning_stay_apart():
    """D71."""
    table = NameTable()
    names = ["projects_" * 8 + end for end in ("create", "delete")]
    assert len({table.upstream(name) for name in names}) == 2


def test_a_namespace_is_flattened_and_found_again_by_the_table_alone():
    """D167."""
    table = NameTable()
    assert table.upstream("exec", "functions") == "functions__exec"
    assert table.upstream("a__b") == "a__b"
    assert table.client("functions__exec") == ("functions", "exec")
    assert table.client("a__b") == ("", "a__b")
    assert table.client("never__given") == ("", "never__given")


def test_of_two_tools_with_one_upstream_name_the_second_is_marked():
    table = NameTable()
    sent = [table.upstream("a__b"), table.upstream("b", "a"), table.upstream("x", "a__b"), table.upstream("b__x", "a")]
    assert sent[0] == "a__b"
    assert len(set(sent)) == 4
    assert [table.client(name) for name in sent] == [("", "a__b"), ("a", "b"), ("a__b", "x"), ("a", "b__x")]


@given(st.lists(st.tuples(NAMES, st.sampled_from(["", "n", "n__m"])), max_size=12), st.sampled_from([12, 64]))
def test_every_tool_has_one_fitting_name_and_comes_back(tools, longest):
    table = NameTable(re.compile(r"[a-z_][a-z0-9_-]*"), longest)
    sent = {key: table.upstream(*key) for key in tools}
    assert len(set(sent.values())) == len(sent)
    for (name, namespace), upstream in sent.items():
        assert re.fullmatch(r"[a-z_][a-z0-9_-]*", upstream)
        assert len(upstream) <= longest
        assert table.client(upstream) == (namespace, name)


def test_calls_in_the_answer_get_their_own_names_back():
    table = NameTable()
    sent = table.upstream("fs.read", "mcp")
    (mend,) = table.mends()
    events = [PartOpened(0, "text"), TextDelta(0, sent), PartOpened(1, "call", id="c", name=sent)]
    assert mend(events) == [*events[:2], PartOpened(1, "call", id="c", name="fs.read", namespace="mcp")]
    assert mend([PartOpened(2, "call", name="unknown")]) == [PartOpened(2, "call", name="unknown")]
