"""``codecbench train`` on the command line."""

import sys

import pytest

from codecbench import registry
from codecbench.cli.main import main

from ..training.tiny import TinyCodec, recipe_text, write_speech


def run(capsys, *arguments):
    with pytest.raises(SystemExit) as ended:
        main(["train", *map(str, arguments)])
    return ended.value.code, capsys.readouterr()


@pytest.fixture
def tiny(monkeypatch):
    """Let the tiny codec be found."""
    known = registry.component_class
    monkeypatch.setattr(
        registry,
        "component_class",
        lambda kind, name: TinyCodec if name == "tiny" else known(kind, name),
    )


@pytest.fixture
def recipe(tmp_path):
    path = tmp_path / "tiny.toml"
    path.write_text(recipe_text(write_speech(tmp_path / "speech")))
    return path


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('codec = "opus"', "opus has no network that could be trained"),
        ('codec = "opsu"', "did you mean opus"),
        ("[model]", 'name the codec, as in codec = "soundstream"'),
        ("codec = ", "is not valid TOML"),
        ('codec = "soundstream"', "model: Field required"),
    ],
)
def test_recipes_that_cannot_be_trained_are_refused_in_one_line(tmp_path, capsys, text, message):
    path = tmp_path / "recipe.toml"
    path.write_text(text)
    code, said = run(capsys, path)
    assert code == 2
    assert message in said.err
    assert said.err.count("\n") == 1


def test_a_recipe_that_is_not_there(capsys):
    assert run(capsys, "none.toml")[1].err == "codecbench: there is no recipe none.toml\n"


def test_a_device_that_is_not_there(tiny, recipe, capsys, tmp_path):
    torch = pytest.importorskip("torch")
    if torch.cuda.is_available():
        pytest.skip("cuda is here")
    code, said = run(capsys, recipe, "--device", "cuda", "--out", tmp_path / "out")
    assert code == 2
    assert "device 'cuda' cannot be used here" in said.err


def test_training_stopping_and_going_on(tiny, recipe, capsys, tmp_path):
    out = tmp_path / "out"
    arguments = (recipe, "--out", out, "--threads", "1")
    code, said = run(capsys, *arguments, "--max-minutes", "1e-9")
    assert code == 0
    assert said.out == ""
    assert "stopped after step 1; the same command goes on" in said.err
    code, said = run(capsys, *arguments)
    assert code == 0
    assert "going on after step 1" in said.err
    assert "trained 6 steps" in said.err
    assert (out / "weights.safetensors").exists()
    code, said = run(capsys, *arguments, "--seed", "8")
    assert code == 2
    assert "the recipe changed" in said.err
    assert "--fresh" in said.err


def test_a_shipped_recipe_on_other_speech(capsys, tmp_path):
    """As the documentation says it; the recipe's speakers are not these."""
    shipped = registry.component_class(registry.CODECS, "svcodec").folder / "nano.toml"
    recipe = tmp_path / "nano.toml"
    assert "kmeans_batches = 150" in shipped.read_text()
    recipe.write_text(shipped.read_text().replace("kmeans_batches = 150", "kmeans_batches = 4"))
    arguments = (recipe, "--out", tmp_path / "out", "--threads", "1", "--max-minutes", "1e-9")
    few = write_speech(tmp_path / "few", speakers=15)
    code, said = run(capsys, *arguments, "--data", f"folder:{few}")
    assert code == 2
    assert "15 cannot be reserved of 15; lower it in the recipe" in said.err
    speech = write_speech(tmp_path / "speech", speakers=17, seconds=1.5)
    code, said = run(capsys, *arguments, "--data", f"folder:{speech}")
    assert code == 0, said.err
    assert "stopped after step 1; the same command goes on" in said.err
    assert (tmp_path / "out" / "last.pt").exists()


def test_the_command_is_named_without_torch():
    import subprocess

    code = "import sys, codecbench.cli.main; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
