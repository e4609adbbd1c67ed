"""A comparison as JUnit XML: one test case a threshold, so that CI systems list what broke."""

from __future__ import annotations

from collections.abc import Iterator
from xml.etree import ElementTree

from ...reports.layout import one_line
from ..comparison import CodecComparison, ColumnComparison, Comparison
from ..layout import headline


def write(comparison: Comparison) -> str:
    """Write a test suite for each codec."""
    root = ElementTree.Element("testsuites", name="codecbench compare")
    for codec in comparison.codecs:
        cases = [case for column in codec.columns for case in _cases(comparison, codec, column)]
        failures = sum(case.find("failure") is not None for case in cases)
        suite = ElementTree.SubElement(
            root,
            "testsuite",
            name=one_line(codec.label),
            tests=str(len(cases)),
            failures=str(failures),
            errors="0",
        )
        suite.extend(cases)
        ElementTree.SubElement(suite, "system-out").text = one_line(headline(comparison))
    ElementTree.indent(root)
    return ElementTree.tostring(root, encoding="unicode", xml_declaration=True) + "\n"


def _cases(
    comparison: Comparison, codec: CodecComparison, column: ColumnComparison
) -> Iterator[ElementTree.Element]:
    for threshold, broken in column.thresholds:
        difference = column.difference.interval.worded("+", column.column.digits + 1)
        yield _case(codec, str(threshold), f"{column.name}: {difference}" if broken else None)
    if comparison.allowed_failures is not None:
        failed = comparison.has_too_many_failures(column)
        reason = f"{column.new_failures} utterances that the base scored failed"
        yield _case(codec, f"{column.name}: failures", reason if failed else None)


def _case(codec: CodecComparison, name: str, reason: str | None) -> ElementTree.Element:
    case = ElementTree.Element("testcase", classname=one_line(codec.label), name=one_line(name))
    if reason is not None:
        ElementTree.SubElement(case, "failure", message=one_line(reason))
    return case
