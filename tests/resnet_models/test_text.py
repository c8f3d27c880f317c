"""What a file calls things, on a terminal."""

import pytest

from resnet_models.text import readable


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("layer1.0.conv1.weight", "layer1.0.conv1.weight"),
        ("it's :fire: été", "it's :fire: été"),
        ("", "''"),
        ("a\nb\x1b[31m", r"'a\nb\x1b[31m'"),
        ("\u202eright to left", r"'\u202eright to left'"),
        ("\udcff", r"'\udcff'"),
        ("a" * 100, "a" * 100),
        ("a" * 101, "a" * 100 + "…"),
        ("\n" * 101, "'" + r"\n" * 100 + "…'"),
    ],
)
def test_a_name_is_printable_and_short(text, shown):
    assert readable(text) == shown
    assert shown.isprintable()
