"""A comparison as JUnit XML: one test case a check, so that CI systems list what broke."""

from __future__ import annotations

from collections.abc import Iterator
from xml.etree import ElementTree

from ...reports.layout import one_line
from ..findings import CodecComparison, ColumnComparison, Comparison
from ..layout import difference_of, headline, missing_codecs_of, worst_line


def write(comparison: Comparison) -> str:
    """Write a test suite for each codec, and one for codecs that are missing."""
    root = ElementTree.Element("testsuites", name="codecbench compare")
    for codec in comparison.codecs:
        cases = [case for column in codec.columns for case in _cases(comparison, codec, column)]
        root.append(_suite(comparison, codec.label, cases))
    if comparison.lacks_codecs:
        missing = _case("codecs", "all of the base", missing_codecs_of(comparison))
        root.append(_suite(comparison, "codecs", [missing]))
    ElementTree.indent(root)
    return ElementTree.tostring(root, encoding="unicode", xml_declaration=True) + "\n"


def _suite(
    comparison: Comparison, name: str, cases: list[ElementTree.Element]
) -> ElementTree.Element:
    failures = sum(case.find("failure") is not None for case in cases)
    suite = ElementTree.Element(
        "testsuite",
        name=one_line(name),
        tests=str(len(cases)),
        failures=str(failures),
        errors="0",
    )
    suite.extend(cases)
    ElementTree.SubElement(suite, "system-out").text = one_line(headline(comparison))
    return suite


def _cases(
    comparison: Comparison, codec: CodecComparison, column: ColumnComparison
) -> Iterator[ElementTree.Element]:
    for threshold, broken in column.thresholds:
        reason = f"{column.name}: {difference_of(column)}" if broken else None
        yield _case(codec.label, str(threshold), reason, column)
    if comparison.allowed_failures is not None:
        failed = comparison.has_too_many_failures(column)
        reason = f"{column.new_failures} utterances that the base scored failed"
        name = f"{column.name}: failures"
        yield _case(codec.label, name, reason if failed else None, column)
    if comparison.allowed_missing is not None:
        lacking = comparison.has_too_many_missing(column)
        reason = f"{column.missing} utterances that the base scored are missing"
        name = f"{column.name}: missing utterances"
        yield _case(codec.label, name, reason if lacking else None, column)


def _case(
    label: str, name: str, reason: str | None, column: ColumnComparison | None = None
) -> ElementTree.Element:
    case = ElementTree.Element("testcase", classname=one_line(label), name=one_line(name))
    if reason is not None:
        ElementTree.SubElement(case, "failure", message=one_line(reason))
    if reason is not None and column is not None:
        ElementTree.SubElement(case, "system-out").text = "\n".join(_worst(column))
    return case


def _worst(column: ColumnComparison) -> Iterator[str]:
    for one in column.worst:
        yield worst_line(column, one)
        for what, path in one.sounds.listed():
            yield f"  {what} {one_line(str(path))}"
