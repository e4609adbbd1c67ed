import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from codecbench.bits import bits_for, pack, unpack
from codecbench.errors import BitstreamError

WIDTHS = st.lists(st.integers(0, 63), max_size=50)


@given(WIDTHS, st.data())
def test_packing_is_undone_and_costs_exactly_its_bits(widths, data):
    values = [data.draw(st.integers(0, (1 << width) - 1)) for width in widths]
    packed = pack(values, widths)
    assert len(packed) == -(-sum(widths) // 8)
    assert unpack(packed, widths).tolist() == values


def test_the_most_significant_bit_comes_first():
    assert pack([1, 0b10], [1, 2]) == bytes([0b1_10_00000])


@pytest.mark.parametrize(("size", "bits"), [(1, 0), (2, 1), (1024, 10), (1025, 11)])
def test_bits_for_a_codebook(size, bits):
    assert bits_for(size) == bits


@pytest.mark.parametrize("value", [-1, 4])
def test_a_value_that_does_not_fit_is_refused(value):
    with pytest.raises(BitstreamError, match="does not fit"):
        pack([value], [2])


def test_too_short_data_is_refused():
    with pytest.raises(BitstreamError, match="8 bits where 10 are needed"):
        unpack(b"\x00", [10])


def test_packing_does_not_depend_on_the_input_type():
    assert pack(np.array([3, 5], np.uint8), [4, 4]) == pack([3, 5], [4, 4])
