"""Reconstruction and adversarial losses: laws, and formulas against plain NumPy."""

import copy
import pickle
import warnings

import librosa
import numpy as np
import pytest
import scipy.signal
import torch

from codecbench.adapters.nn.discriminators import DiscriminatorOutput
from codecbench.adapters.nn.losses import (
    LossesConfig,
    ReconstructionLosses,
    discriminator_loss,
    feature_matching_loss,
    generator_loss,
)
from codecbench.errors import UserError

RATE = 16000
NAMES = list(ReconstructionLosses.NAMES)
SPECTRAL = [name for name in NAMES if not name.startswith(("waveform", "emphasized"))]
PHASE_BLIND = [name for name in SPECTRAL if name != "complex_stft"]


@pytest.fixture(scope="module")
def losses():
    return ReconstructionLosses(LossesConfig(), RATE)


def noise(seed, batch=2, samples=4000, level=0.1):
    generator = torch.Generator().manual_seed(seed)
    return level * torch.randn(batch, samples, generator=generator)


def spectrum(signal, fft, hop, window):
    """Complex spectra (frames, lines) of one signal, frame by frame, centred and reflected."""
    taper = np.zeros(fft)
    start = (fft - window) // 2
    taper[start : start + window] = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(window) / window)
    padded = np.pad(signal.numpy().astype(np.float64), fft // 2, mode="reflect")
    frames = 1 + len(signal) // hop
    return np.array([np.fft.rfft(padded[t * hop : t * hop + fft] * taper) for t in range(frames)])


def energy(window):
    return window * 3 / 8


def filterbank(fft, bins, norm=None):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return librosa.filters.mel(sr=RATE, n_fft=fft, n_mels=bins, norm=norm)


def mel_pairs(x, y, windows, bins):
    """Per window: normalized mel magnitudes of all frames of all items."""
    for window, count in zip(windows, bins, strict=True):
        filters = filterbank(window, count)
        yield [
            np.concatenate(
                [
                    np.sqrt(
                        np.abs(spectrum(item, window, window // 4, window)) ** 2 / energy(window)
                        + 1e-8
                    )
                    @ filters.T
                    for item in signal
                ]
            )
            for signal in (x, y)
        ]


# Laws


@pytest.mark.parametrize("name", NAMES)
def test_equal_signals_are_the_minimum(losses, name):
    x = noise(0)
    assert losses(x, x.clone(), [name])[name].item() == (-30 if name.endswith("_sdr") else 0)


@pytest.mark.parametrize("name", NAMES)
def test_different_signals_cost_more_the_more_they_differ(losses, name):
    x = noise(0)
    little, much = (losses(x, x + noise(1, level=level), [name])[name] for level in (0.01, 0.1))
    lowest = -30 if name.endswith("_sdr") else 0
    assert lowest < little < much


@pytest.mark.parametrize("name", NAMES)
def test_only_magnitude_losses_are_blind_to_the_sign(losses, name):
    x = noise(0)
    same = losses(x, -x, [name])[name] == losses(x, x, [name])[name]
    assert bool(same) == (name in PHASE_BLIND)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(("reference", "decoded"), [(0, 0), (0, 1), (1, 0), (1, 1)])
def test_gradients_are_finite_at_silence_and_identity(losses, name, reference, decoded):
    x = noise(0)
    decoded = (x * decoded).requires_grad_()
    losses(x * reference, decoded, [name])[name].backward()
    assert decoded.grad.isfinite().all()


def test_every_loss_can_be_descended(losses):
    x = noise(0)
    for name in NAMES:
        y = (x + noise(1, level=0.05)).requires_grad_()
        value = losses(x, y, [name])[name]
        (gradient,) = torch.autograd.grad(value, y)
        step = 1e-3 * y.norm() / gradient.norm()
        assert losses(x, y - step * gradient, [name])[name] < value, name


def test_only_what_is_named_is_computed_in_the_order_of_the_names(losses, monkeypatch):
    x, y = noise(0), noise(1)
    assert list(losses(x, y, ["stft", "waveform_l1"])) == ["stft", "waveform_l1"]
    monkeypatch.setattr(torch.fft, "rfft", None)
    assert losses(x, y, ["waveform_l1", "waveform_sdr"])


def test_terms_share_their_spectra(losses, monkeypatch):
    calls = []
    plain = torch.fft.rfft
    monkeypatch.setattr(torch.fft, "rfft", lambda *a, **k: calls.append(1) or plain(*a, **k))
    losses(noise(0), noise(1), ["mel", "log_mel", "complex_stft"])
    assert len(calls) == 2 * 4


def test_values_do_not_depend_on_the_company(losses):
    x, y = noise(0), noise(1)
    together = losses(x, y, NAMES)
    assert all(losses(x, y, [name])[name] == together[name] for name in NAMES)


def test_the_reference_gets_no_gradient(losses):
    x, y = noise(0).requires_grad_(), noise(1).requires_grad_()
    sum(losses(x, y, NAMES).values()).backward()
    assert x.grad is None


def test_unknown_names_and_short_signals_are_refused(losses):
    x = noise(0, samples=1024)
    with pytest.raises(UserError, match="no loss is called 'l3'; there are waveform_l1"):
        losses(x, x, ["l3"])
    with pytest.raises(UserError, match="'mel' needs at least 1025 samples, not 1024"):
        losses(x, x, ["mel"])
    with pytest.raises(ValueError, match=r"\(batch, samples\)"):
        losses(x, x[:, 1:], ["waveform_l1"])


def test_windows_and_filterbanks_are_no_weights(losses):
    assert not losses.state_dict()
    assert not list(losses.parameters())
    assert copy.deepcopy(losses)
    assert pickle.loads(pickle.dumps(losses))


def test_half_precision_regions_do_not_reach_the_losses(losses):
    x, y = noise(0), noise(1)
    with torch.autocast("cpu", torch.bfloat16):
        inside = losses(x, y, NAMES)
    assert all(inside[name] == value for name, value in losses(x, y, NAMES).items())


def test_configurations_that_contradict_themselves_are_refused():
    with pytest.raises(ValueError, match="as many bins"):
        LossesConfig.model_validate({"mel": {"windows": [256, 512], "bins": [20]}})
    with pytest.raises(ValueError, match="same length"):
        LossesConfig.model_validate({"stft": {"fft": [512]}})
    with pytest.raises(ValueError, match="longer than fft"):
        LossesConfig.model_validate({"stft": {"fft": [512], "hop": [50], "window": [600]}})
    with pytest.raises(ValueError, match="at least 1 item"):
        LossesConfig.model_validate({"complex_stft": {"windows": []}})


# Formulas


def test_waveform_losses_by_hand(losses):
    x, y = torch.tensor([[3.0, 4.0], [0.0, 0.0]]), torch.tensor([[3.0, 3.0], [1.0, 0.0]])
    values = losses(x, y, ["waveform_l1", "waveform_l2", "waveform_sdr"])
    assert values["waveform_l1"].item() == pytest.approx(0.5)
    assert values["waveform_l2"].item() == pytest.approx(0.5)
    # 25 over 1, and a silent reference, clamped to -20 dB.
    assert values["waveform_sdr"].item() == pytest.approx(-(10 * np.log10(25) - 20) / 2, abs=1e-4)


def test_emphasized_sdr_is_the_sdr_of_what_a_high_pass_leaves(losses):
    x, y = noise(0), noise(1)
    high_passed = [torch.from_numpy(scipy.signal.lfilter([1, -0.9], 1, z)[..., 1:]) for z in (x, y)]
    expected = losses(*high_passed, ["waveform_sdr"])["waveform_sdr"].item()
    got = losses(x, y, ["emphasized_sdr"])["emphasized_sdr"].item()
    assert got == pytest.approx(expected, abs=1e-4)


def test_sdr_does_not_depend_on_the_level(losses):
    x, y = noise(0), noise(1)
    loud = losses(8 * x, 8 * y, ["waveform_sdr"])["waveform_sdr"]
    assert loud.item() == pytest.approx(
        losses(x, y, ["waveform_sdr"])["waveform_sdr"].item(), abs=1e-4
    )


def test_mel_and_log_mel_are_their_formulas(losses):
    x, y = noise(0), noise(1, level=0.05)
    linear = logarithmic = 0.0
    for a, b in mel_pairs(x, y, (256, 512, 1024, 2048), (20, 40, 80, 128)):
        linear += np.mean(np.abs(a - b))
        logarithmic += np.mean(np.abs(np.log(a + 0.03) - np.log(b + 0.03)))
    values = losses(x, y, ["mel", "log_mel"])
    assert values["mel"].item() == pytest.approx(linear, rel=1e-4)
    assert values["log_mel"].item() == pytest.approx(logarithmic, rel=1e-4)


def test_multi_scale_mel_is_soundstreams_formula(losses):
    x, y = noise(0, batch=1), noise(1, batch=1, level=0.05)
    total = 0.0
    for s in (64, 128, 256, 512, 1024, 2048):
        filters = filterbank(s, 64)
        filters = filters[filters.sum(axis=1) > 0]
        for a, b in zip(
            *(np.abs(spectrum(z[0], s, s // 4, s)) @ filters.T for z in (x, y)), strict=True
        ):
            log_difference = np.log(a + 0.01) - np.log(b + 0.01)
            total += np.sum(np.abs(a - b)) + np.sqrt(s / 2) * np.sqrt(np.sum(log_difference**2))
    value = losses(x, y, ["multi_scale_mel"])["multi_scale_mel"].item()
    assert value == pytest.approx(total / x.shape[-1], rel=1e-3)


def test_filters_without_lines_are_left_out_and_the_rest_covers_all_frequencies(losses):
    scale = losses.config.multi_scale_mel.scales[0]
    filters = losses.analysis.filters(scale)
    assert filters.shape == (33, 43)
    assert (filters.max(dim=0).values > 0).all()
    assert (filters[1:-1].sum(dim=1) > 0).all()


def test_stft_is_parallel_wavegans_formula(losses):
    x, y = noise(0), noise(1, level=0.05)
    total = 0.0
    for fft, hop, window in ((512, 50, 240), (1024, 120, 600), (2048, 240, 1200)):
        a, b = (
            np.abs(np.concatenate([spectrum(item, fft, hop, window) for item in z])) for z in (x, y)
        )
        convergence = np.sqrt(np.sum((a - b) ** 2) / np.sum(a**2))
        total += (convergence + np.mean(np.abs(np.log(a) - np.log(b)))) / 3
    assert losses(x, y, ["stft"])["stft"].item() == pytest.approx(total, rel=1e-3)


def test_stft_does_not_depend_on_the_level(losses):
    x, y = noise(0), noise(1)
    value, loud = losses(x, y, ["stft"]), losses(4 * x, 4 * y, ["stft"])
    assert loud["stft"].item() == pytest.approx(value["stft"].item(), rel=1e-3)


def test_complex_stft_compresses_magnitudes_and_keeps_phases(losses):
    x, y = noise(0), noise(1, level=0.05)
    total = 0.0
    for size in (512, 1024):
        a, b = (
            np.concatenate([spectrum(item, size, size // 4, size) for item in z])
            / np.sqrt(energy(size))
            for z in (x, y)
        )
        with_phase = np.abs(a) ** 0.3 * np.exp(1j * np.angle(a)) - np.abs(b) ** 0.3 * np.exp(
            1j * np.angle(b)
        )
        without = np.abs(a) ** 0.3 - np.abs(b) ** 0.3
        total += (np.mean(np.abs(with_phase) ** 2) + np.mean(without**2)) / 2
    assert losses(x, y, ["complex_stft"])["complex_stft"].item() == pytest.approx(total, rel=1e-3)


def test_hifigan_mel_is_its_formula(losses):
    x, y = noise(0), noise(1, level=0.05)
    filters = filterbank(2048, 80, norm="slaney")
    a, b = (
        np.concatenate([np.abs(spectrum(item, 2048, 300, 2048)) @ filters.T for item in z])
        for z in (x, y)
    )
    expected = np.mean(np.abs(np.log(np.maximum(a, 1e-5)) - np.log(np.maximum(b, 1e-5))))
    assert losses(x, y, ["hifigan_mel"])["hifigan_mel"].item() == pytest.approx(expected, rel=1e-4)


# The adversarial game


def outputs(*logits, features=()):
    return [
        DiscriminatorOutput(torch.tensor(x), [torch.tensor(f) for f in features]) for x in logits
    ]


@pytest.mark.parametrize(
    ("kind", "generator", "discriminator"),
    [
        # Two discriminators: relu(1 - fake) is (1, 0) and (2, 3); relu(1 - real) is (0, 0) and
        # (1, 1); relu(1 + fake) is (1, 3) and (0, 0).
        ("hinge", (0.5 + 2.5) / 2, (0 + 2 + 1 + 0) / 2),
        # (1 - fake)² is (1, 1) and (4, 9); (1 - real)² is (1, 0) and (1, 1); fake² is (0, 4)
        # and (1, 4).
        ("least_squares", (1 + 6.5) / 2, (0.5 + 2 + 1 + 2.5) / 2),
    ],
)
def test_adversarial_losses_by_hand(kind, generator, discriminator):
    fake = outputs([[0.0, 2.0]], [[-1.0, -2.0]])
    real = outputs([[2.0, 1.0]], [[0.0, 0.0]])
    assert generator_loss(fake, kind).item() == pytest.approx(generator)
    assert discriminator_loss(real, fake, kind).item() == pytest.approx(discriminator)


@pytest.mark.parametrize("kind", ["hinge", "least_squares"])
def test_a_perfect_discriminator_pays_nothing(kind):
    right = {"hinge": -1.0, "least_squares": 0.0}[kind]
    assert discriminator_loss(outputs([1.0]), outputs([right]), kind) == 0
    assert generator_loss(outputs([1.0]), kind) == 0


def test_feature_matching_by_hand():
    real = outputs([0.0], features=([1.0, 3.0], [10.0, -10.0]))
    fake = outputs([9.0], features=([2.0, 3.0], [10.0, 10.0]))
    assert feature_matching_loss(real, fake).item() == pytest.approx((0.5 + 10) / 2)
    assert feature_matching_loss(real, fake, relative=True).item() == pytest.approx((0.25 + 1) / 2)


def test_relative_feature_matching_does_not_depend_on_the_features_scale():
    real, fake = [[1.0, 3.0]], [[2.0, 5.0]]
    value = feature_matching_loss(
        outputs([0.0], features=real), outputs([0.0], features=fake), True
    )
    scaled = feature_matching_loss(
        outputs([0.0], features=[[100.0, 300.0]]), outputs([0.0], features=[[200.0, 500.0]]), True
    )
    assert scaled.item() == pytest.approx(value.item())


def test_real_features_get_no_gradient():
    real, fake = torch.ones(2, requires_grad=True), torch.zeros(2, requires_grad=True)
    logits = torch.zeros(1)
    feature_matching_loss(
        [DiscriminatorOutput(logits, [real])], [DiscriminatorOutput(logits, [fake])], True
    ).backward()
    assert real.grad is None
    assert fake.grad is not None


def test_discriminators_are_not_mixed_up():
    with pytest.raises(ValueError, match=r"shorter|longer"):
        discriminator_loss(outputs([1.0], [1.0]), outputs([1.0]), "hinge")
