"""Cards as text and JSON."""

import json
import math

import pytest

from codecbench.adapters.identity import IdentityCodec
from codecbench.codec import Codec, CodecCard
from codecbench.component import Config, Requirement
from codecbench.errors import UserError
from codecbench.registry import CODECS, CORPORA, component_class, names
from codecbench.reports.cards import CARD_FORMATS, render_card, render_listing
from codecbench.reports.sheets import json_ready, keys_of, sheet_of


class Neural(Codec):
    class Config(Config):
        size: int = 3
        """How large."""
        fast: bool = False
        model: str | None = None

    name = "neural"
    requirements = (Requirement("module", "no_such_module", "pip install it"),)

    @property
    def card(self):
        return CodecCard(
            name="neural",
            title="[red]| Neural",
            description="Learned & <b>bold</b>.",
            licence="MIT",
            sample_rate=16000,
            frame_rate=75.0,
            codebook_sizes=(1024, 512),
            delay_samples=None,
            algorithmic_latency_ms=math.inf,
            parameters=1_234_567,
            weights="nano",
            training_speakers=frozenset({("librispeech", "19")}),
            notes=("an anchor",),
        )

    def encode(self, audio):
        raise NotImplementedError

    def decode(self, bitstream):
        raise NotImplementedError


def test_a_codec_is_described_in_words():
    facts = dict(sheet_of(Neural()).facts)
    assert facts["codebooks"] == "1024 + 512 entries"
    assert facts["delay"] == "not known; a run estimates one for the codec"
    assert facts["algorithmic latency"] == "the whole utterance"
    assert facts["parameters"] == "1,234,567"
    assert facts["training speakers"] == "1 of registered corpora"
    assert facts["note"] == "an anchor"


def test_a_delay_is_given_in_samples_and_milliseconds():
    sheet = sheet_of(component_class(CODECS, "amr-nb")())
    samples = sheet.card["delay_samples"]
    expected = f"{samples} samples ({1000 * samples / 8000:.2f} ms)"
    assert dict(sheet.facts)["delay"] == expected


def test_keys_show_values_default_and_meaning():
    keys = {key["name"]: key for key in keys_of(Neural)}
    assert keys["size"] == {
        "name": "size", "values": "whole number", "default": "3", "meaning": "How large."
    }  # fmt: skip
    assert (keys["fast"]["values"], keys["fast"]["default"]) == ("on | off", "off")
    assert (keys["model"]["values"], keys["model"]["default"]) == ("text", None)


def test_what_is_missing_is_said():
    assert "pip install it" in sheet_of(Neural()).unavailable
    assert sheet_of(IdentityCodec()).unavailable is None


def test_json_has_no_nan_and_no_infinity():
    document = json.loads(render_card(sheet_of(Neural()), "json"), parse_constant=pytest.fail)
    assert document["card"]["algorithmic_latency_ms"] == "inf"
    assert document["card"]["training_speakers"] == ["librispeech:19"]
    assert json_ready({"a": (math.nan, -math.inf, frozenset({"b"}))}) == {
        "a": [None, "-inf", ["b"]]
    }


def test_names_are_no_markup():
    assert "[red]| Neural" in render_card(sheet_of(Neural()), "rich", color=True)
    markdown = render_card(sheet_of(Neural()), "markdown")
    assert r"\[red\]\| Neural" in markdown
    assert "<b>" not in markdown.replace(r"\<b\>", "")


@pytest.mark.parametrize("kind", CARD_FORMATS)
@pytest.mark.parametrize("name", ["bitrate", "delay", "stoi"])
def test_metrics_show_their_definition_and_columns(kind, name):
    metric = component_class("metrics", name)()
    text = render_card(sheet_of(metric), kind, width=10_000)
    for column in metric.columns:
        assert column.name.replace("_", r"\_" if kind == "markdown" else "_") in text
    assert metric.card.definition.split()[0] in text


def test_every_codec_and_corpus_has_a_card():
    for kind in (CODECS, CORPORA):
        for name in names(kind):
            component = component_class(kind, name)
            if any(field.is_required() for field in component.Config.model_fields.values()):
                continue
            for form in CARD_FORMATS:
                assert name in render_card(sheet_of(component()), form, width=300)


def test_listings_wrap_and_never_cut():
    long = "a" * 200
    text = render_listing(("name", "text"), [("x", long)], width=60)
    assert text.count("a") - "name".count("a") == 200
    assert max(map(len, text.splitlines())) <= 60


def test_what_cannot_be_described_is_refused():
    with pytest.raises(UserError, match="unknown format"):
        render_card(sheet_of(IdentityCodec()), "pdf")
    with pytest.raises(TypeError, match="not str"):
        sheet_of("opus")
