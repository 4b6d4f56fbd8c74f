"""The settings: strict in reading, gentle in writing."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kb import config
from kb.config import Settings
from kb.errors import KbError, UnknownName, UsageError

WRITTEN = """\
# what I like
new_per_day = 30   # thirty
learning_steps = [
    "1m",  # a minute
    "10m",
]  # steps

[retention]
# exams
zero = 0.95
"""


def test_no_file_is_the_defaults_and_none_is_made(home: Path) -> None:
    assert config.load(str(home)) == Settings()
    assert config.load(str(home / "missing")) == Settings()
    assert list(home.iterdir()) == []


def test_every_setting_has_a_rule_whose_default_it_accepts() -> None:
    assert set(config.RULES) == set(Settings._fields)
    for key in config.RULES:
        if key != "retention":
            assert config.read(f"{key} = {config.show(key, getattr(Settings(), key))}") == Settings()


def test_what_is_written_is_read() -> None:
    settings = config.read(WRITTEN)
    assert settings.new_per_day == 30
    assert settings.learning_steps == (60, 600)
    assert settings.retention == {"zero": 0.95}
    assert config.read('easy_days = ["Sat", "sunday", 6]\nrelearning_steps = [90, "1.5h"]') == Settings(
        easy_days=(5, 6), relearning_steps=(90, 5400)
    )


@pytest.mark.parametrize(
    ("text", "line", "column", "message", "cure"),
    [
        ("new_per_day = ", 1, None, "invalid value", "TOML"),
        ("fuzz = true\nnew_per_day 3\n", 2, 13, "expected '='", "TOML"),
        ("fuzz = true\nfuzz = false\n", 2, 13, "overwrite", "TOML"),
        ("\n\nnew_per_dya = 3", 3, None, "no setting is called 'new_per_dya'", "did you mean new_per_day?"),
        ("# x\nnew_per_day = 3.5", 2, None, "a whole number from 0 to 9999", "kb config new_per_day"),
        ("new_per_day = true", 1, None, "a whole number from 0 to 9999", ""),
        ("fuzz = 1", 1, None, "true or false", ""),
        ("desired_retention = 1.5", 1, None, "from 0.5 to 0.99", ""),
        ("desired_retention = nan", 1, None, "from 0.5 to 0.99", ""),
        ("learning_steps = ['soon']", 1, None, '["1m", "10m"]', ""),
        ("learning_steps = [-60]", 1, None, "", ""),
        ("easy_days = ['someday']", 1, None, "weekdays", ""),
        ("retention = 0.9", 1, None, "a table of topics", ""),
        ("[retention]\nzero = 2", 1, None, "zero must be a number from 0.5 to 0.99", ""),
        ("[retention.zero]\nx = 2", 1, None, "zero must be a number", ""),
        ("[retentions]\nx = 2", 1, None, "no setting is called 'retentions'", "did you mean retention"),
    ],
)
def test_a_fault_has_its_line_and_a_cure(
    home: Path, text: str, line: int, column: int | None, message: str, cure: str
) -> None:
    path = home / "config.toml"
    path.write_text(text)
    with pytest.raises(KbError) as caught:
        config.load(str(home))
    error = caught.value
    assert (error.file, error.line, error.column, error.exit_code) == (str(path), line, column, 1)
    assert message in error.message
    assert error.cure and cure in error.cure
    assert path.read_text() == text


def test_bytes_that_are_no_text_are_a_fault_with_a_line(home: Path) -> None:
    (home / "config.toml").write_bytes(b"fuzz = true\n# \xff\n")
    with pytest.raises(KbError, match="not UTF-8") as caught:
        config.load(str(home))
    assert caught.value.line == 2


def put(home: Path, key: str, text: str | None) -> str:
    config.put(str(home), key, text)
    return (home / "config.toml").read_text()


def test_a_change_leaves_comments_and_layout_alone(home: Path) -> None:
    (home / "config.toml").write_text(WRITTEN)
    assert put(home, "new_per_day", "5") == WRITTEN.replace("= 30", "= 5")
    written = put(home, "learning_steps", "30s 5m 1d")
    assert 'learning_steps = ["30s", "5m", "1d"]  # steps\n\n[retention]' in written
    assert put(home, "fuzz", "false") == written.replace("# steps\n", "# steps\nfuzz = false\n")
    written = put(home, "retention.self-attention", "0.8")
    assert written.endswith("# exams\nzero = 0.95\nself-attention = 0.8\n")
    assert "zero" not in put(home, "retention.zero", None)
    assert "new_per_day" not in put(home, "new_per_day", None)
    assert config.load(str(home)) == Settings(
        learning_steps=(30, 300, 86_400), fuzz=False, retention={"self-attention": 0.8}
    )


def test_the_first_change_makes_the_file(tmp_path: Path) -> None:
    home = tmp_path / "new" / "home"
    assert put(home, "retention.zero", "0.95") == "[retention]\nzero = 0.95\n"
    assert put(home, "easy_days", "sun sat") == 'easy_days = ["sat", "sun"]\n[retention]\nzero = 0.95\n'
    assert not list(home.glob("*.partial"))


@pytest.mark.parametrize("key", ["new_per_dy", "retention", "fuzz.x", "a.b", ""])
def test_unknown_keys_are_refused(home: Path, key: str) -> None:
    with pytest.raises(UsageError):
        config.put(str(home), key, "1")
    assert list(home.iterdir()) == []


def test_an_unknown_key_is_met_with_a_guess() -> None:
    with pytest.raises(UnknownName, match="new_per_dya") as caught:
        config.value_of(Settings(), "new_per_dya")
    assert "new_per_day" in str(caught.value)


@pytest.mark.parametrize(
    ("key", "text"),
    [("new_per_day", "many"), ("new_per_day", "1\nfuzz = false"), ("fuzz", '"'), ("desired_retention", "inf")],
)
def test_bad_values_are_refused_and_nothing_is_written(home: Path, key: str, text: str) -> None:
    (home / "config.toml").write_text(WRITTEN)
    with pytest.raises(UsageError):
        config.put(str(home), key, text)
    assert (home / "config.toml").read_text() == WRITTEN


def test_a_file_that_is_wrong_is_not_changed(home: Path) -> None:
    (home / "config.toml").write_text("fuzz = maybe")
    with pytest.raises(KbError):
        config.put(str(home), "new_per_day", "3")
    assert (home / "config.toml").read_text() == "fuzz = maybe"


def test_a_layout_that_cannot_be_changed_is_refused(home: Path) -> None:
    text = "retention = {zero = 0.9}\n"
    (home / "config.toml").write_text(text)
    with pytest.raises(KbError, match="cannot change"):
        config.put(str(home), "retention.zero", "0.8")
    assert (home / "config.toml").read_text() == text


@given(key=st.sampled_from(sorted(set(config.RULES) - {"retention"})), noise=st.text(alphabet="#\"' =[]\n", max_size=8))
def test_whatever_is_typed_the_file_stays_readable(
    tmp_path_factory: pytest.TempPathFactory, key: str, noise: str
) -> None:
    home = tmp_path_factory.mktemp("home")
    (home / "config.toml").write_text(WRITTEN)
    for text in (noise, f"1{noise}", f"true{noise}", f'["1m"{noise}]'):
        try:
            config.put(str(home), key, text)
        except UsageError:
            continue
        settings = config.load(str(home))
        assert settings._replace(**{key: None}) == config.read(WRITTEN)._replace(**{key: None})
