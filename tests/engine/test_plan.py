from dataclasses import replace
from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import codecbench
from codecbench.engine.plan import Missing, plan, shards
from codecbench.engine.selection import select_codecs, select_metrics
from codecbench.results.manifest import Manifest
from codecbench.results.run_folder import BITSTREAMS, MANIFEST, ROWS, Run
from codecbench.results.schema import (
    Row,
    StoredBitstream,
    bitstreams_schema,
    rows_schema,
    write_part,
)


@pytest.fixture(scope="module")
def asked():
    utterances = codecbench.load_corpus("demo").utterances()[:3]
    return (
        [replace(item, rate=16000) for item in utterances],
        select_codecs(["mulaw", "g722"]),
        select_metrics(["si_sdr", "stoi"]),
    )


def empty_run(path):
    path.mkdir()
    Manifest().write(path / MANIFEST)
    return Run(path)


def triples(missing):
    return {
        (item.utterance.id, codec, spec, name)
        for item in missing
        for codec, columns in item.of_codec.items()
        for spec, names in columns.items()
        for name in names
    }


def write(run, utterances, keys):
    of_id = {item.id: item for item in utterances}
    rows = []
    for (name, codec, spec, column), error in keys:
        of = of_id[name]
        rows.append(
            Row(
                codec,
                of.corpus,
                of.split,
                of.speaker,
                name,
                16000,
                column,
                spec,
                0.0,
                None,
                None,
                "",
                error,
            )
        )
    write_part(run.path / ROWS, rows, rows_schema())


@settings(max_examples=30, deadline=None)
@given(data=st.data(), retry=st.booleans())
def test_missing_is_what_was_asked_for_and_has_no_row_that_counts(
    asked, tmp_path_factory, data, retry
):
    utterances, codecs, selection = asked
    run = empty_run(tmp_path_factory.mktemp("x") / "run")
    everything = triples(plan(run, utterances, codecs, selection))
    assert len(everything) >= 3 * 2 * 2
    row = st.tuples(st.sampled_from(sorted(everything)), st.sampled_from([None, "failed"]))
    latest = {}
    for part in data.draw(st.lists(st.lists(row, min_size=1, max_size=12), max_size=4)):
        write(run, utterances, part)
        latest.update(part)
    repaired = data.draw(st.sets(st.sampled_from([item.key for item in utterances])))
    names = {key[2] for key in repaired}
    counted = {
        key for key, error in latest.items() if error is None or not (retry or key[0] in names)
    }
    found = plan(run, utterances, codecs, selection, retry, frozenset(repaired))
    assert triples(found) == everything - counted
    order = [item.id for item in utterances]
    assert [order.index(item.utterance.id) for item in found] == sorted(
        order.index(item.utterance.id) for item in found
    )


def test_rows_of_other_utterances_codecs_and_metrics_do_not_matter(asked, tmp_path):
    utterances, codecs, selection = asked
    run = empty_run(tmp_path / "run")
    everything = triples(plan(run, utterances, codecs, selection))
    name, codec, spec, column = min(everything)
    others = [(name, "opus", spec, column), (name, codec, "pesq", column), (name, codec, spec, "x")]
    write(run, utterances, [(key, None) for key in others])
    assert triples(plan(run, utterances, codecs, selection)) == everything


def test_shards_carry_the_bitstreams_that_were_kept(asked, tmp_path):
    utterances, codecs, _ = asked
    run = empty_run(tmp_path / "run")
    kept = [
        StoredBitstream(codec, *item.key, 1.0, f"{codec} {item.id}".encode())
        for item, codec in product(utterances[:2], codecs)
    ]
    write_part(run.path / BITSTREAMS, kept, bitstreams_schema())
    columns = {key: {"stoi": ("stoi",)} for key in ["reference", *codecs]}
    found = list(shards(run, [Missing(item, columns) for item in utterances], {}))
    assert [shard.number for shard in found] == [0, 1, 2]
    carried = [task.bitstream for shard in found for task in shard.tasks if task.bitstream]
    assert carried == kept
    assert all(
        task.bitstream is None or task.codec == task.bitstream.codec
        for shard in found
        for task in shard.tasks
    )
