"""Speaker similarity: cosine of the speaker embeddings of reference and decoded speech."""

from __future__ import annotations

from ..component import Requirement
from ..metric import Column, Law
from ..speaker import SpeakerEncoder, load_speaker_encoder
from .speaker_cosine import SpeakerCosine


class SpeakerSimilarity(SpeakerCosine):
    """Cosine of GE2E embeddings; the values of other encoders are not comparable to it."""

    name = "spk_sim"
    requirements = (
        Requirement("module", "resemblyzer", "pip install resemblyzer"),
        Requirement("module", "webrtcvad", "pip install webrtcvad"),
        Requirement("module", "torch", "pip install torch"),
    )
    columns = (
        Column("spk_sim", "speaker similarity (GE2E)", "", "higher", bounds=(-1.0, 1.0), digits=3),
    )
    definition = """Cosine of the speaker embeddings of the reference and the decoded speech at
        16 kHz. Encoder: GE2E (Resemblyzer 0.1.4, its own weights): level raised to -30 dB of full
        scale, pauses cut by WebRTC's voice activity detector (mode 3), mean of pieces of 1.6 s;
        samples clipped to [-1, 1]. Its range is compressed: other utterances of the same speaker
        score about 0.8, other speakers about 0.5. Not comparable to values of WavLM- or
        ECAPA-based encoders. No score if the detector finds no speech in one of the signals."""
    package = "resemblyzer"
    paper = "Wan et al., Generalized end-to-end loss for speaker verification, ICASSP 2018"
    laws = (
        Law("identity_is_best", ("spk_sim",), tolerance=1e-6),
        Law("polarity_invariant", ("spk_sim",), tolerance=0.01),
    )

    def _load_encoder(self, device: str) -> SpeakerEncoder:
        return load_speaker_encoder("ge2e", device)
