"""Schemas for upstreams that take only a part of JSON Schema."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxx.protocols.hub.errors import Inexpressible
from proxx.protocols.hub.schemas import cleaned, closed, qualifies_strict, rooted
from proxx.protocols.hub.schemas.clean import _FORMATS, _KEPT

ALLOWED = _KEPT | {"type", "format", "enum", "items", "properties", "required", "anyOf"}

LEAVES = st.sampled_from(
    [
        {"type": "string"},
        {"type": ["string", "null"]},
        {"const": 3},
        {"enum": [1, None]},
        {"$ref": "#"},
        {"$ref": "#/nowhere"},
        {"type": "integer", "exclusiveMinimum": 0},
        True,
    ]
)
SCHEMAS = st.recursive(
    LEAVES,
    lambda inner: st.one_of(
        st.fixed_dictionaries({"type": st.just("object"), "properties": st.dictionaries(st.text(max_size=3), inner)}),
        st.fixed_dictionaries({"type": st.just("array"), "items": inner}),
        st.fixed_dictionaries({"anyOf": st.lists(inner, max_size=3)}),
        st.fixed_dictionaries({"allOf": st.lists(inner, max_size=3)}),
        st.fixed_dictionaries({"oneOf": st.lists(inner, max_size=3), "not": inner}),
    ),
    max_leaves=12,
).filter(lambda schema: isinstance(schema, dict))


def _nodes(schema):
    yield schema
    for one in [*schema.get("properties", {}).values(), *schema.get("anyOf", ())]:
        yield from _nodes(one)
    if "items" in schema:
        yield from _nodes(schema["items"])


@given(SCHEMAS)
def test_a_cleaned_schema_holds_only_what_gemini_allows(schema):
    """D63."""
    for node in _nodes(cleaned(schema)[0]):
        assert set(node) <= ALLOWED
        assert node.get("type", "STRING") in {"STRING", "NUMBER", "INTEGER", "BOOLEAN", "ARRAY", "OBJECT"}
        assert node.get("format", "enum") in {"enum"}.union(*_FORMATS.values())
        assert all(isinstance(value, str) for value in node.get("enum", ()))


def test_removed_constraints_are_said_in_the_description():
    """D63."""
    schema, lost = cleaned({"type": "integer", "description": "Age.", "exclusiveMinimum": 0, "multipleOf": 5})
    assert schema == {
        "type": "INTEGER",
        "description": 'Age.\nMust also satisfy: {"exclusiveMinimum":0,"multipleOf":5}',
    }
    assert lost == ("exclusiveMinimum", "multipleOf")


def test_references_are_followed_with_their_siblings_and_end_somewhere():
    """D64."""
    node = {"type": "object", "properties": {"next": {"$ref": "#/$defs/n", "description": "the next"}}}
    found = cleaned({"$ref": "#/$defs/n", "$defs": {"n": node}})[0]
    depth = 0
    while "properties" in found:
        found, depth = found["properties"]["next"], depth + 1
        assert found["description"] == "the next"
    assert depth == 5
    assert found["type"] == "OBJECT"


def test_references_that_multiply_stay_small():
    two = {"anyOf": [{"$ref": "#/$defs/a"}] * 40}
    assert len(str(cleaned({**two, "$defs": {"a": two}})[0])) < 1_000_000


@pytest.mark.parametrize(
    ("schema", "clean"),
    [
        ({"type": ["string", "null"]}, {"type": "STRING", "nullable": True}),
        ({"anyOf": [{"type": "integer"}, {"type": "null"}]}, {"type": "INTEGER", "nullable": True}),
        ({"enum": ["a", None]}, {"type": "STRING", "enum": ["a"], "nullable": True}),
        ({"const": "a"}, {"type": "STRING", "enum": ["a"]}),
        ({"type": ["string", "integer"]}, {"anyOf": [{"type": "STRING"}, {"type": "INTEGER"}]}),
        ({"type": "string", "format": "date-time"}, {"type": "STRING", "format": "date-time"}),
        ({"type": "object", "properties": {}}, {"type": "OBJECT"}),
        ({"type": "array"}, {"type": "ARRAY", "items": {"type": "STRING"}}),
        (
            {"type": "object", "properties": {"a": {"type": "string"}}, "required": ["a", "b"]},
            {"type": "OBJECT", "properties": {"a": {"type": "STRING"}}, "required": ["a"]},
        ),
        (
            {"allOf": [{"type": "object", "properties": {"a": {"type": "string"}}}, {"required": ["a"]}]},
            {"type": "OBJECT", "properties": {"a": {"type": "STRING"}}, "required": ["a"]},
        ),
    ],
)
def test_types_null_and_enums_take_geminis_form(schema, clean):
    """D65."""
    assert cleaned(schema)[0] == clean


def test_a_numeric_enum_becomes_text_and_says_so():
    """D65."""
    schema, lost = cleaned({"type": "integer", "enum": [1, 2]})
    assert schema == {"type": "STRING", "enum": ["1", "2"], "description": 'Must also satisfy: {"enum":[1,2]}'}
    assert lost == ("enum",)


@pytest.mark.parametrize("schema", [None, {}, {"type": "object"}])
def test_a_missing_schema_is_an_empty_object(schema):
    """D68."""
    assert rooted(schema) == {"type": "object", "properties": {}}


def test_a_root_that_is_an_object_stays_the_very_same():
    schema = {"type": "object", "properties": {"a": {"anyOf": [{}]}}, "x": 1}
    assert rooted(schema) is schema


def test_a_choice_of_objects_becomes_one_object():
    """D69."""
    one = {"type": "object", "properties": {"a": {"type": "string"}, "b": {}}, "required": ["a", "b"]}
    two = {"$ref": "#/$defs/two"}
    defs = {"two": {"type": "object", "properties": {"a": {"type": "string"}, "c": {}}, "required": ["a"]}}
    whole = rooted({"oneOf": [one, two], "$defs": defs})
    assert whole["type"] == "object"
    assert set(whole["properties"]) == {"a", "b", "c"}
    assert whole["required"] == ["a"]
    assert '"required":["a","b"]' in whole["description"]
    assert "oneOf" not in whole


def test_all_of_at_the_root_is_merged():
    """D69."""
    whole = rooted(
        {"allOf": [{"properties": {"a": {}}, "required": ["a"]}, {"properties": {"b": {}}, "required": ["b"]}]}
    )
    assert whole == {"type": "object", "properties": {"a": {}, "b": {}}, "required": ["a", "b"]}


@pytest.mark.parametrize(
    "schema",
    [
        {"type": "string"},
        {"anyOf": [{"type": "object"}, {"type": "string"}]},
        {"$ref": "#/nowhere"},
        {"$ref": "#"},
        {"anyOf": [{"$ref": "#"}, {"$ref": "#"}]},
    ],
)
def test_a_root_that_is_no_object_is_refused_by_name(schema):
    """D69."""
    with pytest.raises(Inexpressible) as refusal:
        rooted(schema, field="tools[0].parameters")
    assert refusal.value.param == "tools[0].parameters"


def test_a_closed_schema_closes_every_object_and_says_the_rest_in_words():
    """D77."""
    inner = {"type": "object", "properties": {"n": {"type": "integer", "minimum": 1}}, "additionalProperties": True}
    schema = {"type": "object", "properties": {"list": {"type": "array", "items": inner, "minItems": 3}}}
    whole = closed(schema)
    items = whole["properties"]["list"]["items"]
    assert whole["additionalProperties"] is items["additionalProperties"] is False
    assert items["properties"]["n"] == {"type": "integer", "description": 'Must also satisfy: {"minimum":1}'}
    assert whole["properties"]["list"]["description"] == 'Must also satisfy: {"minItems":3}'
    assert inner["additionalProperties"] is True


@pytest.mark.parametrize(
    ("keyword", "stays"),
    [
        ({"format": "date"}, True),
        ({"format": "card-number"}, False),
        ({"pattern": "^[a-z]{2}$"}, True),
        ({"pattern": "(?=a)"}, False),
        ({"minLength": 1}, False),
    ],
)
def test_a_closed_schema_keeps_the_keywords_that_are_taken(keyword, stays):
    schema = closed({"type": "object", "properties": {"a": {"type": "string", **keyword}}})
    assert (keyword.items() <= schema["properties"]["a"].items()) is stays


GOOD = {
    "type": "object",
    "properties": {"a": {"type": ["string", "null"]}, "b": {"type": "array", "items": {"$ref": "#/$defs/c"}}},
    "required": ["a", "b"],
    "additionalProperties": False,
    "$defs": {"c": {"type": "object", "properties": {}, "required": [], "additionalProperties": False}},
}


def test_a_schema_that_qualifies_for_strict_is_known():
    """D66."""
    assert qualifies_strict(GOOD)


@pytest.mark.parametrize(
    "change",
    [
        {"required": ["a"]},
        {"additionalProperties": True},
        {"type": "array"},
        {"patternProperties": {}},
        {"properties": {"a": {"type": "string", "default": "x"}, "b": {"type": "string"}}},
        {"properties": {"a": {}, "b": {"type": "string"}}},
        {"properties": {"a": {"type": "object"}, "b": {"type": "string"}}},
        {"properties": {"a": {"type": "array"}, "b": {"type": "string"}}},
    ],
)
def test_a_schema_that_does_not_qualify_for_strict_is_known(change):
    """D66."""
    assert not qualifies_strict({**GOOD, **change})


def test_schemas_of_any_depth_end():
    deep: dict = {"type": "object"}
    for _ in range(400):
        deep = {"type": "object", "properties": {"a": deep}}
    assert cleaned(deep)[1] == ("depth",)
    assert not qualifies_strict(deep)
    with pytest.raises(Inexpressible):
        closed(deep)


@given(SCHEMAS)
def test_no_schema_makes_the_others_stumble(schema):
    qualifies_strict(schema)
    for edit in (rooted, closed):
        with suppress(Inexpressible):
            assert edit(schema)["type"] == "object"
