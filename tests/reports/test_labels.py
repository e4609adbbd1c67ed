"""Short names of codecs."""

from codecbench.registry import codec_of
from codecbench.reports.labels import short_labels


def test_the_first_value_stays_and_defaults_go():
    full = codec_of("opus:kbps=24").spec
    assert short_labels([full]) == {full: "opus:kbps=24"}


def test_what_is_not_the_default_stays():
    full = codec_of("opus:kbps=12,vbr=off").spec
    assert short_labels([full])[full] == "opus:kbps=12,vbr=off"


def test_what_tells_two_apart_stays():
    specs = [codec_of(f"opus:kbps=12,complexity={value}").spec for value in (10, 3)]
    labels = short_labels(specs)
    assert list(labels.values()) == [
        "opus:kbps=12,complexity=10",
        "opus:kbps=12,complexity=3",
    ]


def test_labels_are_always_different():
    specs = [codec_of(text).spec for text in ("opus", "opus:bandwidth=nb", "opus:kbps=6", "g722")]
    assert len(set(short_labels(specs).values())) == len(specs)


def test_what_is_no_spec_or_not_installed_is_left_as_it_is():
    names = ["reference", "no-such-codec:a=1,b=2", 'odd "name']
    assert short_labels(names) == {name: name for name in names}


def test_a_long_label_gives_way_to_a_title_of_its_own():
    specs = [f"decoded:dir=/a/very/long/path/to/some/folder/{name}" for name in "ab"]
    titles = dict(zip(specs, ["EnCodec", "DAC"], strict=True))
    assert list(short_labels(specs, titles).values()) == ["decoded:EnCodec", "decoded:DAC"]
    same = dict.fromkeys(specs, "EnCodec")
    assert list(short_labels(specs, same).values()) == specs
    assert short_labels(["identity"], {"identity": "PCM 16 bit"}) == {"identity": "identity"}
