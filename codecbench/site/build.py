"""`build_site`: run folders in, a folder of static pages out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from ..engine.decode_again import UNTRUSTED
from ..engine.run import Progress
from ..errors import UserError
from ..reports.layout import one_line
from ..reports.selection import columns_named
from ..results.run_folder import Run
from ..results.schema import REFERENCE
from .audio import Sound, SoundMaker, trusted_specs
from .choice import Chosen, choose, with_audio
from .folder import SiteFolder
from .identity import identities_of
from .leaderboard import Board, boards_of
from .listening import Design, judged_codecs, write_items
from .spectrogram import BOTTOM_DB, TOP_DB
from .utterances import Scores, UtterancePage, labels_of, page_of

DEFAULT_UTTERANCES = 12


@dataclass(frozen=True)
class SiteOptions:
    """What a site is to hold.

    Parameters
    ----------
    utterances : int
        Pages of utterances of each corpus; 0 for none, and no listening page.
    metrics : tuple of str
        Metrics or columns of the leaderboard; all if empty.
    listen : tuple of str
        Specs or sweeps that are judged on the listening page.
    data_root : Path or None
        Where the corpora are.
    device : str
        Torch device of the decoders.
    title : str
    trusted : tuple of str
        Specs that are obeyed although they name commands, files or addresses.
    """

    utterances: int = DEFAULT_UTTERANCES
    metrics: tuple[str, ...] = ()
    listen: tuple[str, ...] = ()
    data_root: Path | None = None
    device: str = "cpu"
    title: str = "Speech codecs"
    trusted: tuple[str, ...] = ()


def build_site(
    runs: Sequence[Run], out: Path, options: SiteOptions, progress: Progress
) -> SiteFolder:
    """Write the site of some runs.

    Repeated, it decodes only what is new, and removes pages that no longer belong to the site.

    Parameters
    ----------
    runs : sequence of Run
        Each keeps its own tables; numbers of two runs are never mixed.
    out : Path
        Empty, not there yet, or an earlier build's.
    options : SiteOptions
    progress : Progress

    Raises
    ------
    UserError
        If a run holds no results or not what was asked for or trusted, or `out` holds other
        things.
    """
    options = replace(options, trusted=trusted_specs(runs, options.trusted))
    boards = [
        board for number, run in enumerate(runs, 1) for board in _boards(run, number, options)
    ]
    for run in runs:
        judged_codecs(run, options.listen)  # Refuses what cannot be judged before any work.
    folder = SiteFolder(out)
    folder.assets()
    pages: list[UtterancePage] = []
    designs: list[Design] = []
    named = zip(runs, identities_of(runs), strict=True)
    for run, identity in named if options.utterances else ():
        made, design = _utterances_of(run, identity, folder, options, progress)
        pages += made
        designs.append(design)
        if design.is_empty:
            why = "; ".join(design.notes) or "no codec"
            progress.note(f"{run.path}: no listening test: {why}")
    _write_pages(folder, boards, pages, designs, options)
    folder.finish()
    return folder


def _boards(run: Run, number: int, options: SiteOptions) -> list[Board]:
    wanted = columns_named(run, options.metrics) if options.metrics else None
    return boards_of(run, number, wanted)


def _utterances_of(
    run: Run, identity: str, folder: SiteFolder, options: SiteOptions, progress: Progress
) -> tuple[list[UtterancePage], Design]:
    """Make the sounds of one run, and what its pages show."""
    chosen = with_audio(run, choose(run, options.utterances), options.data_root)
    for why in dict.fromkeys(one.missing for one in chosen if one.missing):
        progress.note(f"{run.path}: no sound: {why}")
    labels, scores = labels_of(run), Scores(run, [one.key for one in chosen])
    maker = SoundMaker(run, folder, run.order, chosen, options.device, options.trusted)
    for codec in maker.untrusted:
        progress.note(
            f"{run.path}: no sound of {one_line(codec)}: {UNTRUSTED};"
            " if you trust it, repeat the spec with --trust"
        )
    progress.stage("decoding", len(chosen) * len(run.order))
    pages, heard = [], []
    for one in chosen:
        sounds = _sounds_of(maker, one, run.order, progress)
        pages.append(page_of(run, identity, one, list(sounds.values()), scores, labels))
        heard.append((one, sounds))
        if one.utterance is not None:
            one.utterance.forget()
    silent = {codec for codec in run.order if not any(s[codec].audio for _, s in heard)}
    judged, notes = judged_codecs(run, options.listen, silent)
    design = write_items(folder, run, identity, heard, judged, labels)
    return pages, Design(design.name, design.document, [*notes, *design.notes])


def _sounds_of(
    maker: SoundMaker, chosen: Chosen, codecs: Sequence[str], progress: Progress
) -> dict[str, Sound]:
    sounds = {REFERENCE: maker.reference(chosen)}
    for codec in codecs:
        sounds[codec] = maker.codec(chosen, codec)
        progress.advance()
    return sounds


def _write_pages(
    folder: SiteFolder,
    boards: Sequence[Board],
    pages: Sequence[UtterancePage],
    designs: Sequence[Design],
    options: SiteOptions,
) -> None:
    listening = [design for design in designs if not design.is_empty]
    shared = {"title": options.title, "has_utterances": bool(pages), "listening": listening}
    folder.page("index.html", "index.html", boards=boards, **shared)
    if pages:
        folder.page("utterances/index.html", "utterances.html", pages=pages, **shared)
    for place, page in enumerate(pages):
        before = pages[place - 1] if place else None
        after = pages[place + 1] if place + 1 < len(pages) else None
        name = f"utterances/{page.name}.html"
        folder.page(
            name, "utterance.html", page=page, before=before, after=after,
            top_db=TOP_DB, bottom_db=BOTTOM_DB, **shared,
        )  # fmt: skip
    for design in listening:
        folder.page(f"{design.name}.html", "listen.html", design=design, **shared)


def require_runs(paths: Sequence[Path]) -> list[Run]:
    """Open run folders.

    Raises
    ------
    UserError
        If one is none, or is named twice.
    """
    resolved = [path.resolve() for path in paths]
    for path in resolved:
        if resolved.count(path) > 1:
            raise UserError(f"{path} is named twice")
    return [Run(path) for path in paths]
