"""Reads the parts of a data set, row group by row group."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from ..errors import UserError
from .schema import parts

if TYPE_CHECKING:
    import pyarrow as pa

T = TypeVar("T")


@contextmanager
def opened(path: Path, columns: Sequence[str], text: Sequence[str] = ()) -> Iterator[Any]:
    """Open a part for reading.

    Parameters
    ----------
    path : Path
    columns : sequence of str
        Columns that it must have.
    text : sequence of str
        Columns to read as dictionaries.

    Yields
    ------
    pyarrow.parquet.ParquetFile

    Raises
    ------
    FileNotFoundError
        If it is gone, as when another process has merged or rewritten it.
    UserError
        If it is damaged or cannot be read, also while its contents are read.
    """
    import pyarrow as pa

    try:
        with _parquet_file(path, text) as file:
            lacking = set(columns) - set(file.schema_arrow.names)
            if lacking:
                raise _damaged(path, f"it has no column {min(lacking)}")
            yield file
    except (FileNotFoundError, pa.ArrowMemoryError):
        raise
    except (pa.ArrowException, OSError) as error:
        if isinstance(error, OSError) and error.errno is not None:
            raise UserError(f"{path} cannot be read: {error.strerror or error}") from error
        raise _damaged(path, str(error)) from error


def _parquet_file(path: Path, text: Sequence[str]) -> Any:
    import pyarrow.parquet as pq

    try:
        return pq.ParquetFile(path, read_dictionary=list(text), page_checksum_verification=True)
    except KeyError as error:
        raise _damaged(path, f"it has no column {error.args[0].decode()}") from error


def _damaged(path: Path, why: str) -> UserError:
    short = " ".join(why.split())
    return UserError(
        f"{path} is damaged; delete this file and repeat the run's command: what is then missing"
        f" is computed again ({short[:120]})"
    )


def row_groups(
    paths: Sequence[Path],
    columns: Sequence[str],
    text: Sequence[str] = (),
    optional: Collection[str] = (),
) -> Iterator[tuple[Path, int, pa.Table]]:
    """Yield path, number and contents of each row group, oldest part first.

    Parameters
    ----------
    paths : sequence of Path
    columns : sequence of str
        Columns to read.
    text : sequence of str
        Columns to read as dictionaries.
    optional : collection of str
        Columns that a part may lack; they are null there.

    Raises
    ------
    FileNotFoundError, UserError
        See `opened`.
    """
    required = [name for name in columns if name not in optional]
    for path in paths:
        with opened(path, required, text) as file:
            for number in range(file.num_row_groups):
                yield path, number, read_row_group(file, number, columns)


def read_row_group(file: Any, number: int, columns: Sequence[str]) -> pa.Table:
    """Read columns of a row group, in the order named; text columns that it lacks are null."""
    import pyarrow as pa

    lacking = set(columns) - set(file.schema_arrow.names)
    table = file.read_row_group(number, columns=[name for name in columns if name not in lacking])
    for name in sorted(lacking):
        table = table.append_column(name, pa.nulls(len(table), pa.string()))
    return table.select(list(columns))


def of_all_parts(folder: Path, read: Callable[[list[Path]], T]) -> T:
    """Read a data set that another process may be merging or shortening meanwhile.

    Parameters
    ----------
    folder : Path
    read : callable
        Gets the parts, oldest first; called again if one of them has gone meanwhile.

    Raises
    ------
    UserError
        See `opened`.
    """
    while True:
        listed = _listed(folder)
        try:
            return read(listed)
        except FileNotFoundError as error:
            # Only merging and forgetting remove parts, and both end: list again, try again.
            if _listed(folder) == listed:
                raise UserError(f"{error.filename or folder} cannot be read: it is gone") from error


def _listed(folder: Path) -> list[Path]:
    """List the parts as they were at one moment.

    One listing could lack a merged part that appears behind it and also an old one that goes
    ahead of it; two in a row that agree cannot.
    """
    before, now = None, parts(folder)
    while before != now:
        before, now = now, parts(folder)
    return now
