"""The laws that every neural codec obeys; each is a function of one `NeuralCase`.

A codec joins by a row in `neural_specs`. The laws of `codec_laws` hold for it as well, but for
those in `REPLACED`.
"""

from __future__ import annotations

import functools
import math
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import numpy.typing as npt
import pytest
import torch

from codecbench.adapters.nn.latency import codec_latency, network_latency
from codecbench.adapters.nn.network import StreamingNetwork, parameter_count
from codecbench.adapters.nn.neural_codec import NeuralCodec
from codecbench.adapters.nn.weights import Precision, write_weights
from codecbench.audio import Audio
from codecbench.bits import bits_for
from codecbench.bitstream import Bitstream
from codecbench.corpora.demo import Demo
from codecbench.errors import UserError
from codecbench.protocol import decode, encode, estimate_delay

from . import codec_laws
from .codec_laws import Case
from .neural_fixtures import spec_text
from .neural_margins import codes_differ_only_at_margins
from .neural_specs import NeuralSpec

REPLACED = {
    codec_laws.batch_equals_loop: "convolutions over a batch may round otherwise",
    codec_laws.aligned_to_the_sample: "impulses are no speech: speech is aligned instead",
    codec_laws.bandwidth_is_what_the_card_says: "a network trained on speech owes nothing to noise",
}
"""Laws of other codecs that a small neural codec cannot be asked for, and why."""

EQUAL = 1e-5
STREAMED = 1e-4
"""Parts of the reference's peak by which two ways to the same signal may differ."""

STORED_SNR_DB: dict[Precision, float] = {"float16": 40.0, "int8": 20.0}
"""Signal-to-noise ratio of what weights in few bits decode, against float32 and equal codes."""

FAINT, FAINT_TRAINED = 0.1, 0.3
"""Parts of a far look-ahead that many layers, random or trained, may make too faint to be measured;
`test_pscodec_parts` compares what is read from layers exactly, where there are few."""

LATENCY_PHASES = 64
"""Up to this hop all phases are measured; beyond it the first, the last and 14 between."""

VERY_DIFFERENT_LENGTHS = (9_001, 1, 40, 2_500, 333)

Samples = npt.NDArray[np.float32]


@dataclass(frozen=True)
class NeuralCase(Case):
    """A loaded neural codec."""

    codec: NeuralCodec
    is_trained: bool = False

    @classmethod
    @functools.cache
    def of_row(cls, row: NeuralSpec) -> NeuralCase:
        """Load the codec of a row of `neural_specs`."""
        case = Case.of(spec_text(row))
        assert isinstance(case.codec, NeuralCodec)
        return cls(case.spec, case.codec, row.model is None)

    @property
    def hop(self) -> int:
        return self.codec.hop_length

    @property
    def streams(self) -> bool:
        return isinstance(self.codec.network, StreamingNetwork) and self.codec.network.causal

    def at(self, **keys: object) -> NeuralCodec:
        """Return the codec with other values of its configuration."""
        return type(self.codec)(self.codec.config.model_copy(update=keys))

    def offline(self, audio: Audio) -> torch.Tensor:
        """Return the latents (channels, frames) of the network's plain pass over a signal."""
        frames = int(self.codec.frames_of(len(audio)))
        padded = torch.from_numpy(audio.fitted(frames * self.hop).samples.copy())
        with torch.inference_mode():
            return self.codec.network.encode(padded[None])[0]

    def check_codes(self, audio: Audio, expected: Bitstream, found: Bitstream) -> None:
        """Check that two bitstreams of a signal are equal up to codes at margins."""
        assert [packet.bits for packet in expected.packets] == [p.bits for p in found.packets]
        both = self.codec.tokens([expected, found]).codes
        codes_differ_only_at_margins(self.codec.network.quantizer, self.offline(audio), *both)


def bits_are_exact(case: NeuralCase) -> None:
    """Frames times the bits of a frame's codes are counted, side information, nothing else."""
    card, codec = case.card, case.codec
    quantizer = codec.shape.quantizer
    bits = codec.layers * quantizer.groups * bits_for(quantizer.codebook_size)
    assert sum(bits_for(size) for size in card.codebook_sizes) == bits
    assert bits == 10 * len(card.codebook_sizes) or quantizer.codebook_size != 1024
    assert card.frame_rate == case.rate / case.hop
    for samples in (*codec_laws.LENGTHS, 5 * case.rate):
        frames = -(-(samples + case.delay) // case.hop)
        bitstream = codec.encode(case.voice(samples))
        assert [packet.bits for packet in bitstream.packets] == [bits] * frames
        assert bitstream.bits == frames * bits + sum(codec.side_widths)
        assert len(bitstream.side_information) == bool(codec.side_widths)
        assert sum(len(packet.data) for packet in bitstream.packets) == frames * -(-bits // 8)
    assert card.nominal_kbps == pytest.approx(bits * card.frame_rate / 1000)


def card_counts_the_network(case: NeuralCase) -> None:
    """Parameters, rate and causality on the card are the network's own."""
    network = case.codec.network
    assert case.card.parameters == parameter_count(network)
    assert case.card.sample_rate == network.sample_rate
    assert case.card.delay_samples == network.delay_samples
    assert case.card.causal == network.causal
    assert case.hop == network.hop_length
    assert not network.training


def codes_are_of_the_nearest_codewords(case: NeuralCase) -> None:
    """The codes that are sent are those of the network's plain pass; not all are alike."""
    audio = case.voice(2 * case.rate)
    bitstream = case.codec.encode(audio)
    case.check_codes(audio, bitstream, bitstream)
    codes = case.codec.tokens([bitstream]).codes[0]
    assert min(len(np.unique(row)) for row in codes) > 2


def any_rate_is_in_one_bitstream(case: NeuralCase) -> None:
    """The highest rate's bitstream holds what every lower rate sends, bit by bit."""
    full, audio = case.at(kbps=None), case.voice(9_000)
    sent = full.encode(audio)
    tokens = full.tokens([sent])
    for rate in full.rates:
        lower = case.at(kbps=rate)
        kept = full.at_lower_rate(sent, rate)
        assert kept == lower.encode(audio)
        assert kept.codec == lower.spec
        decoded = lower.decode(kept).samples
        first = replace(tokens, codes=tokens.codes[:, : len(lower.widths)])
        assert np.array_equal(full.detokenize(first)[0, : len(decoded)], decoded)
    bits = [full.at_lower_rate(sent, rate).main_bits for rate in full.rates]
    assert bits == [bits[0] * (layer + 1) for layer in range(len(bits))]


def more_layers_fit_better(case: NeuralCase) -> None:
    """Every layer brings the quantized latents nearer to what the encoder said."""
    quantizer, latents = case.codec.network.quantizer, case.offline(case.voice(2 * case.rate))[None]
    if quantizer.config.lookup == "cosine":
        pytest.skip("codewords found by direction alone need not come nearer")
    with torch.inference_mode():
        codes, groups = quantizer.encode(latents), quantizer.config.groups
        errors = [
            float((quantizer.decode(codes[:, : groups * layers]) - latents).square().mean())
            for layers in range(1, quantizer.config.codebooks + 1)
        ]
    assert errors == sorted(errors, reverse=True)
    assert errors[0] < float(latents.square().mean())


def batch_equals_single(case: NeuralCase) -> None:
    """Signals of very different lengths give in a batch what they give alone."""
    audios = [case.voice(length, seed) for seed, length in enumerate(VERY_DIFFERENT_LENGTHS)]
    bitstreams = [case.codec.encode(audio) for audio in audios]
    for audio, one, other in zip(audios, bitstreams, case.codec.encode_batch(audios), strict=True):
        case.check_codes(audio, one, other)
        assert one.side_information == other.side_information
    for one, other in zip(bitstreams, case.codec.decode_batch(bitstreams), strict=True):
        assert_close(case.codec.decode(one).samples, other.samples, EQUAL)


def an_empty_batch_is_empty(case: NeuralCase) -> None:
    """No signals give no bitstreams, and no bitstreams no signals."""
    assert case.codec.encode_batch([]) == []
    assert case.codec.decode_batch([]) == []


def save_equals_load(case: NeuralCase) -> None:
    """Weights that were written and read again code the same; in fewer bits nearly the same."""
    audio = case.voice()
    sent = case.codec.encode(audio)
    decoded = case.codec.decode(sent).samples
    with TemporaryDirectory() as folder:
        exact = _saved(case, Path(folder) / "exact.safetensors", "float32")
        assert exact.encode(audio).packets == sent.packets
        assert_close(decoded, exact.decode(sent).samples, EQUAL)
        for precision, least in STORED_SNR_DB.items():
            stored = _saved(case, Path(folder) / f"{precision}.safetensors", precision)
            error = stored.decode(sent).samples - decoded
            snr = 10 * np.log10(np.sum(decoded**2) / max(np.sum(error**2), 1e-20))
            assert snr > least, f"{precision} weights leave {snr:.1f} dB"


def streamed_equals_offline(case: NeuralCase) -> None:
    """Chunks of a sample, a prime and a hop give the packets and samples of the whole."""
    if not case.streams:
        pytest.skip("it looks ahead")
    audio = case.voice(20 * case.hop + 5)
    for size in (1, 7, case.hop, 3 * case.hop + 1, len(audio)):
        check_stream(case, audio, [size] * -(-len(audio) // size))


def check_stream(case: NeuralCase, audio: Audio, sizes: Iterable[int]) -> None:
    """Stream a signal in chunks of these sizes (the rest in one) through both streams."""
    bitstream = case.codec.encode(audio)
    encoder, packets, position = case.codec.encoder_stream(), [], 0
    for size in sizes:
        packets += encoder.push(audio.samples[position : position + size])
        position += size
        assert len(packets) == min(position, len(audio)) // case.hop, "packets come late"
    packets += encoder.push(audio.samples[position:])
    packets += encoder.finish()
    case.check_codes(audio, bitstream, case.codec.bitstream(audio, packets))
    decoder = case.codec.decoder_stream()
    waves = [decoder.push(packet) for packet in bitstream.packets]
    assert {len(wave) for wave in waves} == {case.hop}
    decoded = case.codec.decode(bitstream).samples
    assert_close(decoded, np.concatenate(waves)[: len(decoded)], STREAMED)
    assert_close(plainly_decoded(case, bitstream), decoded, STREAMED)


def plainly_decoded(case: NeuralCase, bitstream: Bitstream) -> Samples:
    """Decode in one pass of the network, without chunks."""
    codes = torch.from_numpy(case.codec.tokens([bitstream]).codes)
    with torch.inference_mode():
        network = case.codec.network
        waves: Samples = network.decode(network.quantizer.decode(codes))[0].numpy()
    return waves[: bitstream.samples + case.delay]


def what_looks_ahead_does_not_stream(case: NeuralCase) -> None:
    """A codec that cannot stream says so in one line."""
    if case.streams:
        pytest.skip("it streams")
    for start in (case.codec.encoder_stream, case.codec.decoder_stream):
        with pytest.raises(UserError, match="looks ahead"):
            start()


def latency_is_what_the_card_says(case: NeuralCase) -> None:
    """Measured with and without quantizer, it is the declared one; unknown only if not causal."""
    phases = some_phases(case.hop)
    measured = {
        "network": network_latency(case.codec.network, phases),
        "codec": codec_latency(case.codec, phases),
    }
    check_latency(case, measured)


def check_latency(case: NeuralCase, measured: dict[str, float]) -> None:
    """Compare latencies in samples with the card."""
    declared = case.card.algorithmic_latency_ms
    if case.codec.side_widths:
        assert declared == math.inf, "side information is taken from the whole utterance"
        declared = case.codec.streaming_latency_ms
    if declared is None:
        assert case.card.causal is False, "a causal codec knows its latency"
        assert measured["network"] > case.hop + case.delay, "it is causal after all"
        return
    for path, samples in measured.items():
        found = 1000 * samples / case.rate
        faint = FAINT_TRAINED if case.is_trained else FAINT
        least = declared * (1 - (0 if case.card.causal else faint))
        assert least * (1 - 1e-6) <= found <= declared * (1 + 1e-6) or found == declared, (
            f"{path}: {found:g} ms; the card says {declared:g}"
        )


def some_phases(hop: int) -> Sequence[int]:
    """Return all places in a hop, or sixteen with the first and the last among them."""
    if hop <= LATENCY_PHASES:
        return range(hop)
    return sorted({0, hop - 1, *np.linspace(1, hop - 2, 14).astype(int).tolist()})


def losses_are_survived(case: NeuralCase) -> None:
    """Whatever packets are lost, the rest decodes; what came before the first loss is untouched."""
    if not case.streams:
        pytest.skip("it looks ahead")
    bitstream = case.codec.encode(case.voice(12 * case.hop + 3))
    count, rng = len(bitstream.packets), np.random.default_rng(0)
    subsets = [{0}, {count - 1}, {3, 4, 5}, set(range(count)), set(range(0, count, 2))]
    subsets += [set(np.flatnonzero(rng.random(count) < 0.3).tolist()) for _ in range(5)]
    for lost in subsets:
        check_losses(case, bitstream, lost)


def check_losses(case: NeuralCase, bitstream: Bitstream, lost: set[int]) -> None:
    """Decode without the packets at these positions."""
    plain = case.codec.decode(bitstream).samples
    whole = case.codec.decode_with_losses(bitstream, ()).samples
    assert len(whole) >= len(plain)
    assert_close(plain, whole[: len(plain)], STREAMED)
    decoded = case.codec.decode_with_losses(bitstream, lost)
    assert (len(decoded), decoded.sample_rate) == (len(whole), case.rate)
    assert decoded.is_finite
    assert np.abs(decoded.samples).max() <= 8.0
    untouched = min(lost, default=len(bitstream.packets)) * case.hop
    assert np.array_equal(decoded.samples[:untouched], whole[:untouched])
    assert not lost or not np.array_equal(decoded.samples, whole), "nothing was lost"


def speech_is_on_time(case: NeuralCase) -> None:
    """Speech comes back where it was, by the declared delay alone."""
    if not case.is_trained:
        pytest.skip("random weights return no speech")
    for utterance in Demo().utterances()[:4]:
        reference = utterance.audio().resampled(case.rate)
        decoded = decode(case.codec, encode(case.codec, reference), reference).audio
        assert estimate_delay(reference, decoded) == 0, utterance.id


def coding_is_faster_than_speaking(case: NeuralCase) -> None:
    """Both ways together take one thread less time than the signal lasts."""
    if not case.is_trained:
        pytest.skip("random networks are no codecs that anybody uses")
    audio = case.voice(4 * case.rate)
    assert min(_seconds_on_one_thread(case.codec, audio) for _ in range(3)) < audio.seconds


def _seconds_on_one_thread(codec: NeuralCodec, audio: Audio) -> float:
    """Processor time of coding; several threads would also count what they wait for each other."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        start = time.thread_time()
        codec.decode(codec.encode(audio))
        return time.thread_time() - start
    finally:
        torch.set_num_threads(threads)


NEURAL_LAWS: tuple[Callable[[NeuralCase], None], ...] = (
    bits_are_exact,
    card_counts_the_network,
    codes_are_of_the_nearest_codewords,
    any_rate_is_in_one_bitstream,
    more_layers_fit_better,
    batch_equals_single,
    an_empty_batch_is_empty,
    save_equals_load,
    streamed_equals_offline,
    what_looks_ahead_does_not_stream,
    latency_is_what_the_card_says,
    losses_are_survived,
    speech_is_on_time,
    coding_is_faster_than_speaking,
)


def assert_close(expected: Samples, found: Samples, tolerance: float) -> None:
    """Compare signals; they may differ by a part of the expected one's peak."""
    assert expected.shape == found.shape
    worst, peak = np.abs(found - expected).max(), np.abs(expected).max()
    assert worst <= tolerance * peak, f"{worst:.2g} apart at a peak of {peak:.2g}"


def _saved(case: NeuralCase, path: Path, precision: Precision) -> NeuralCodec:
    """Write the weights of a codec and load them anew."""
    metadata = {k: v for k, v in case.codec.weights_file.metadata.items() if k != "format"}
    write_weights(path, case.codec.network, metadata, precision)
    codec = case.at(weights=str(path))
    codec.setup()
    return codec
