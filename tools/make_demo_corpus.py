#!/usr/bin/env python3
"""Make the bundled demo corpus with the speech synthesizers flite and espeak-ng.

    apt install flite espeak-ng
    python tools/make_demo_corpus.py

Writes codecbench/corpora/demo_data: 16 kHz mono FLAC, transcripts and manifest.csv. With flite
2.2-5 and espeak-ng 1.51+dfsg-10 of Debian 12 the samples come out as shipped.
"""

import argparse
import csv
import hashlib
import io
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from codecbench.audio import Audio, read_audio, write_audio
from codecbench.corpora.demo import COLUMNS, DATA
from codecbench.files import write_text_atomic

RATE = 16000
LEVEL = 10 ** (-26 / 20)
"""RMS of every utterance: -26 dB of full scale, the usual level in listening tests."""
PEAK = 0.9


@dataclass(frozen=True)
class Voice:
    """A synthesizer's voice and the sentences it says."""

    synthesizer: str
    voice: str
    speed: int
    sentences: tuple[str, ...]

    @property
    def speaker(self) -> str:
        """Name of the folder."""
        short = self.synthesizer.removesuffix("-ng")
        return f"{short}-{self.voice.replace('-latn-pinyin', '').replace('+', '-')}"

    @property
    def language(self) -> str:
        """ISO 639-1 code."""
        return "zh" if self.voice.startswith("cmn") else "en"


# All sentences were written for this corpus and are dedicated to the public domain (CC0 1.0).
VOICES = (
    Voice("flite", "kal16", 0, (
        "The ferry leaves at seven, so bring a warm coat and something to read.",
        "Nobody had swept the attic since the old clock stopped.",
        "She measured the flour twice and still forgot the salt.",
    )),
    Voice("flite", "awb", 0, (
        "Three small boats were drifting past the lighthouse at dawn.",
        "Please shut the garden gate before the dog gets out again.",
        "A thick fog rolled over the hills and swallowed the valley.",
    )),
    Voice("flite", "rms", 0, (
        "The carpenter sharpened every chisel before he touched the oak.",
        "Could you tell me which platform the night train uses?",
        "We waited for an hour, but the judge never came back.",
    )),
    Voice("flite", "slt", 0, (
        "My sister paints birds on the lids of empty biscuit tins.",
        "Fresh bread smells better when somebody else has baked it.",
        "Charge the battery tonight, because tomorrow will be a long day.",
    )),
    Voice("espeak-ng", "en-us+klatt", 160, (
        "He folded the map carefully and put it under his pillow.",
        "The choir practised the same verse until the lamps went out.",
        "Five yellow taxis stood in a row outside the theatre.",
    )),
    Voice("espeak-ng", "en-us+f2", 160, (
        "Thunder shook the windows, yet the baby slept on quietly.",
        "Every library should smell of paper, dust and fresh coffee.",
        "Which of these two keys opens the cellar door?",
    )),
    Voice("espeak-ng", "en-gb+m7", 165, (
        "The judge asked both brothers to lower their voices.",
        "Put the kettle on, and I shall find us some clean cups.",
        "A polished stone can travel further than you might think.",
    )),
    Voice("espeak-ng", "en-gb+f4", 165, (
        "Her violin case was full of letters and dried flowers.",
        "The last page of the book was missing, as usual.",
        "Watch the red light and count slowly to eleven.",
    )),
    Voice("espeak-ng", "en-gb-scotland+m1", 160, (
        "The loch froze early, and the children skated home from school.",
        "Old maps show a village where the forest is today.",
        "Put your muddy boots beside the stove to dry.",
    )),
    Voice("espeak-ng", "cmn-latn-pinyin+f2", 180, (
        "今天早上下了一场小雨，街上很安静。",
        "请把窗户关上，外面的风太大了。",
        "他每天晚上都在图书馆里看书。",
    )),
    Voice("espeak-ng", "cmn-latn-pinyin+m3", 180, (
        "我们明天坐火车去看望爷爷和奶奶。",
        "桌子上有三个苹果和一杯热茶。",
        "这条河的对面有一座很老的石桥。",
    )),
    Voice("espeak-ng", "cmn-latn-pinyin+f5", 180, (
        "孩子们在院子里一边唱歌一边跳舞。",
        "商店八点开门，我们不用着急。",
        "春天到了，山上的花都开了。",
    )),
)  # fmt: skip

# What espeak-ng is given to say: its dictionary of Chinese characters is not in Debian's package.
PINYIN = {
    "今天早上下了一场小雨，街上很安静。":
        "jin1 tian1 zao3 shang5 xia4 le5 yi4 chang2 xiao3 yu3, jie1 shang5 hen3 an1 jing4.",
    "请把窗户关上，外面的风太大了。":
        "qing3 ba3 chuang1 hu5 guan1 shang4, wai4 mian4 de5 feng1 tai4 da4 le5.",
    "他每天晚上都在图书馆里看书。":
        "ta1 mei3 tian1 wan3 shang5 dou1 zai4 tu2 shu1 guan3 li3 kan4 shu1.",
    "我们明天坐火车去看望爷爷和奶奶。":
        "wo3 men5 ming2 tian1 zuo4 huo3 che1 qu4 kan4 wang4 ye2 ye5 he2 nai3 nai5.",
    "桌子上有三个苹果和一杯热茶。":
        "zhuo1 zi5 shang4 you3 san1 ge4 ping2 guo3 he2 yi4 bei1 re4 cha2.",
    "这条河的对面有一座很老的石桥。":
        "zhe4 tiao2 he2 de5 dui4 mian4 you3 yi2 zuo4 hen3 lao3 de5 shi2 qiao2.",
    "孩子们在院子里一边唱歌一边跳舞。":
        "hai2 zi5 men5 zai4 yuan4 zi5 li3 yi4 bian1 chang4 ge1 yi4 bian1 tiao4 wu3.",
    "商店八点开门，我们不用着急。":
        "shang1 dian4 ba1 dian3 kai1 men2, wo3 men5 bu2 yong4 zhao2 ji2.",
    "春天到了，山上的花都开了。":
        "chun1 tian1 dao4 le5, shan1 shang5 de5 hua1 dou1 kai1 le5.",
}  # fmt: skip


def synthesize(voice: Voice, text: str) -> Audio:
    """Return the sentence at 16 kHz and -26 dB."""
    with tempfile.TemporaryDirectory() as folder:
        wav = Path(folder) / "speech.wav"
        if voice.synthesizer == "flite":
            command = ["flite", "-voice", voice.voice, "-t", text, "-o", str(wav)]
        else:
            spoken = PINYIN.get(text, text)
            speed = str(voice.speed)
            command = ["espeak-ng", "-v", voice.voice, "-s", speed, "-w", str(wav), spoken]
        subprocess.run(command, check=True, timeout=60)
        audio = read_audio(wav)
    samples = audio.resampled(RATE).samples.astype(np.float64)
    gain = min(LEVEL / np.sqrt(np.mean(samples**2)), PEAK / np.abs(samples).max())
    return Audio(np.round(samples * gain * 32768) / 32768, RATE)


def make_voice(voice: Voice, root: Path) -> list[dict[str, str]]:
    """Write a voice's FLAC files and transcripts; return its rows of the manifest."""
    folder = root / "test" / voice.speaker
    rows, lines = [], []
    for number, text in enumerate(voice.sentences, 1):
        name = f"{voice.speaker}-{number:03d}"
        path = folder / f"{name}.flac"
        audio = synthesize(voice, text)
        write_audio(path, audio)
        lines.append(f"{name} {text}\n")
        values = (
            name,
            voice.speaker,
            voice.language,
            voice.synthesizer,
            voice.voice,
            f"{audio.seconds:.3f}",
            hashlib.sha256(path.read_bytes()).hexdigest(),
            text,
        )
        rows.append(dict(zip(COLUMNS, values, strict=True)))
    write_text_atomic(folder / f"{voice.speaker}.trans.txt", "".join(lines))
    return rows


def main() -> None:
    """Make the whole corpus anew."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, default=DATA, help="folder to write")
    root = parser.parse_args().out
    shutil.rmtree(root / "test", ignore_errors=True)
    rows = [row for voice in VOICES for row in make_voice(voice, root)]
    table = io.StringIO()
    writer = csv.DictWriter(table, COLUMNS, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    write_text_atomic(root / "manifest.csv", table.getvalue())
    seconds = [float(row["seconds"]) for row in rows]
    size = sum(path.stat().st_size for path in root.rglob("*") if path.is_file())
    print(
        f"{len(rows)} utterances, {sum(seconds):.0f} s ({min(seconds):.1f} to {max(seconds):.1f} s)"
    )
    print(f"{len(VOICES)} voices, {size / 1e6:.2f} MB in {root}")


if __name__ == "__main__":
    main()
