"""Names of files for what strangers call things."""

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from codecbench.files import readable_name, safe_name, write_text_atomic

HOSTILE = st.text(max_size=300) | st.sampled_from(
    ["..", "../../etc/passwd", "a\0b", "\ud800", "CON"]
)


@given(st.lists(HOSTILE, min_size=1, max_size=3))
def test_a_readable_name_is_one_harmless_name(parts):
    name = readable_name(*parts)
    assert name.isascii()
    assert name.replace("-", "").replace("_", "").isalnum()
    assert not name.startswith("-")
    assert Path(name).name == name
    assert len(name) <= 61
    assert name.endswith(safe_name(*parts))


@given(st.lists(HOSTILE, min_size=1, max_size=3), st.lists(HOSTILE, min_size=1, max_size=3))
def test_other_parts_have_other_names_whatever_the_case(one, other):
    assert (readable_name(*one).lower() == readable_name(*other).lower()) == (one == other)


def test_the_end_of_the_list_can_be_read():
    assert readable_name("demo", "test", "en/alice 01").startswith("en-alice-01-")


@pytest.mark.parametrize("name", [".", "none/file.txt"])
def test_an_error_names_the_file_that_was_asked_for(tmp_path, name):
    (tmp_path / "none").touch()
    path = tmp_path / name
    with pytest.raises(OSError, match=re.escape(str(tmp_path))) as raised:
        write_text_atomic(path, "text")
    assert ".tmp-" not in str(raised.value)
    assert not list(tmp_path.parent.glob(".tmp-*"))
