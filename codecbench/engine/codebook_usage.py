"""Sends speech through a codec's encoder and counts the codes."""

from __future__ import annotations

from collections.abc import Sequence

from ..codebooks import FRAMES_AN_ENTRY, CodebookCounter, CodebookReport, CodebookUsage
from ..codec import CodecBase, TokenCodec
from ..corpora.base import Utterance
from ..errors import CodecError, UserError
from ..registry import speakers_corpus
from .run import Progress, SilentProgress


def measure_codebooks(
    codec: CodecBase, utterances: Sequence[Utterance], progress: Progress | None = None
) -> CodebookReport:
    """Count how a codec uses its codebooks; one utterance is in memory at a time.

    Parameters
    ----------
    codec : TokenCodec
        Ready to use.
    utterances : sequence of Utterance
    progress : Progress, optional

    Raises
    ------
    UserError
        If the codec has no codebooks, or there is nothing to code.
    CodecError, AudioError
        If an utterance cannot be coded.
    """
    if not isinstance(codec, TokenCodec):
        raise UserError(f"{codec.name} has no codebooks: give a codec that sends codes")
    if not utterances:
        raise UserError("there is no audio to code")
    told = progress or SilentProgress()
    told.stage("counting codes", len(utterances))
    counter, seconds = CodebookCounter(codec.card.codebook_sizes), 0.0
    for utterance in utterances:
        seconds += _count(codec, utterance, counter)
        utterance.forget()
        told.advance()
    usage = counter.usage()
    notes = (*_sample_notes(usage), *_speaker_notes(codec, utterances))
    return CodebookReport(codec.spec, len(utterances), seconds, usage, notes)


def _count(codec: TokenCodec, utterance: Utterance, counter: CodebookCounter) -> float:
    """Count one utterance's codes; return its seconds."""
    audio = utterance.audio()
    name = "/".join(utterance.key)
    if not len(audio):
        raise CodecError(f"{name} is empty")
    if not audio.is_finite:
        raise CodecError(f"{name} holds NaN or infinite samples")
    wave = audio.resampled(codec.card.sample_rate or audio.sample_rate).samples
    counter.add(codec.tokenize(wave[None]).item(0).codes[0])
    return audio.seconds


def _sample_notes(usage: Sequence[CodebookUsage]) -> list[str]:
    """Say which estimates are missing and what the counts cannot show."""
    frames, largest = usage[0].frames, max(one.size for one in usage)
    if any(one.entropy is None for one in usage):
        return [
            f"no entropy is estimated from {frames} frames where {FRAMES_AN_ENTRY} for each entry"
            f" are needed ({FRAMES_AN_ENTRY * largest} in all): code more speech; unused entries"
            " may not have come yet, and perplexities are too low"
        ]
    return []


def _speaker_notes(codec: TokenCodec, utterances: Sequence[Utterance]) -> list[str]:
    trained = {
        (speakers_corpus(corpus), speaker) for corpus, speaker in codec.card.training_speakers
    }
    seen = sum((speakers_corpus(one.corpus), one.speaker) in trained for one in utterances)
    if not seen:
        return []
    return [f"{seen} of {len(utterances)} utterances are of speakers the weights were trained on"]
