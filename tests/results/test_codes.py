import numpy as np
import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from codecbench.results.codes import Codes, joined_keys, last_of_equal

TEXTS = st.lists(st.none() | st.text(max_size=3), max_size=30)


@given(st.lists(TEXTS, max_size=4), st.booleans())
def test_texts_come_back(chunks, encoded):
    arrays = [pa.array(chunk, pa.string()) for chunk in chunks]
    if encoded:
        arrays = [array.dictionary_encode() for array in arrays]
    kind = pa.dictionary(pa.int32(), pa.string()) if encoded else pa.string()
    codes = Codes()
    numbers = codes.of(pa.chunked_array(arrays, kind))
    assert codes.strings()[numbers].tolist() == [text for chunk in chunks for text in chunk]
    assert len(codes.texts) == len(set(codes.texts))
    ascending = sorted(codes.texts)
    assert [ascending[rank] for rank in codes.ranks()] == codes.texts


@given(
    st.lists(st.tuples(*[st.integers(0, 2)] * 4), max_size=40),
    st.sampled_from([3, 10**6, 2**40]),
)
def test_keys_sort_as_tuples_do_however_large_the_columns(rows, count):
    table = np.array(rows, np.int64).reshape(-1, 4)
    keys = joined_keys([(table[:, column], count) for column in range(4)])
    order = last_of_equal(keys)
    expected = {row: position for position, row in enumerate(rows)}
    assert order.tolist() == [expected[row] for row in sorted(expected)]
