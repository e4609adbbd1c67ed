import subprocess
import sys

import numpy as np
import pytest

from codecbench import Audio, Codec, CodecCard, Column, Metric, Score, registry
from codecbench.errors import UserError

KINDS = (registry.CODECS, registry.METRICS, registry.CORPORA)


@pytest.mark.parametrize(
    ("kind", "name"), [(kind, name) for kind in KINDS for name in registry.names(kind)]
)
def test_every_registered_name_loads_and_calls_itself_so(kind, name):
    assert registry.component_class(kind, name).name == name


def test_close_names_are_suggested():
    with pytest.raises(UserError, match="did you mean opus"):
        registry.codec_of("opsu")


def test_unknown_keys_name_the_known_ones():
    with pytest.raises(UserError, match=r"unknown key 'colour'.*kbps"):
        registry.codec_of("opus:colour=red")


def test_a_column_names_its_metric():
    assert registry.metric_of("pesq_wb").selected == {"pesq_wb"}
    assert registry.metric_of("stoi").selected == {"stoi"}
    assert {"pesq_wb", "pesq_nb"} <= registry.metric_of("pesq").selected


def test_no_column_belongs_to_two_metrics():
    columns = [
        column.name
        for name in registry.names(registry.METRICS)
        for column in registry.component_class(registry.METRICS, name).columns
    ]
    assert len(set(columns)) == len(columns)


@pytest.mark.parametrize(
    "heavy", ["torch", "pandas", "onnxruntime", "pyworld", "av", "scipy.signal"]
)
def test_naming_a_component_loads_nothing_heavy(heavy):
    code = f"""
import sys
from codecbench import registry
registry.column_owners()
[registry.component_class(kind, name) for kind in {KINDS!r} for name in registry.names(kind)]
sys.exit({heavy!r} in sys.modules)
"""
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


class Halved(Codec):
    """Sends nothing and gives silence; defined here, as in a script."""

    name = "halved"
    factor = 0.0

    @property
    def card(self):
        return CodecCard(self.name, "Halved", "test", "none", sample_rate=8000)

    def encode(self, audio):
        return self.bitstream(audio, [])

    def decode(self, bitstream):
        return Audio(np.full(bitstream.samples, self.factor), bitstream.sample_rate)


class Level(Metric):
    name = "level"
    columns = (Column("level", "level", "", "higher"),)
    definition = "mean of the decoded samples"

    def _score(self, prepared, decoded):
        return {"level": Score(float(decoded.audio.samples.mean()))}


@pytest.fixture
def registered():
    yield registry.registered
    for components in registry.registered.values():
        components.clear()
    registry.column_owners.cache_clear()


def test_a_registered_codec_is_found_by_name_and_spec(registered):
    registry.register(Halved)
    assert isinstance(registry.load_codec("halved"), Halved)
    assert "halved" in registry.names(registry.CODECS)
    with pytest.raises(UserError, match="did you mean halved"):
        registry.codec_of("halfed")


def test_a_metric_is_found_by_its_column(registered):
    registry.register(Level)
    assert registry.metric_of("level").selected == {"level"}


def test_a_class_registered_again_takes_the_place_of_the_one_before(registered):
    registry.register(Halved)
    again = type("Again", (Halved,), {})
    registry.register(again)
    assert type(registry.codec_of("halved")) is again


@pytest.mark.parametrize(
    ("component", "message"),
    [
        (Halved(), "a class is needed that derives from Codec or Metric"),
        (dict, "a class is needed that derives from Codec or Metric"),
        (type("Opus", (Halved,), {"name": "opus"}), "'opus' is taken by a package"),
        (type("Two", (Halved,), {"name": "a:b=c"}), "cannot begin with the name 'a:b=c'"),
        (type("Bare", (Codec,), {"name": "bare"}), "it lacks card, decode, encode"),
        (type("Twin", (Level,), {"columns": (Column("stoi", "", "", "higher"),)}), "'stoi' is tak"),
    ],
)
def test_what_cannot_be_registered_is_one_line(registered, component, message):
    with pytest.raises(UserError, match=message) as caught:
        registry.register(component)
    assert "\n" not in str(caught.value)
    assert not any(registered.values())


SCRIPT = """
import numpy as np
import codecbench
from codecbench import Audio, Codec, CodecCard, Column, Metric, Packet, Score

book = np.linspace(-1, 1, 16)
def nearest(samples):
    return np.abs(samples[:, None] - book).argmin(1)

class Book(Codec):
    name = "book"
    @property
    def card(self):
        return CodecCard(self.name, "Book", "4 bits a sample", "MIT", sample_rate=8000)
    def encode(self, audio):
        bits = np.unpackbits(nearest(audio.samples).astype(np.uint8)[:, None], axis=1)[:, 4:]
        return self.bitstream(audio, [Packet(np.packbits(bits).tobytes(), bits.size)])
    def decode(self, bitstream):
        data = np.frombuffer(bitstream.packets[0].data, np.uint8)
        codes = np.stack([data >> 4, data & 15], 1).reshape(-1)[: bitstream.samples]
        return Audio(book[codes], bitstream.sample_rate)

class Levels(Metric):
    name = "levels"
    columns = (Column("levels", "levels", "", "lower"),)
    definition = "different samples"
    def _score(self, prepared, decoded):
        return {"levels": Score(float(len(np.unique(decoded.raw.samples))))}

codecbench.register(Book)
codecbench.register(Levels)
frame = codecbench.run("book", metrics=["levels"], subset=2, jobs=1, out="run").frame()
assert frame.error.isna().all(), frame.error.tolist()
assert (frame[frame.metric == "kbps"].value.round(1) == 32.0).all()
assert (frame[frame.metric == "levels"].value <= 16).all()
"""


def run_script(text, folder):
    return subprocess.run(
        [sys.executable, "-c", text], cwd=folder, capture_output=True, text=True, check=False
    )


def test_workers_get_classes_of_a_script_and_what_they_use(tmp_path):
    done = run_script(SCRIPT, tmp_path)
    assert done.returncode == 0, done.stderr


def test_what_cannot_be_copied_to_workers_is_said_before_any_work(tmp_path):
    broken = "import threading" + SCRIPT.replace(
        'name = "book"', 'name = "book"\n    lock = threading.Lock()'
    )
    done = run_script(broken, tmp_path)
    assert done.returncode == 1
    last = done.stderr.splitlines()[-1]
    assert "what was registered (book, levels) cannot be copied to worker processes" in last
    assert "lock" in last


def test_a_module_that_workers_cannot_import_is_named(tmp_path):
    (tmp_path / "apart").mkdir()
    (tmp_path / "apart" / "apart_codec.py").write_text(SCRIPT.partition("codecbench.register")[0])
    script = """
import sys
sys.path.insert(0, "apart")
import apart_codec, codecbench
sys.path.remove("apart")
codecbench.register(apart_codec.Book)
codecbench.run("book", subset=2, jobs=1, out="run")
"""
    done = run_script(script, tmp_path)
    assert done.returncode == 1
    last = done.stderr.splitlines()[-1]
    assert "worker processes cannot import what was registered: No module named" in last
    assert "apart_codec" in last
