"""Every registered codec obeys every law."""

import pytest

from codecbench.bitstream import Bitstream, Packet
from codecbench.errors import BitstreamError
from codecbench.registry import CODECS, names

from .codec_laws import LAWS, Case, law_name
from .codec_specs import SPECS, STANDARD_FRAMES

ALL_SPECS = [spec for name in names(CODECS) for spec in SPECS.get(name, (name,))]


@pytest.fixture(scope="module", params=ALL_SPECS)
def case(request):
    return Case.of(request.param)


@pytest.mark.parametrize("law", LAWS, ids=law_name)
def test_law(case, law):
    law(case)


def test_every_row_of_the_table_names_a_registered_codec():
    assert set(SPECS) <= set(names(CODECS))
    assert set(STANDARD_FRAMES) <= set(ALL_SPECS)


@pytest.mark.parametrize("cut", [0, 1, 3, 4, 7, 10, 25, -5, -1])
def test_a_cut_off_container_is_refused(cut):
    data = Bitstream("identity", 4, 8_000, (Packet.whole(b"12345678"),)).to_bytes()
    with pytest.raises(BitstreamError):
        Bitstream.from_bytes(data[:cut])


def test_any_flipped_bit_of_a_container_is_noticed():
    data = Bitstream("identity", 4, 8_000, (Packet.whole(b"12345678"),)).to_bytes()
    for position in range(8 * len(data)):
        flipped = bytearray(data)
        flipped[position // 8] ^= 1 << position % 8
        with pytest.raises(BitstreamError):
            Bitstream.from_bytes(bytes(flipped))
