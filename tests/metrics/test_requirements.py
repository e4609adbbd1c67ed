"""Declared requirements: a package that is not installed is named before any work is done."""

import importlib.util

import pytest

from codecbench.errors import UnavailableError
from codecbench.registry import METRICS, component_class, names
from codecbench.spec import Spec

from .tiny_wavlm import write_tiny_wavlm
from .tiny_whisper import write_tiny_whisper

MODULES = [
    (name, requirement.name)
    for name in names(METRICS)
    for requirement in component_class(METRICS, name).requirements
    if requirement.kind == "module"
]


@pytest.fixture
def hide(monkeypatch):
    """Return a function that makes a package look as if it were not installed."""
    find = importlib.util.find_spec

    def hide_one(module):
        monkeypatch.setattr(
            importlib.util,
            "find_spec",
            lambda name, package=None: None if name == module else find(name, package),
        )

    return hide_one


@pytest.fixture(scope="module")
def tiny_models(tmp_path_factory):
    """Return the keys of the metrics that need a model."""
    whisper = write_tiny_whisper(tmp_path_factory.mktemp("whisper") / "tiny.pt")
    wavlm = write_tiny_wavlm(tmp_path_factory.mktemp("wavlm"))
    return {"wer": (("asr", str(whisper)),), "spk_sim_wavlm": (("weights", str(wavlm)),)}


@pytest.mark.parametrize(("name", "module"), MODULES)
def test_a_missing_package_is_named(name, module, hide, tiny_models):
    spec = Spec(name, tiny_models.get(name, ()))
    metric = component_class(METRICS, name).from_spec(spec)
    metric.check_available()
    hide(module)
    with pytest.raises(UnavailableError, match=rf"^{name} cannot run here: .*{module}.*install"):
        metric.check_available()


def test_packages_are_declared():
    assert {
        ("f0", "pyworld"), ("mcd", "pyworld"), ("dnsmos", "speechmos"), ("dnsmos", "onnxruntime"),
        ("spk_sim", "resemblyzer"), ("spk_sim", "webrtcvad"), ("spk_sim", "torch"),
        ("spk_sim_wavlm", "transformers"), ("spk_sim_wavlm", "torch"),
        ("pesq", "pesq"), ("visqol", "visqol"), ("wer", "jiwer"), ("wer", "whisper"),
        ("wer", "torch"),
    } <= set(MODULES)  # fmt: skip


@pytest.mark.parametrize(
    ("spec", "module", "needed"),
    [
        ((("asr", "pocketsphinx"), ("normalizer", "none")), "whisper", False),
        ((("asr", "pocketsphinx"), ("normalizer", "none")), "jiwer", True),
        ((("asr", "pocketsphinx"), ("normalizer", "none")), "pocketsphinx", True),
        ((("asr", "pocketsphinx"), ("normalizer", "auto")), "whisper", True),
    ],
)
def test_pocketsphinx_needs_whisper_for_its_normaliser_alone(spec, module, needed, hide):
    metric = component_class(METRICS, "wer").from_spec(Spec("wer", spec))
    hide(module)
    if needed:
        with pytest.raises(UnavailableError, match=f"{module} is not installed"):
            metric.check_available()
    else:
        metric.check_available()
