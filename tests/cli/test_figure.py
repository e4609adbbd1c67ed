"""``codecbench figure`` through the command line."""

import json
import shutil

import numpy as np
import pytest

from codecbench import registry
from codecbench.cli.main import main
from codecbench.errors import UserError
from codecbench.figures.codebooks import count_codes
from codecbench.results.run_folder import load_run

from .test_codebook import Levels

SIGNATURES = {"pdf": b"%PDF", "png": b"\x89PNG"}


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("runs") / "one"
    with pytest.raises(SystemExit) as ended:
        main(
            ["run", "--codec", "g722", "--codec", "mulaw", "--metrics", "stoi", "--subset", "2",
             "--jobs", "1", "--out", str(folder)]
        )  # fmt: skip
    assert ended.value.code == 0
    return folder


@pytest.fixture
def command(capsys, run, tmp_path):
    """Run the command; return exit status, the figure's path and stderr."""

    def call(kind, *arguments, suffix="pdf"):
        path = tmp_path / f"figure.{suffix}"
        shown = [str(run) if part == "RUN" else part for part in arguments]
        with pytest.raises(SystemExit) as ended:
            main(["figure", kind, *shown, "-o", str(path)])
        said = capsys.readouterr()
        assert said.out == ""
        return ended.value.code, path, said.err

    return call


@pytest.mark.parametrize("suffix", ["pdf", "png"])
@pytest.mark.parametrize(
    ("kind", "arguments"),
    [
        ("rates", ["-m", "stoi"]),
        ("scatter", ["-m", "stoi", "-c", "g722", "-c", "mulaw"]),
        ("violin", ["-m", "stoi", "--corpus", "demo"]),
        ("spectrograms", ["-c", "g722"]),
    ],
)
def test_every_kind_is_drawn(command, kind, arguments, suffix):
    status, path, err = command(kind, "RUN", *arguments, suffix=suffix)
    assert (status, err) == (0, "")
    assert path.read_bytes().startswith(SIGNATURES[suffix])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["rates", "RUN"], "rates needs a metric, as in --metrics pesq_wb"),
        (["rates", "RUN", "-m", "pesq"], "pesq is not in this run"),
        (["rates", "RUN", "-m", "stoii"], "did you mean"),
        (["rates", "RUN", "-m", "stoi", "--corpus", "vctk"], "no results of corpus 'vctk'"),
        (["rates", "RUN", "-m", "stoi", "--utterance", "a"], "goes with spectrograms alone"),
        (["violin", "RUN", "-m", "stoi", "-c", "opus"], "this run has no codec 'opus'"),
        (["scatter", "RUN", "-m", "stoi", "-c", "g722"], "is of two codecs, not 1"),
        (["codebooks", "RUN", "-c", "g722"], "has no codebooks"),
        (["codebooks", "RUN"], "no codec of this run sends codes"),
        (["codebooks", "RUN", "-m", "stoi"], "--metrics and --corpus do not go with codebooks"),
        (["spectrograms", "RUN", "--utterance", "nobody"], "has no utterance 'nobody' (such as"),
        (["spectrograms", "RUN", "RUN"], "give one run folder"),
        (["rates", "/no/such", "-m", "stoi"], "there is no run folder /no/such"),
        (["hologram", "RUN"], "hologram"),
    ],
)
def test_mistakes_are_one_line_and_status_2(command, arguments, message):
    status, path, err = command(*arguments)
    assert status == 2
    assert message in err
    assert len(err.splitlines()) == 1
    assert not path.exists()


def test_other_suffixes_are_refused_before_anything_is_read(command):
    status, _, err = command("rates", "/no/such", "-m", "stoi", suffix="svg")
    assert (status, err.count("a figure is a .pdf or a .png file")) == (2, 1)


def test_a_changed_codec_is_not_drawn_under_its_old_name(command, run, tmp_path):
    copy = tmp_path / "copy"
    shutil.copytree(run, copy)
    manifest = json.loads((copy / "manifest.json").read_text())
    manifest["codecs"]["g722"]["identity"] = "another"
    (copy / "manifest.json").write_text(json.dumps(manifest))
    status, _, err = command("spectrograms", str(copy), "-c", "g722")
    assert status == 2
    assert "g722: its implementation or weights have changed since the run; not decoded" in err


def test_codes_are_counted_from_kept_bitstreams(tmp_path, monkeypatch):
    from codecbench.audio import Audio
    from codecbench.engine.audio_index import AudioIndex
    from codecbench.results.schema import StoredBitstream, bitstreams_schema, write_part

    found = registry.component_class
    monkeypatch.setattr(
        registry,
        "component_class",
        lambda kind, name: Levels if name == Levels.name else found(kind, name),
    )
    codec = Levels()
    wave = np.repeat(np.tile([0, 0, 1, 2], 10) / 4, 80).astype(np.float32)
    data = codec.encode(Audio(wave, 8000)).to_bytes()
    folder = tmp_path / "run"
    (folder / "bitstreams").mkdir(parents=True)
    kept = [StoredBitstream(codec.spec, "folder", "all", name, 0.1, data) for name in ("a", "b")]
    write_part(folder / "bitstreams", kept, bitstreams_schema())
    entry = {"identity": codec.identity, "version": "1", "card": {}}
    (folder / "manifest.json").write_text(json.dumps({"codecs": {codec.spec: entry}}))
    listed = [["folder", "all", name, {"size": 1, "mtime_ns": 1}] for name in ("a", "b")]
    (folder / "audio.json").write_text(json.dumps(listed))
    assert len(AudioIndex(folder / "audio.json").keys()) == 2
    counts = count_codes(load_run(folder), codec.spec)
    assert counts.utterances == 2
    assert [book[:4].tolist() for book in counts.codebooks] == [[40, 20, 20, 0], [0, 0, 0, 0]]
    assert counts.codebooks[1][7] == 80


def test_codes_of_a_strangers_weights_are_not_counted(tmp_path):
    from codecbench.results.schema import StoredBitstream, bitstreams_schema, write_part

    spec = f"svcodec:weights={tmp_path / 'a.safetensors'}"
    (tmp_path / "bitstreams").mkdir()
    kept = [StoredBitstream(spec, "folder", "all", "a", 0.1, b"")]
    write_part(tmp_path / "bitstreams", kept, bitstreams_schema())
    entry = {"identity": "any", "version": "1", "card": {}}
    (tmp_path / "manifest.json").write_text(json.dumps({"codecs": {spec: entry}}))
    (tmp_path / "audio.json").write_text(
        json.dumps([["folder", "all", "a", {"size": 1, "mtime_ns": 1}]])
    )
    with pytest.raises(UserError, match="names commands, files or addresses; not decoded"):
        count_codes(load_run(tmp_path), spec)
