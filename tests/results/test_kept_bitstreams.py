import os

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from codecbench.errors import UserError
from codecbench.results import kept_bitstreams
from codecbench.results.kept_bitstreams import KeptBitstreams
from codecbench.results.run_folder import BITSTREAMS

from .records import bitstream, folder, write_bitstreams

KEYS = [(codec, "c", "s", f"u{n}") for codec in "ab" for n in range(3)]
STORED = st.builds(
    lambda key, data, seconds: bitstream(key[0], key[3], data, seconds),
    st.sampled_from(KEYS),
    st.binary(max_size=50),
    st.floats(0, 60),
)


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.lists(STORED, min_size=1, max_size=8), max_size=4),
    st.sets(st.sampled_from(KEYS)),
)
def test_what_is_kept_is_the_latest_that_was_stored(tmp_path_factory, written, wanted):
    path = folder(tmp_path_factory.mktemp("x") / "run")
    latest = {}
    for part in written:
        write_bitstreams(path, *part)
        latest.update({(item.codec, "c", "s", item.utterance): item for item in part})
    found = KeptBitstreams(path / BITSTREAMS, wanted).of(KEYS)
    assert found == {key: item for key, item in latest.items() if key in wanted}


def test_what_is_written_afterwards_is_not_looked_for(tmp_path):
    path = folder(tmp_path / "run")
    index = KeptBitstreams(path / BITSTREAMS, set(KEYS))
    write_bitstreams(path, bitstream())
    assert index.of(KEYS) == {}


def test_no_more_than_its_share_of_memory_is_held(tmp_path, monkeypatch):
    path = folder(tmp_path / "run")
    stored = [bitstream("a", f"u{n}", os.urandom(300_000)) for n in range(40)]
    write_bitstreams(path, *stored)
    monkeypatch.setattr(kept_bitstreams, "_CACHE_BYTES", 4_500_000)
    keys = [("a", "c", "s", item.utterance) for item in stored]
    index = KeptBitstreams(path / BITSTREAMS, set(keys))
    for item, key in zip(stored, keys, strict=True):
        assert index.of([key]) == {key: item}
        assert index._cached_bytes() <= 4_500_000
    assert len(index._cache) > 1


def test_a_damaged_part_is_named(tmp_path):
    path = folder(tmp_path / "run")
    part = write_bitstreams(path, bitstream())
    part.write_bytes(part.read_bytes()[:40])
    with pytest.raises(UserError, match=part.name):
        KeptBitstreams(path / BITSTREAMS, set(KEYS))
