"""Claims of a user's own: judged by the same tests, refused with a line that helps."""

import pytest

from bench.claims import files, ledger
from bench.config.cell import Cell, CustomNetwork
from bench.config.recipe_files import read
from bench.errors import UsageError
from bench.records import store
from tests.support.factories import make_record
from tests.support.tools import assert_refused, bench

OWN = """
[margins.points]
value = 2
reason = "as good as any"

[[claim]]
id = "tiny.worse"
sentence = "Tiny is as good as ResNet-20."
source = "mine"
kind = "accuracy"
needs = { cells = [CELLS], seeds = 3 }
test = { name = "difference", measure = "test_error", margin = "points" }
"""
CELLS = ", ".join(
    f'{{ model = "{model}", budget = "recipe:{{here}}/short.toml" }}'
    for model in ("cifar_resnet20", "custom_tiny")
)
CUSTOM = CustomNetwork(factory="nets:Tiny", sha256="0" * 64, layers=2)


@pytest.fixture
def write(tmp_path):
    (tmp_path / "short.toml").write_text('base = "paper_cifar"\niterations = 24')

    def write(text):
        path = tmp_path / "own.toml"
        path.write_text(text)
        return path

    return write


def make_tiny(seed, recipe):
    """The record of a custom network."""
    like = make_record(20, network="cifar_resnet", recipe=recipe, seed=seed)
    words = like.cell.model_dump() | dict.fromkeys(("lineage", "stem", "shortcut"), "custom")
    cell = Cell.model_validate(words | {"model": "custom_tiny", "custom": CUSTOM})
    return like.model_copy(update={"cell": cell})


def test_a_custom_network_is_judged_beside_one_of_the_catalog(write, tmp_path):
    path = write(OWN.replace("CELLS", CELLS))
    recipe = read(tmp_path / "short.toml").recipe("cifar10")
    records = [make_tiny(seed, recipe) for seed in range(3)]
    records += [
        make_record(20, network="cifar_resnet", recipe=recipe, seed=seed) for seed in range(3)
    ]
    for record in records:
        store.save(tmp_path / "runs", record)
    (verdict,) = ledger.judge(records, files.read(path))
    assert [(each.label, len(each.values)) for each in verdict.samples] == [
        ("ResNet-20", 3),
        ("tiny", 3),
    ]
    assert verdict.word == "reproduced"  # the same figures
    done = bench("claims", "--file", path, "--results", tmp_path)
    assert done.stdout.endswith("\nOur own hypotheses: 1 reproduced.\n")
    (other,) = ledger.judge(records[:3], files.read(path))
    assert other.word == "not run"


def custom(words):
    return OWN.replace("CELLS", f'"cifar_resnet20", {{ model = "custom_tiny", {words} }}')


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            OWN.replace("CELLS", '"resnet19", "resnet18"'),
            "claim tiny.worse: .*'resnet19' \\(did you mean resnet18",
        ),
        (OWN.replace("CELLS", '"resnet18"'), "difference needs 2 levels of cells, not 1"),
        (custom('stem = "cifar"'), "custom_tiny is a custom network and has no variants"),
        (custom('budget = "recipe:nowhere.toml"'), "--recipe nowhere.toml: No such file"),
        (custom('budget = "long"'), "no budget 'long'; there are none, .*recipe:FILE"),
        (custom('dataset = "svhn"'), "no data set 'svhn'; there are cifar10, mnist"),
        (
            custom('budget = "none"').replace(
                'name = "difference", measure = "test_error", margin = "points"',
                'name = "cost_ratio", quantity = "macs", low = 1, high = 2, reason = "so"',
            ),
            "cost_ratio counts by formula, and a custom network has none",
        ),
        ("claim = 3", r"a claim starts with \[\[claim\]\], and there is none"),
        ("[claim]\nid = 'a'", r"a claim starts with \[\[claim\]\]"),
        ("[[claims]]", r"claims: there are \[\[claim\]\] and \[margins.NAME\] only"),
        ("margins = 3\n[[claim]]", r"a margin starts with \[margins.NAME\]"),
        ("[[claim]]\nid = 'a'\ntest = 3", "claim a: test is a table, each a list of tables"),
        ("[[claim]]\nid = 'a'\neach = [3]", "claim a: test is a table, each a list of tables"),
        ("[[claim]]\nid = 'a'", "claim a: sentence: Field required"),
        ("[[claim", "Expected"),
    ],
)
def test_a_claim_that_cannot_be_tested_exits_with_2(write, text, message):
    path = write(text)
    with pytest.raises(UsageError, match=f"^--file .*own.toml: .*{message}"):
        files.read(path)
    done = bench("claims", "--file", path)
    assert_refused(done, 2, message)
    assert done.stderr.count("\n") == 1


def test_a_file_that_is_not_there_exits_with_2():
    assert_refused(
        bench("claims", "--file", "nowhere.toml"), 2, "--file nowhere.toml: No such file"
    )
