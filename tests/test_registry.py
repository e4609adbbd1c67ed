import subprocess
import sys

import pytest

from codecbench import registry
from codecbench.errors import UserError

KINDS = (registry.CODECS, registry.METRICS, registry.CORPORA)


@pytest.mark.parametrize(
    ("kind", "name"), [(kind, name) for kind in KINDS for name in registry.names(kind)]
)
def test_every_registered_name_loads_and_calls_itself_so(kind, name):
    assert registry.component_class(kind, name).name == name


def test_close_names_are_suggested():
    with pytest.raises(UserError, match="did you mean opus"):
        registry.codec_of("opsu")


def test_unknown_keys_name_the_known_ones():
    with pytest.raises(UserError, match=r"unknown key 'colour'.*kbps"):
        registry.codec_of("opus:colour=red")


def test_a_column_names_its_metric():
    assert registry.metric_of("pesq_wb").selected == {"pesq_wb"}
    assert registry.metric_of("stoi").selected == {"stoi"}
    assert {"pesq_wb", "pesq_nb"} <= registry.metric_of("pesq").selected


def test_no_column_belongs_to_two_metrics():
    columns = [
        column.name
        for name in registry.names(registry.METRICS)
        for column in registry.component_class(registry.METRICS, name).columns
    ]
    assert len(set(columns)) == len(columns)


@pytest.mark.parametrize(
    "heavy", ["torch", "pandas", "onnxruntime", "pyworld", "av", "scipy.signal"]
)
def test_naming_a_component_loads_nothing_heavy(heavy):
    code = f"""
import sys
from codecbench import registry
registry.column_owners()
[registry.component_class(kind, name) for kind in {KINDS!r} for name in registry.names(kind)]
sys.exit({heavy!r} in sys.modules)
"""
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
