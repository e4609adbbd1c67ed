"""A run folder with real cards and made-up numbers: a sweep, a failure, a training speaker."""

import json
import math

import numpy as np

from codecbench.registry import codec_of, metric_of
from codecbench.results.manifest import CodecEntry, Manifest, MetricEntry, Session
from codecbench.results.run_folder import AUDIO_INDEX, MANIFEST, ROWS, load_run
from codecbench.results.schema import REFERENCE, Row, rows_schema, write_part

OPUS = [codec_of(f"opus:kbps={kbps}").spec for kbps in (6, 12, 24)]
MULAW = codec_of("mulaw").spec
CODECS = [*OPUS, MULAW]
FAILURE = 'the decoder gave up, "badly",\nin two lines'
SPLITS = ("test-clean", "test-other")
SPEAKERS = 6
SEEN = "s0"
"""A speaker that the weights of mu-law (so to speak) were trained on."""


def make(path, sha256="a" * 64):
    """Write the folder and return the run."""
    (path / ROWS).mkdir(parents=True)
    _manifest().write(path / MANIFEST)
    utterances = [(SPLITS[s % 2], f"s{s}", f"u{s}-{n}") for s in range(SPEAKERS) for n in range(3)]
    index = [
        ["librispeech", split, name, {"size": 1, "mtime_ns": 1, "sha256": sha256}]
        for split, _, name in utterances
    ]
    (path / AUDIO_INDEX).write_text(json.dumps(index))
    rng = np.random.default_rng(3)
    rows = [row for where in utterances for row in _rows(rng, *where)]
    write_part(path / ROWS, rows, rows_schema())
    return load_run(path)


def _manifest():
    return Manifest(
        corpora=["librispeech"],
        codecs={spec: _codec(spec) for spec in CODECS},
        metrics={
            name: MetricEntry(
                identity=metric_of(name).card.identity,
                card=metric_of(name).card.as_dict(),
                is_default=True,
            )
            for name in ("stoi", "bitrate")
        },
        sessions=[
            Session(
                started="2026-01-02T03:04:05+00:00", finished="2026-01-02T03:05:05+00:00",
                command=["codecbench", "run"], python="3.11", platform="x", cpu="y", cpu_count=2,
                packages={"codecbench": "0.1.0", "numpy": "2.0"}, jobs=1, device="cpu",
            )
        ],
    )  # fmt: skip


def _codec(spec):
    codec = codec_of(spec)
    card = codec.card.as_dict()
    if spec == MULAW:
        card["training_speakers"] = [f"librispeech:{SEEN}"]
    return CodecEntry(identity=codec.identity, version=codec.version, card=card)


def _rows(rng, split, speaker, name):
    where = {"corpus": "librispeech", "split": split, "speaker": speaker, "utterance": name}
    for place, codec in enumerate(CODECS):
        kbps, seconds = (6, 12, 24, 128)[place] + rng.normal(0, 0.3), rng.uniform(1, 9)
        failed = codec == OPUS[0] and name == "u5-2"
        value = math.nan if failed else min(1.0, 0.8 + 0.04 * place + rng.normal(0, 0.02))
        yield Row(
            codec=codec, rate=16000, metric="stoi", metric_spec="stoi", value=value, unit="",
            numerator=None, denominator=None, error=FAILURE if failed else None, **where,
        )  # fmt: skip
        yield Row(
            codec=codec, rate=16000, metric="kbps", metric_spec="bitrate", value=kbps,
            unit="kbit/s", numerator=kbps * seconds, denominator=seconds, error=None, **where,
        )  # fmt: skip
    yield Row(
        codec=REFERENCE, rate=16000, metric="stoi", metric_spec="stoi", value=1.0, unit="",
        numerator=None, denominator=None, error=None, **where,
    )  # fmt: skip
