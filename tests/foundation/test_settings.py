from pathlib import Path

import pytest

from solvent.foundation.settings import BadSettings, load_settings, parse_settings, price


def write(folder: Path, text: str) -> Path:
    (folder / "solvent.toml").write_text(text)
    return folder


def test_nothing_is_required(tmp_path):
    settings = load_settings(tmp_path, {})
    assert settings.store.url == "sqlite"
    assert settings.model("any").policy.spans == ["all", "10w"]


def test_a_model_inherits_what_the_project_says(tmp_path):
    write(tmp_path, '[policy]\nloss = 2.0\n[models.bikes.policy]\nrollout = "2 windows"\n')
    policy = load_settings(tmp_path, {}).model("bikes").policy
    assert (policy.loss, policy.rollout) == (2.0, "2 windows")


def test_pyproject_holds_settings_too(tmp_path):
    (tmp_path / "pyproject.toml").write_text('[tool.solvent.monitor]\nwindow = "1d"\n')
    assert load_settings(tmp_path, {}).monitor.window == "1d"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[polcy]\n", "solvent.toml: unknown setting `polcy`: did you mean `policy`?"),
        (
            "[models.b.policy]\nrolout = 1\n",
            "solvent.toml: [models.b.policy]: unknown setting `rolout`: did you mean `rollout`?",
        ),
        ("[store]\nurl = 3\n", "solvent.toml: Expected `str`, got `int` - at `store.url`"),
        (
            '[monitor]\nwindow = "a while"\n',
            "solvent.toml: `a while` is no length of time: write it as 36h, 7d, 10w or 1mo",
        ),
        (
            '[models.b.policy]\nrollout = "2 weeks"\n',
            'solvent.toml: [models.b]: rollout: `2 weeks` is no price: write a number, or "2 windows"',
        ),
    ],
)
def test_a_mistake_is_named_with_its_place_and_the_way_out(tmp_path, text, message):
    with pytest.raises(BadSettings) as caught:
        load_settings(write(tmp_path, text), {})
    assert str(caught.value) == message


def test_malformed_toml_is_a_sentence(tmp_path):
    with pytest.raises(BadSettings, match=r"solvent.toml: not valid TOML: .*line 1"):
        load_settings(write(tmp_path, "[store\n"), {})


def test_the_environment_overrides_plain_sections(tmp_path):
    environ = {"SOLVENT_STORE_URL": "postgresql://db/x", "SOLVENT_PIPELINE_WORKERS": "3"}
    settings = load_settings(write(tmp_path, '[store]\nurl = "sqlite"\n'), environ)
    assert (settings.store.url, settings.workers) == ("postgresql://db/x", 3)


def test_prices_are_numbers_or_windows():
    assert price("2 windows", 30.0) == 60.0
    assert price(12, 30.0) == 12.0
    with pytest.raises(BadSettings):
        price("cheap", 1.0)


def test_parsing_leaves_other_models_alone():
    settings = parse_settings({"models": {"a": {"policy": {"loss": 3}}, "b": {}}}, "solvent.toml")
    assert (settings.model("a").policy.loss, settings.model("b").policy.loss) == (3, 1)
