"""What a run measured, decoded again: the same sound, and nothing that a stranger named."""

import json
import shlex
import sys

import numpy as np
import pytest

import codecbench
from codecbench import registry
from codecbench.adapters.mulaw import MulawCodec
from codecbench.audio import Audio, read_audio
from codecbench.engine.decode_again import CHANGED, UNTRUSTED, RunDecoder, why_not_decoded
from codecbench.errors import UserError
from codecbench.registry import codec_of, load_corpus
from codecbench.results.run_folder import load_run
from codecbench.spec import format_spec

from .voices import write_voice

COPY = """
import shutil, sys
with open(sys.argv[1], "a") as log:
    log.write("called")
shutil.copy(sys.argv[2], sys.argv[3])
"""


class Dithered(MulawCodec):
    """Adds noise from numpy's own generator when it decodes."""

    name = "dithered"

    def decode(self, bitstream):
        plain = super().decode(bitstream)
        noise = np.random.normal(0, 1e-3, len(plain)).astype(np.float32)
        return Audio(plain.samples + noise, plain.sample_rate)


@pytest.fixture(scope="module")
def speech(tmp_path_factory):
    folder = tmp_path_factory.mktemp("speech")
    for seed in range(2):
        write_voice(folder / f"s/{seed}.wav", 16000, seed)
    return folder


def utterances_of(speech):
    return [one.at_rate(16000) for one in load_corpus(f"folder:{speech}").utterances()]


@pytest.fixture
def noted(tmp_path):
    """Return a spec of commands and the file in which they note each call."""
    program, log = tmp_path / "copy.py", tmp_path / "calls"
    program.write_text(COPY)
    start = shlex.join([sys.executable, "-S", str(program), str(log)])
    both = {"encode": f"{start} {{in}} {{bitstream}}", "decode": f"{start} {{bitstream}} {{out}}"}
    return codec_of(format_spec("external", both.items())).spec, log


def test_the_sound_is_what_was_scored_whatever_was_drawn_before(speech, tmp_path, monkeypatch):
    monkeypatch.setitem(registry.registered["codecs"], Dithered.name, Dithered)
    run = codecbench.run(
        Dithered.name, f"folder:{speech}", "stoi", tmp_path / "run", jobs=1, keep_audio=True
    )
    utterances = utterances_of(speech)
    decoder = RunDecoder(run, run.order, [one.key for one in utterances])
    np.random.seed(5)
    for one in utterances:
        scored = read_audio(run.decoded_audio(Dithered.name, one.key))
        np.testing.assert_array_equal(decoder.decoded(Dithered.name, one).samples, scored.samples)


def test_commands_that_a_run_folder_names_are_run_only_if_trusted(speech, noted, tmp_path):
    spec, log = noted
    run = codecbench.run(spec, f"folder:{speech}", "stoi", tmp_path / "run", jobs=1)
    first = utterances_of(speech)[0]
    log.unlink()
    decoder = RunDecoder(run, [spec], [first.key])
    assert decoder.why_not(spec) == decoder.decoded_or_reason(spec, first) == UNTRUSTED
    with pytest.raises(UserError, match="names commands, files or addresses; not decoded; name"):
        decoder.decoded(spec, first)
    assert not log.exists()
    trusting = RunDecoder(run, [spec], [first.key], trusted=[spec])
    assert len(trusting.decoded(spec, first)) == len(first.audio())
    assert log.read_text()


def test_a_strangers_spec_is_refused_before_it_is_looked_at(speech, tmp_path):
    run = codecbench.run("mulaw", f"folder:{speech}", "stoi", tmp_path / "run", jobs=1)
    path = run.path / "manifest.json"
    manifest = json.loads(path.read_text())
    absent = [
        'external:encode="no-such-program {in} {bitstream}",decode="false {bitstream} {out}"',
        f"decoded:dir={tmp_path / 'nowhere'}",
        f"svcodec:weights={tmp_path / 'nowhere.safetensors'}",
    ]
    manifest["codecs"] = dict.fromkeys(["mulaw", *absent], manifest["codecs"]["mulaw"])
    manifest["codecs"]["mulaw"]["identity"] += "0"
    path.write_text(json.dumps(manifest))
    changed = load_run(run.path)
    assert [why_not_decoded(changed, spec) for spec in absent] == [UNTRUSTED] * 3
    assert "no-such-program" in why_not_decoded(changed, absent[0], absent)
    assert why_not_decoded(changed, "mulaw") == CHANGED
