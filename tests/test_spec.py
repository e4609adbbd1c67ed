import gc
import string
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from codecbench.errors import UserError
from codecbench.spec import Spec, expand_spec, format_spec, parse_spec, split_specs

KEYS = st.text(string.ascii_lowercase, min_size=1, max_size=5)
VALUES = st.text(st.characters(exclude_categories=("Cs", "Cc")), min_size=1, max_size=20)


@given(st.dictionaries(KEYS, VALUES, max_size=4))
def test_any_value_survives_formatting_and_parsing(params):
    spec = parse_spec(format_spec("codec", params.items()))
    assert dict(spec.params) == params
    assert parse_spec(str(spec)) == spec


@given(st.lists(st.dictionaries(KEYS, VALUES, min_size=1, max_size=3), min_size=1, max_size=4))
def test_a_list_of_specs_splits_where_it_was_joined(all_params):
    specs = [format_spec(f"m{i}", params.items()) for i, params in enumerate(all_params)]
    assert [parse_spec(text) for text in split_specs(",".join(specs))] == [
        parse_spec(text) for text in specs
    ]


def test_a_sweep_expands_with_the_last_key_fastest():
    specs = [str(spec) for spec in expand_spec("c:a=1|2,b=x|y")]
    assert specs == ["c:a=1,b=x", "c:a=1,b=y", "c:a=2,b=x", "c:a=2,b=y"]


def test_a_quoted_bar_is_not_a_sweep():
    assert parse_spec('c:a="1|2"') == Spec("c", (("a", "1|2"),))


def test_a_bare_value_has_no_key():
    assert parse_spec("folder:/data/mine") == Spec("folder", (("", "/data/mine"),))


@pytest.mark.parametrize(
    "text",
    [
        "",
        ":",
        "c:",
        "c:a=",
        "c:=1",
        "c:a=1,,b=2",
        "c:a=1,",
        'c:a="1',
        "c d",
        "c:a=1,a=2",
        "c:a=1=2",
        "c:1a=2",
    ],
)
def test_malformed_specs_are_named_in_one_line(text):
    with pytest.raises(UserError) as error:
        expand_spec(text)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    "text",
    [
        "c:" + '\\"' * 30_000,
        "c:" + ",".join(f"k{number}=1|2" for number in range(5000)),
        "c:" + ",".join(f"k{number}=1" for number in range(9000)) + ",k1=2",
        "c:" + ",".join(f"k{number}=1" for number in range(9000)) + ",a=1|2",
    ],
    ids=["quotes", "sweep", "keys", "sweep-of-keys"],
)
def test_a_strangers_spec_takes_no_time(text):
    gc.collect()  # What other tests left is not counted, nor are their threads.
    start = time.thread_time()
    with pytest.raises(UserError):
        parse_spec(text)
    assert time.thread_time() - start < 1


def test_a_sweep_beyond_all_bounds_is_refused():
    with pytest.raises(UserError, match="sweep of more than 10000 specs"):
        expand_spec("c:" + ",".join(f"k{number}=1|2" for number in range(14)))


def test_parse_refuses_a_sweep():
    with pytest.raises(UserError, match="sweep of 2"):
        parse_spec("opus:kbps=6|12")
