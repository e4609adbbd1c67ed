"""A comparison as JUnit XML: one test case a threshold, so that CI systems list what broke."""

from __future__ import annotations

from collections.abc import Iterator
from xml.etree import ElementTree

from ...reports.layout import one_line
from ..findings import CodecComparison, ColumnComparison, Comparison
from ..layout import difference_of, headline, worst_line


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
        reason = f"{column.name}: {difference_of(column)}" if broken else None
        yield _case(codec, column, str(threshold), reason)
    if comparison.allowed_failures is not None:
        failed = comparison.has_too_many_failures(column)
        reason = f"{column.new_failures} utterances that the base scored failed"
        yield _case(codec, column, f"{column.name}: failures", reason if failed else None)


def _case(
    codec: CodecComparison, column: ColumnComparison, name: str, reason: str | None
) -> ElementTree.Element:
    case = ElementTree.Element("testcase", classname=one_line(codec.label), name=one_line(name))
    if reason is not None:
        ElementTree.SubElement(case, "failure", message=one_line(reason))
        ElementTree.SubElement(case, "system-out").text = "\n".join(_worst(column))
    return case


def _worst(column: ColumnComparison) -> Iterator[str]:
    for one in column.worst:
        yield worst_line(column, one)
        for what, path in one.sounds.listed():
            yield f"  {what} {one_line(str(path))}"
