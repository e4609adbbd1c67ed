"""TensorBoard: read back with its own EventAccumulator."""

import numpy as np
import pytest
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from tensorboard.plugins.custom_scalar.layout_pb2 import Layout
from tensorboard.plugins.hparams import metadata

from codecbench.errors import UnavailableError, UserError
from codecbench.export.selection import Selection
from codecbench.export.tensorboard_events import export_to_tensorboard, folder_names

from .made_run import MULAW, OPUS


def events(folder):
    return EventAccumulator(str(folder)).Reload()


def hparams(folder, tag):
    content = events(folder).summary_metadata[tag].plugin_data.content
    return metadata.parse_session_start_info_plugin_data(content).hparams


@pytest.fixture(scope="module")
def exported(run, tmp_path_factory):
    folder = tmp_path_factory.mktemp("tb") / "deep"
    export_to_tensorboard(Selection.of(run), folder)
    return folder


def test_a_sweep_is_a_curve_over_counted_rate(run, exported):
    table = run.table()
    curve = events(exported / "opus")
    steps = [round(1000 * table.cell(codec, "kbps").value) for codec in OPUS]
    assert 5500 < steps[0] < 6500
    for name in table.columns:
        for suffix, part in (("", "value"), (".low", "low"), (".high", "high")):
            points = curve.Scalars(f"{name}/librispeech{suffix}")
            assert [point.step for point in points] == steps
            expected = [getattr(table.cell(codec, name), part) for codec in OPUS]
            assert [point.value for point in points] == list(np.float32(expected))
    assert not {"reference"} & {path.name for path in exported.iterdir()}


def test_intervals_are_bands(exported):
    (tensor,) = events(exported).Tensors("custom_scalars__config__")
    layout = Layout.FromString(tensor.tensor_proto.string_val[0])
    charts = {chart.title: chart.margin.series[0] for chart in layout.category[0].chart}
    assert charts["STOI"].value == "stoi/librispeech"
    tags = events(exported / "opus").Tags()["scalars"]
    assert {charts["STOI"].lower, charts["STOI"].upper} <= set(tags)


def test_each_codec_is_a_row_of_the_table(run, exported):
    found = hparams(exported / "codecs" / "opus:kbps=12", metadata.SESSION_START_INFO_TAG)
    assert found["codec"].string_value == OPUS[1]
    assert found["nominal_kbps"].number_value == 12
    content = events(exported / "codecs").summary_metadata[metadata.EXPERIMENT_TAG].plugin_data
    columns = metadata.parse_experiment_plugin_data(content.content)
    named = {info.name for info in columns.hparam_infos}
    assert set(found) <= named
    assert {"spec.kbps", "weights"} - named == {"weights"}, "no codec of the run has weights"
    tags = {info.name.tag for info in columns.metric_infos}
    mulaw = events(exported / "codecs" / "mulaw")
    assert {"hparam/stoi/librispeech"} <= tags == set(mulaw.Tags()["scalars"])
    (point,) = mulaw.Scalars("hparam/stoi/librispeech")
    assert point.value == np.float32(run.table().cell(MULAW, "stoi").value)


def test_folders_are_one_name_each_and_never_shared():
    names = folder_names(["a/b", "a_b", "../x", "codecs"], taken=["codecs"])
    assert names == {"a/b": "a_b", "a_b": "a_b_", "../x": "_x", "codecs": "codecs_"}


def test_a_repeated_export_replaces_its_own_files_alone(run, exported):
    other = exported / "opus" / "events.out.tfevents.1.mine"
    other.write_bytes(b"")
    before = sorted(path.parent for path in exported.rglob("events*"))
    export_to_tensorboard(Selection.of(run), exported)
    assert sorted(path.parent for path in exported.rglob("events*")) == before
    assert other.exists()


def test_codecs_that_are_no_longer_exported_leave_no_curve(run, tmp_path):
    export_to_tensorboard(Selection.of(run), tmp_path)
    other = tmp_path / "opus" / "events.out.tfevents.1.mine"
    other.write_bytes(b"")
    export_to_tensorboard(Selection.of(run, codecs=["mulaw"]), tmp_path)
    found = {path.parent.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("events.*")}
    assert found == {".", "codecs", "codecs/mulaw", "mulaw", "opus"}
    assert [path.name for path in (tmp_path / "opus").iterdir()] == [other.name]


def test_exports_below_the_folder_stay(run, tmp_path):
    export_to_tensorboard(Selection.of(run), tmp_path / "first")
    before = sorted((tmp_path / "first").rglob("events.*"))
    export_to_tensorboard(Selection.of(run), tmp_path)
    assert sorted((tmp_path / "first").rglob("events.*")) == before


def test_a_refused_codec_costs_no_earlier_export(tmp_path):
    import codecbench

    run = codecbench.run(["mulaw"], corpus="demo", metrics=["stoi"], subset=1, out=tmp_path / "run")
    (name,) = run.frame()["utterance"].unique()
    export_to_tensorboard(Selection.of(run), tmp_path / "tb")
    before = sorted((tmp_path / "tb").rglob("*"))
    run.manifest.codecs["mulaw"].identity = "another"
    with pytest.raises(UserError, match="mulaw: its implementation or weights have changed"):
        export_to_tensorboard(Selection.of(run), tmp_path / "tb", [name])
    assert sorted((tmp_path / "tb").rglob("*")) == before


def test_rates_that_were_not_counted_are_nominal(run, tmp_path, monkeypatch):
    monkeypatch.setitem(run.__dict__, "columns", {"stoi": run.columns["stoi"]})
    export_to_tensorboard(Selection.of(run, codecs=["opus"], metrics=["stoi"]), tmp_path)
    points = events(tmp_path / "opus").Scalars("stoi/librispeech")
    assert [point.step for point in points] == [6000, 12000, 24000]


def test_without_the_package_the_way_to_it_is_said(run, tmp_path, monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(UnavailableError, match=r"pip install 'codecbench\[tensorboard\]'"):
        export_to_tensorboard(Selection.of(run), tmp_path)


def test_sounds_and_spectrograms_are_added(tmp_path):
    import codecbench

    run = codecbench.run(["mulaw"], corpus="demo", metrics=["stoi"], subset=1, out=tmp_path / "run")
    (name,) = run.frame()["utterance"].unique()
    export_to_tensorboard(Selection.of(run), tmp_path / "tb", [name])
    tag = f"audio/demo/test/{name}"
    (reference,) = events(tmp_path / "tb").Audio(tag)
    (coded,) = events(tmp_path / "tb" / "codecs" / "mulaw").Audio(tag)
    assert reference.sample_rate == coded.sample_rate == 16000
    assert reference.length_frames == coded.length_frames > 16000
    assert reference.encoded_audio_string != coded.encoded_audio_string
    (image,) = events(tmp_path / "tb").Images(f"spectrograms/demo/test/{name}")
    assert image.width > 100
