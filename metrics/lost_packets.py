"""Lost packets: how many of an utterance's packets did not reach the decoder."""

from __future__ import annotations

from ..metric import Column, Decoded, Metric, Score


class LostPackets(Metric):
    """Packets lost over packets sent; every run with ``--packet-loss`` records it."""

    name = "lost_packets"
    columns = (
        Column(
            "lost_packets",
            "lost packets",
            "",
            None,
            bounds=(0.0, 1.0),
            pooled=True,
            ranked=False,
            default=False,
            digits=4,
        ),
    )
    definition = """Packets that were lost on their way to the decoder over packets sent; pooled
        over utterances. Side information is not counted: it always arrives. Counted bits are
        those that were sent."""
    accepts_silence = True
    accepts_unequal_lengths = True

    def _score(self, prepared: object, decoded: Decoded) -> dict[str, Score]:
        if decoded.bitstream is None or not decoded.bitstream.packets:
            return {"lost_packets": Score.failed("this audio came without packets")}
        sent = len(decoded.bitstream.packets)
        return {"lost_packets": Score.ratio(decoded.lost_packets, sent)}
