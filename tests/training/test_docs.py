"""``docs/training.md`` says every key, its default, and a recipe that can be read."""

import re
from pathlib import Path

import pytest

from codecbench import registry
from codecbench.adapters.nn.losses import ReconstructionLosses
from codecbench.adapters.training import recipe as tables
from codecbench.adapters.training.objective import check_losses

PAGE = (Path(__file__).parents[2] / "docs" / "training.md").read_text()


def rows():
    """Map the keys of the page's tables to their defaults."""
    found = {}
    for line in PAGE.splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if len(cells) == 3 and re.fullmatch(r"`[\w.]+`", cells[0]):
            found[cells[0].strip("`")] = cells[1].strip("`")
    return found


KEYS = [
    *((tables.DataConfig, "", key) for key in tables.DataConfig.model_fields),
    *((tables.StageConfig, "", key) for key in tables.StageConfig.model_fields),
    *((tables.AverageConfig, "ema.", key) for key in tables.AverageConfig.model_fields),
    *((tables.SelectionConfig, "selection.", key) for key in tables.SelectionConfig.model_fields),
    *((tables.LogConfig, "log.", key) for key in tables.LogConfig.model_fields),
    *((tables.ExportConfig, "export.", key) for key in tables.ExportConfig.model_fields),
    *((tables.Recipe, "", key) for key in ("codec", "variant", "seed")),
    *((tables.Recipe, "", key) for key in ("initial_weights", "initial_parts")),
]


@pytest.mark.parametrize(("table", "prefix", "key"), KEYS, ids=lambda value: str(value)[-30:])
def test_every_key_is_there_with_its_default(table, prefix, key):
    field, said = table.model_fields[key], rows()[prefix + key]
    if field.is_required() or key in ("codebooks", "side_codebooks", "corpora"):
        assert said == ""
    elif key == "discriminator_learning_rate":
        assert said == "the generator's"
    elif key != "seed" or said:
        assert plain(said) == plain(field.default)


def plain(value):
    """Word a default as the page does."""
    text = "none" if value is None else str(value).lower()
    return [float(part) if part[:1].isdigit() or part[:1] == "-" else part
            for part in re.findall(r"[-\w.]+", text)]  # fmt: skip


@pytest.mark.parametrize(
    ("table", "key"),
    [(one, key) for one in (tables.CodebookConfig, tables.SideCodebookConfig)
     for key in one.model_fields],
)  # fmt: skip
def test_keys_of_codebooks_are_there(table, key):
    default = table.model_fields[key].default
    assert re.search(rf"`{key}` \({default}\)", PAGE, flags=re.IGNORECASE)


def test_every_loss_is_there():
    for name in ReconstructionLosses.NAMES:
        assert f"`{name}`" in PAGE


def test_the_recipe_can_be_read(tmp_path):
    path = tmp_path / "recipe.toml"
    path.write_text(re.findall(r"```toml\n(codec.*?)```", PAGE, flags=re.DOTALL)[0])
    recipe = tables.read_recipe(path).recipe
    codec = registry.component_class(registry.CODECS, recipe.codec)
    tables.validated(codec.network_config(), recipe.model, str(path))
    check_losses(recipe, [])
