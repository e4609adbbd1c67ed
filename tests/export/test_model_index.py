"""Model cards: read back with huggingface_hub, and nothing of an existing card is lost."""

import huggingface_hub as hub
import pytest
import yaml
from huggingface_hub.repocard_data import eval_results_to_model_index, model_index_to_eval_results

from codecbench.errors import UserError
from codecbench.export.model_card import update_card
from codecbench.export.model_index import model_card, model_index_of
from codecbench.export.selection import Selection

from .made_run import MULAW, OPUS, make

CARD = """---
license: mit
tags:
- speech
model-index:
- name: My codec
  results:
  - task:
      type: automatic-speech-recognition
    dataset:
      name: Common Voice
      type: common_voice
    metrics:
    - type: wer
      value: 20.0
      verified: true
      verifyToken: abc
    source:
      name: elsewhere
      url: https://example.org
---

# A codec – with text
"""


def opus(run, **options):
    return Selection.of(run, codecs=["opus"], **options)


@pytest.fixture
def card(tmp_path):
    path = tmp_path / "README.md"
    path.write_text(CARD, encoding="utf-8")
    return path


def read(path):
    return hub.metadata_load(path)


def test_values_are_the_tables(run, tmp_path):
    path = tmp_path / "README.md"
    path.write_text(model_card(model_index_of(opus(run))), encoding="utf-8")
    name, results = model_index_to_eval_results(read(path)["model-index"])
    assert name == "opus"
    assert len(results) == len(OPUS) * 2
    table = run.table(codecs=OPUS)
    for result in results:
        cell = table.cell(result.metric_config, result.metric_type)
        assert result.metric_value == cell.value
        args = result.metric_args
        assert (args["low"], args["high"], args["n"]) == (cell.low, cell.high, cell.n)
        assert args["failures"] == cell.failures
        assert args["kbps"] == table.cell(result.metric_config, "kbps").value
        assert args["codec_identity"] == run.manifest.codecs[result.metric_config].identity
        assert result.verified is False
    assert hub.ModelCard.load(path).data.eval_results == results


def test_rates_of_a_sweep_are_told_apart(run):
    _, results = model_index_to_eval_results(model_index_of(opus(run, metrics=["stoi"])))
    names = [result.metric_name for result in results]
    assert names == ["STOI at 6 kbit/s", "STOI at 12 kbit/s", "STOI at 24 kbit/s"]
    assert [result.metric_config for result in results] == OPUS
    counted = [run.table(codecs=OPUS).cell(codec, "kbps").value for codec in OPUS]
    assert [result.metric_args["kbps"] for result in results] == counted
    _, (one,) = model_index_to_eval_results(
        model_index_of(Selection.of(run, codecs=["mulaw"], metrics=["stoi"]))
    )
    assert one.metric_name == "STOI"


def test_the_data_are_named_and_pinned(run, tmp_path):
    _, results = model_index_to_eval_results(model_index_of(opus(run), source_url="https://x.org"))
    first = results[0]
    assert (first.dataset_type, first.dataset_name) == ("librispeech", "LibriSpeech")
    assert first.dataset_split == "test-clean+test-other"
    assert (first.source_name, first.source_url) == ("codecbench", "https://x.org")
    other = make(tmp_path / "other", sha256="b" * 64)
    _, others = model_index_to_eval_results(model_index_of(opus(other)))
    assert first.dataset_revision != others[0].dataset_revision
    _, parts = model_index_to_eval_results(model_index_of(opus(run, by=("corpus", "split"))))
    revisions = {result.dataset_split: result.dataset_revision for result in parts}
    assert set(revisions) == {"test-clean", "test-other"}
    assert len({*revisions.values(), first.dataset_revision}) == 3


def test_training_speakers_that_are_included_are_said(run):
    def config(**options):
        chosen = Selection.of(run, codecs=["mulaw"], **options)
        return model_index_of(chosen)[0]["results"][0]["dataset"].get("config")

    assert config() is None
    assert config(include_seen_speakers=True) == "training-speakers=included"


def test_a_card_is_of_one_codec(run):
    with pytest.raises(UserError, match="--codec"):
        model_index_of(Selection.of(run))
    with pytest.raises(UserError, match="--by"):
        model_index_of(opus(run, by=("speaker",)))


def test_an_update_keeps_everything_else(run, card):
    before = read(card)
    merged = update_card(card, model_index_of(opus(run)))
    after = read(card)
    assert merged.added == 6
    assert card.read_text(encoding="utf-8").endswith("---\n\n# A codec – with text\n")
    assert {key: after[key] for key in ("license", "tags")} == {
        "license": "mit",
        "tags": ["speech"],
    }
    (model,) = after["model-index"]
    assert model["name"] == "My codec"
    assert model["results"][0] == before["model-index"][0]["results"][0]
    assert model["results"][1:] == model_index_of(opus(run))[0]["results"]


def test_an_update_repeated_changes_nothing(run, card):
    update_card(card, model_index_of(opus(run)))
    text = card.read_text(encoding="utf-8")
    merged = update_card(card, model_index_of(opus(run)))
    assert (merged.added, merged.replaced, merged.unchanged) == (0, 0, 6)
    assert card.read_text(encoding="utf-8") == text
    assert "&id" not in text


def test_other_values_are_replaced_only_on_request(run, card):
    update_card(card, model_index_of(opus(run)))
    changed = read(card)
    metric = changed["model-index"][0]["results"][1]["metrics"][0]
    right = metric["value"]
    metric["value"] = 0.123
    hub.metadata_save(card, changed)
    text = card.read_text(encoding="utf-8")
    with pytest.raises(UserError, match=r"0\.123 there.*--overwrite"):
        update_card(card, model_index_of(opus(run)))
    assert card.read_text(encoding="utf-8") == text
    merged = update_card(card, model_index_of(opus(run)), overwrite=True)
    assert (merged.replaced, merged.unchanged) == (1, 5)
    assert read(card)["model-index"][0]["results"][1]["metrics"][0]["value"] == right


def test_models_of_a_card_are_told_apart_by_name(run, card):
    index = model_index_of(opus(run), name="Another")
    update_card(card, index, name="Another")
    assert [model["name"] for model in read(card)["model-index"]] == ["My codec", "Another"]
    with pytest.raises(UserError, match=r"My codec, Another.*--name"):
        update_card(card, model_index_of(opus(run)))


def test_a_card_without_front_matter_gets_one(run, tmp_path):
    path = tmp_path / "README.md"
    path.write_bytes(b"# Codec\r\n\r\ntext\r\n")
    update_card(path, model_index_of(Selection.of(run, codecs=["mulaw"])))
    assert read(path)["model-index"][0]["name"] == run.cards[MULAW]["title"]
    assert path.read_bytes().endswith(b"---\r\n# Codec\r\n\r\ntext\r\n")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("---\na: [\n---\n", "front matter cannot be read"),
        ("---\n- a\n---\n", "front matter cannot be read"),
        ("---\nmodel-index: 3\n---\n", "model-index is malformed"),
        ("---\nmodel-index:\n- name: x\n---\n", "model-index is malformed"),
    ],
)
def test_broken_cards_are_refused_and_left_alone(run, tmp_path, text, says):
    path = tmp_path / "README.md"
    path.write_text(text)
    with pytest.raises(UserError, match=says):
        update_card(path, model_index_of(opus(run)))
    assert path.read_text() == text


def test_a_missing_card_is_refused(run, tmp_path):
    with pytest.raises(UserError, match="there is no model card"):
        update_card(tmp_path / "README.md", model_index_of(opus(run)))
    assert not list(tmp_path.iterdir())


def test_the_yaml_is_the_librarys_own(run):
    index = model_index_of(opus(run))
    name, results = model_index_to_eval_results(index)
    assert eval_results_to_model_index(name, results) == index
    assert yaml.safe_load(model_card(index).strip("-\n")) == {"model-index": index}
