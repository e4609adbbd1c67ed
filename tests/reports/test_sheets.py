"""Cards as text and JSON."""

import json
import math
import re
import shlex
from typing import Annotated, Literal

import numpy as np
import pydantic
import pytest

from codecbench.adapters.identity import IdentityCodec
from codecbench.adapters.pyav_coder import one_of
from codecbench.audio import Audio
from codecbench.codec import Codec, CodecCard
from codecbench.component import Component, Config, Requirement
from codecbench.errors import UserError
from codecbench.registry import (
    CODECS,
    CORPORA,
    METRICS,
    component_class,
    load_codec,
    metric_of,
    names,
)
from codecbench.reports.cards import CARD_FORMATS, markdown_body, render_card
from codecbench.reports.keys import keys_of, plain
from codecbench.reports.plain_table import render_listing
from codecbench.reports.sheets import json_ready, sheet_of, sheet_of_class
from codecbench.reports.state import state_of_name
from codecbench.spec import parse_spec


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
        "name": "size", "values": "whole number", "default": "3", "required": False,
        "meaning": "How large.",
    }  # fmt: skip
    assert (keys["fast"]["values"], keys["fast"]["default"]) == ("on | off", "off")
    assert (keys["model"]["values"], keys["model"]["default"]) == ("text", None)


class Limited(Component):
    class Config(Config):
        command: str
        """What ``sh`` runs, as ``sh``
        reads it."""
        kbps: Annotated[float, pydantic.Field(ge=6, le=64.5)] = 24.0
        hz: int | None = pydantic.Field(default=None, gt=0)
        delay: Literal["auto"] | int = "auto"
        delay_marked: Annotated[Literal["auto"] | int, pydantic.BeforeValidator(str)] = "auto"
        mode: Annotated[int, one_of(16, 24)] = 16
        label: str = pydantic.Field(default="a", min_length=1, max_length=80)
        maybe: Annotated[int, pydantic.Field(le=9)] | None = None

    name = "limited"


@pytest.mark.parametrize(
    ("key", "values"),
    [
        ("command", "text"),
        ("kbps", "number, 6 … 64.5"),
        ("hz", "whole number, > 0"),
        ("delay", "auto | whole number"),
        ("delay_marked", "auto | whole number"),
        ("mode", "16 | 24"),
        ("label", "text, at most 80 characters"),
        ("maybe", "whole number, ≤ 9"),
    ],
)
def test_keys_show_their_type_and_limits(key, values):
    assert {item["name"]: item["values"] for item in keys_of(Limited)}[key] == values


def test_no_registered_key_shows_how_python_writes_its_type():
    for kind in (CODECS, METRICS, CORPORA):
        for name in names(kind):
            for key in keys_of(component_class(kind, name)):
                assert not re.search(
                    r"Union|Annotated|Literal|None|\bint\b|\bstr\b|\[", key["values"]
                )
                assert "``" not in key["meaning"]


def test_literals_stand_between_single_backticks_on_one_line():
    key = next(keys_of(Limited))
    assert (key["required"], key["meaning"]) == (True, "What `sh` runs, as `sh` reads it.")
    assert plain("a\n  b") == "a b"


def test_what_needs_keys_is_described_without_them():
    sheet = sheet_of_class(Limited, "codec")
    assert sheet.state.needs == ("command",)
    assert sheet.example == "codecbench run --codec limited:command=COMMAND"
    assert "yes, needs keys: command" in render_card(sheet)
    assert json.loads(render_card(sheet, "json"))["needs"] == ["command"]


@pytest.mark.parametrize(
    ("kind", "name"), [(CODECS, "external"), (CODECS, "decoded"), (CORPORA, "folder")]
)
def test_examples_are_specs_that_are_valid_and_never_broken_over_lines(kind, name):
    component = component_class(kind, name)
    assert component.from_spec(parse_spec(component.example)).spec.startswith(name)
    sheet = sheet_of_class(component, "corpus" if kind == CORPORA else "codec")
    assert shlex.split(sheet.example)[-1] == component.example
    for form in ("rich", "markdown"):
        assert f"    {sheet.example}\n" in render_card(sheet, form, width=60)


def test_the_example_of_an_external_codec_codes():
    codec = load_codec(component_class(CODECS, "external").example)
    audio = Audio(np.linspace(-0.5, 0.5, 1600, dtype=np.float32), 16000)
    decoded = codec.decode(codec.encode(audio))
    np.testing.assert_allclose(decoded.samples, audio.samples, atol=1e-4)


def test_the_column_that_was_asked_for_comes_first():
    sheet = sheet_of(metric_of("pesq_nb"))
    assert sheet.columns[0].name == "pesq_nb"
    assert sheet.facts[0] == ("column", "pesq_nb (PESQ-NB)")
    whole = sheet_of(metric_of("pesq"))
    assert whole.columns[0].name == "pesq_wb"
    assert whole.facts[0][0] == "definition"


def test_a_corpus_that_is_not_here_is_not_said_to_be(tmp_path, monkeypatch):
    monkeypatch.delenv("CODECBENCH_DATA", raising=False)
    monkeypatch.setattr("platformdirs.user_cache_dir", lambda name: str(tmp_path / name))
    state = state_of_name(CORPORA, "vctk", tmp_path)
    assert "data fetch vctk" in state.unavailable
    assert state_of_name(CORPORA, "demo").note == "36 utterances"
    assert "yes, 36 utterances" in render_card(sheet_of(component_class(CORPORA, "demo")()))
    assert "data fetch vctk" in sheet_of(component_class(CORPORA, "vctk")()).state.unavailable


def test_what_is_missing_is_said():
    assert "pip install it" in sheet_of(Neural()).state.unavailable
    assert sheet_of(IdentityCodec()).state.unavailable is None


def test_a_card_for_other_machines_does_not_say_what_runs_on_this_one():
    sheet = sheet_of(Neural())
    assert "pip install it" in markdown_body(sheet)
    body = markdown_body(sheet, with_state=False)
    assert "**licence**" in body
    assert "runs here" not in body
    assert "pip install it" not in body


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
            needs = component.required_keys()
            described = sheet_of_class(component, "codec") if needs else sheet_of(component())
            for form in CARD_FORMATS:
                assert name in render_card(described, form, width=300)


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
