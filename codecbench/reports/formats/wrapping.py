"""`Wrapping`: what stands around a table in a paper or on a page."""

from __future__ import annotations

import re
from dataclasses import dataclass

from ...errors import UserError

CAPTIONED = ("rich", "markdown", "latex", "html", "typst")
LABELLED = ("latex", "html", "typst")
STANDALONE = ("latex", "html")
_LABEL = re.compile(r"[A-Za-z][A-Za-z0-9:._-]*")


@dataclass(frozen=True)
class Wrapping:
    """Caption, label and whether the text is a document of its own.

    Parameters
    ----------
    caption : str
        Above the table; ``rich``, ``markdown``, ``latex``, ``html`` and ``typst``.
    label : str
        What references name: ``\\label``, ``id`` or ``<label>``; ``latex``, ``html``, ``typst``.
    standalone : bool
        A LaTeX document that compiles, a whole HTML page.
    """

    caption: str = ""
    label: str = ""
    standalone: bool = False

    def require_possible(self, kind: str) -> None:
        """Refuse what a format does not have.

        Raises
        ------
        UserError
            If the format takes no caption, label or document, or the label is none.
        """
        for option, given, kinds in (
            ("--caption", self.caption, CAPTIONED),
            ("--label", self.label, LABELLED),
            ("--standalone", self.standalone, STANDALONE),
        ):
            if given and kind not in kinds:
                raise UserError(f"{option} does not go with {kind}, only with {', '.join(kinds)}")
        if self.label and not _LABEL.fullmatch(self.label):
            raise UserError(
                f"the label '{self.label}' must begin with a letter and hold letters, digits and"
                " : . _ - alone"
            )


PLAIN = Wrapping()
