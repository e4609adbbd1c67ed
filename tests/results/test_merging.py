import os
import signal
import subprocess
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from codecbench.errors import UserError
from codecbench.results import merging
from codecbench.results.kept_bitstreams import KeptBitstreams
from codecbench.results.run_folder import BITSTREAMS, ROWS
from codecbench.results.schema import parts
from codecbench.results.writer import compact

from .records import bitstream, folder, row, values, write_bitstreams, write_rows

MANY = merging.MERGE_ABOVE_PARTS + 1
UTTERANCES = [f"u{n}" for n in range(4)]


def kept(path):
    keys = {(codec, "c", "s", name) for codec in "ab" for name in UTTERANCES}
    found = KeptBitstreams(path / BITSTREAMS, keys).of(sorted(keys))
    return {key: (item.data, item.seconds) for key, item in found.items()}


def fill(path, written):
    for number, utterances in enumerate(written):
        write_rows(path, *[row(utterance=name, value=float(number)) for name in utterances])
        write_bitstreams(
            path, *[bitstream(utterance=name, data=b"%d" % number) for name in utterances]
        )


PARTS = st.lists(
    st.lists(st.sampled_from(UTTERANCES), min_size=1, max_size=4),
    min_size=MANY,
    max_size=MANY + 3,
)


@settings(max_examples=10, deadline=None)
@given(PARTS, st.sampled_from([merging.PART_BYTES, 20_000]))
def test_merging_changes_nothing(tmp_path_factory, written, part_bytes):
    path = folder(tmp_path_factory.mktemp("x") / "run")
    fill(path, written)
    before = values(path), kept(path)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(merging, "PART_BYTES", part_bytes)
        patch.setattr(merging, "MERGE_ABOVE_PARTS", 2)
        compact(path)
    for kind in (ROWS, BITSTREAMS):
        count = len(parts(path / kind))
        assert count == 1 if part_bytes > 20_000 else count < len(written)
    assert (values(path), kept(path)) == before
    write_rows(path, row(utterance="u0", value=99.0))
    assert values(path) == before[0] | {("a", "u0", "stoi"): 99.0}


def test_few_parts_are_left_alone(tmp_path):
    path = folder(tmp_path / "run")
    fill(path, [["u0"]] * (MANY - 1))
    compact(path)
    assert len(parts(path / ROWS)) == len(parts(path / BITSTREAMS)) == MANY - 1


def test_large_parts_are_not_rewritten(tmp_path, monkeypatch):
    path = folder(tmp_path / "run")
    large = write_bitstreams(path, bitstream(utterance="large", data=os.urandom(60_000)))
    fill(path, [["u0"]] * MANY)
    monkeypatch.setattr(merging, "PART_BYTES", large.stat().st_size)
    before = large.stat().st_ino, large.stat().st_mtime_ns
    compact(path)
    assert (large.stat().st_ino, large.stat().st_mtime_ns) == before
    assert len(parts(path / BITSTREAMS)) <= 3


COMMAND = """
import os, signal, sys
from pathlib import Path
from codecbench.results.writer import compact
left = int(sys.argv[2])
plain = Path.{call}
def counted(self, *arguments, **options):
    global left
    if {when}:
        left -= 1
        if left < 0:
            os.kill(os.getpid(), signal.SIGKILL)
    return plain(self, *arguments, **options)
Path.{call} = counted
compact(Path(sys.argv[1]))
"""


@pytest.mark.parametrize(
    ("call", "when", "after"),
    [("replace", "True", 0), ("replace", "True", 1)]
    + [("unlink", "self.name.startswith('part-')", after) for after in (0, 1, MANY - 1, MANY + 3)],
)
def test_killed_while_merging_changes_nothing(tmp_path, call, when, after):
    path = folder(tmp_path / "run")
    fill(path, [UTTERANCES[number % 3 :] for number in range(MANY)])
    before = values(path), kept(path)
    code = COMMAND.format(call=call, when=when)
    killed = subprocess.run([sys.executable, "-c", code, str(path), str(after)])
    assert killed.returncode == -signal.SIGKILL
    assert (values(path), kept(path)) == before
    compact(path)
    assert (values(path), kept(path)) == before


@pytest.mark.parametrize("kind", [ROWS, BITSTREAMS])
def test_a_damaged_part_stops_merging_before_anything_is_removed(tmp_path, kind):
    path = folder(tmp_path / "run")
    fill(path, [["u0"]] * MANY)
    damaged = parts(path / kind)[3]
    damaged.write_bytes(damaged.read_bytes()[:-9])
    before = parts(path / kind)
    with pytest.raises(UserError, match=damaged.name):
        compact(path)
    assert parts(path / kind) == before
    assert not list((path / kind).glob(".tmp-*"))
