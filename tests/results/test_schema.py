import time

import pytest

from codecbench.results.run_folder import ROWS
from codecbench.results.schema import part_number, parts, write_table_part

from .records import folder, row, rows_schema, values, write_rows


@pytest.mark.parametrize("step", [-3600, 0, 3600])
def test_the_latest_part_counts_whatever_the_clock_says(tmp_path, monkeypatch, step):
    path = folder(tmp_path / "run")
    now = time.time_ns()
    for number in range(12):
        monkeypatch.setattr(time, "time_ns", lambda n=number: now + n * step * 10**9)
        write_rows(path, row(value=float(number)))
        assert values(path) == {("a", "u0", "stoi"): float(number)}


def test_parts_named_by_the_time_are_older_than_all_written_after_them(tmp_path):
    path = folder(tmp_path / "run")
    first = write_rows(path, row(value=1.0))
    old = first.with_name(f"part-{time.time_ns():020d}-0badcafe.parquet")
    first.rename(old)
    new = write_rows(path, row(value=2.0))
    assert part_number(new) == part_number(old) + 1
    assert parts(path / ROWS) == [old, new]
    assert values(path) == {("a", "u0", "stoi"): 2.0}


def test_an_interrupted_part_is_not_there(tmp_path):
    path = folder(tmp_path / "run")

    def tables():
        raise KeyboardInterrupt
        yield

    with pytest.raises(KeyboardInterrupt):
        write_table_part(path / ROWS / "part-1-x.parquet", tables(), rows_schema())
    assert list((path / ROWS).iterdir()) == []
