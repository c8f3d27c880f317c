"""The claims as data: all are there, none holds a number of a reference, nonsense is refused."""

import re
from importlib.resources import files

import pytest

from bench.claims.files import load_claims, parse
from bench.claims.ledger import judge
from bench.claims.methods import Elsewhere, Ordering
from bench.errors import BenchError
from bench.reference.loader import load_paper, load_project2022
from bench.reference.printed import UnknownReferenceError, look_up

CLAIMS = {claim.id: claim for claim in load_claims()}
TOML = files("bench.reference").joinpath("claims.toml").read_text(encoding="utf-8")

GOOD = """
[margins.near]
value = 0.5
reason = "as good as any"

[[claim]]
id = "one"
sentence = "ResNet-20 has an error of {printed}."
source = "Table 6"
origin = "paper"
kind = "accuracy"
needs = { cells = [{ model = "cifar_resnet20", budget = "paper" }], seeds = 3 }
test = { name = "reaches", measure = "test_error", reference = "PATH", margin = "near" }
""".replace("PATH", "paper:tables/table6/rows/ResNet/20/error")


def test_every_row_of_the_paper_has_its_claim():
    depths = [row.layers for row in load_paper().tables.table6.rows if row.method == "ResNet"]
    assert {f"table6.error.{depth}" for depth in depths} <= set(CLAIMS)
    assert {f"table6.parameters.{depth}" for depth in depths} <= set(CLAIMS)
    assert {f"table1.flops.{depth}" for depth in load_paper().tables.table1.depths} <= set(CLAIMS)


def test_every_notebook_of_the_2022_project_has_its_claim():
    sources = {claim.source for claim in CLAIMS.values() if claim.kind == "2022 project"}
    notebooks = {run.notebook for run in load_project2022().runs}
    assert len(notebooks) == 20
    assert notebooks <= sources


def test_what_cannot_be_run_here_says_so():
    imagenet = [claim for claim in CLAIMS.values() if claim.kind == "ImageNet"]
    assert {claim.source for claim in imagenet} >= {f"Table {n}" for n in (2, 3, 4, 5)}
    assert all(isinstance(claim.test, Elsewhere) for claim in imagenet)
    assert len(CLAIMS["table3.error.50"].others) > 5


def test_resnet110_is_held_against_five_runs():
    claim = CLAIMS["table6.error.110"]
    printed = look_up(claim.test.reference)
    assert (printed.value, printed.std, printed.runs) == (6.61, 0.16, 5)
    assert claim.needs.seeds == 10
    assert claim.text == "ResNet-110 has a test error of 6.61 ± 0.16 % on CIFAR-10."
    assert str(claim.needs.groups[0].needed) == "64,000 iterations of paper_cifar_warmup"


def test_no_number_of_a_reference_stands_in_the_claims():
    """Numbers with three digits and more are distinctive enough to be searched for."""
    for claim in CLAIMS.values():
        for path in claim.references:
            text = f"{look_up(path).value:.10g}"
            if len(re.sub(r"\D", "", text).strip("0")) >= 3:
                assert not re.search(rf"(?<![\d.]){re.escape(text)}(?!\d)", TOML), (claim.id, text)


@pytest.mark.parametrize("dataset", ["cifar10", "mnist"])
def test_the_2022_projects_order_is_that_of_its_table(dataset):
    cells = [cell for cell in load_project2022().cells() if cell.dataset == dataset]
    best_first = [cell.depth for cell in sorted(cells, key=lambda cell: -cell.test_accuracy)]
    claims = [c for c in CLAIMS.values() if c.id.startswith(f"project2022.order.{dataset}")]
    for claim in claims:
        assert isinstance(claim.test, Ordering)
        models = [group.model for group in claim.needs.groups]
        assert models == [f"resnet{depth}" for depth in best_first]


def test_levels_of_an_order_stand_in_the_order_of_the_paper():
    """Wherever the compared networks have printed errors, the claimed order is theirs."""
    printed = {
        f"cifar_resnet{row.layers}": row.mean or row.error
        for row in load_paper().tables.table6.rows
        if row.method == "ResNet"
    }
    for claim in CLAIMS.values():
        if isinstance(claim.test, Ordering) and claim.test.measure == "test_error":
            known = [printed[g.model] for g in claim.needs.groups if g.model in printed]
            assert known == sorted(known), claim.id


def test_every_claim_says_whose_it_is():
    """What the paper does not print is not held against it, nor counted for it."""
    origins = {name: claim.origin for name, claim in CLAIMS.items()}
    assert origins["gradients.identity.20.initial"] == "project2022"
    assert origins["shortcut.options.20"] == origins["gradients.healthy.final"] == "carried"
    assert origins["project2022.accident.costs_accuracy.18.small"] == "own"
    printed = re.compile(r"(Table|Section|Sections|Figure|Footnote) [\d.]+")
    for claim in CLAIMS.values():
        if claim.origin in ("paper", "carried"):
            assert printed.match(claim.source), claim.id
            assert ("of " in claim.source and "ImageNet" in claim.source) == (
                claim.origin == "carried"
            ), claim.id
        else:
            assert claim.kind != "ImageNet"
            ours = ("Resnet", "Slides", "Audit", "After", "Table 1, compared")
            assert claim.source.startswith(ours)


def test_costs_are_arithmetic_whoever_states_them():
    for claim in CLAIMS.values():
        assert (claim.part == "arithmetic") == (claim.kind == "cost")
        assert claim.part in ("arithmetic", claim.origin)


def test_table_1_is_that_of_the_networks_which_the_paper_trained():
    """Option A for 18 and 34 layers: with B, ResNet-34 takes 3.664e9, which is no 3.6e9."""
    found = {claim.id: claim for claim in CLAIMS.values() if claim.id.startswith("table1.flops")}
    options = {name[13:]: claim.needs.groups[0].shortcut for name, claim in found.items()}
    assert options == {"18": "A", "34": "A", "50": "B", "101": "B", "152": "B"}
    (verdict,) = judge([], [found["table1.flops.34"]])
    assert "exactly 3,644,493,824, which rounds to the printed 3.6" in verdict.reason


def test_what_others_got_is_of_the_same_network_and_about_the_same_recipe():
    table6 = CLAIMS["table6.error.20"].others
    assert {each.shortcut for each in table6} == {"A"}
    assert "chenyaofo/pytorch-cifar-models" not in {each.who for each in table6}
    assert CLAIMS["table2.residual.34"].others == ()  # option A, which nobody else trained
    resnet50 = CLAIMS["table3.error.50"]
    assert not any(each.other_recipe for each in resnet50.others)
    assert {each.value for each in resnet50.others_apart} >= {19.142, 19.618}  # V2 and A1
    (verdict,) = judge([], [resnet50])
    assert "others got 22.2 to 25.1 % (11 results" in verdict.reason


def test_sentences_claim_what_is_tested_and_not_why():
    for claim in CLAIMS.values():
        for argument in ("overfitting", "essential", "thanks to", "since "):
            assert argument not in claim.sentence, claim.id


def test_margins_have_reasons():
    with_margin = [claim for claim in CLAIMS.values() if claim.margin is not None]
    assert len(with_margin) > 50
    assert all(len(claim.margin.reason) > 20 for claim in with_margin)


def test_a_good_claim_is_read():
    (claim,) = parse(GOOD)
    assert claim.text == "ResNet-20 has an error of 8.75 %."
    assert claim.margin.value == 0.5


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('name = "reaches"', 'name = "guess"', "claim one: test: .*'guess'.*'reaches'"),
        ("cifar_resnet20", "cifar_resnet21",
         "no model named 'cifar_resnet21' .did you mean .*; there are resnet18"),
        ('measure = "test_error"', 'measure = "joy"', "no measure 'joy'; there are test_error"),
        ('budget = "paper"', 'budget = "free"', "no budget 'free'; there are none, paper"),
        ('margin = "near"', 'margin = "far"', "claim one: no margin 'far'; there are near"),
        ("ResNet/20/error", "ResNet/21/error", "ends at '21': there is no such key or row"),
        ("ResNet/20/error", "ResNet/20", "leads to dict, not to a number"),
        ("paper:tables", "book:tables", "names no file; there are paper, project2022"),
        ("seeds = 3", "seeds = 1", "a claim about means needs at least 2 seeds"),
        ("seeds = 3", "seed = 3", "claim one: needs.seed: Extra inputs are not permitted"),
        ("cells = [", "cells = ['cifar_resnet32', ", "reaches needs 1 levels of cells, not 2"),
        ("cifar_resnet20", 'cifar_resnet20", dataset = "mnist', "is for cifar10, not for mnist"),
        ('kind = "accuracy"', 'kind = "rumour"', "claim one: kind: Input should be"),
        ('origin = "paper"', 'origin = "hearsay"', "claim one: origin: Input should be 'paper'"),
        ('origin = "paper"\n', "", "claim one: origin: Field required"),
        ('id = "one"', "id = one", "the claims are not valid TOML"),
        ('budget = "paper"', 'budget = "none", dataset = "svhn"', "no data set 'svhn'; there are "),
        ('budget = "paper"', 'budget = "project2022_equal"',
         "the profile project2022 has no such cifar_resnet20 on cifar10"),
        ('"reaches"', '"threshold", side = "below", bound = 1.0, reason = "x"',
         "a threshold needs a reference, or a bound and its reason"),
        ('budget = "paper"', 'budget = "notebook:x.ipynb"', "no notebook 'x.ipynb'"),
        ('budget = "paper"', 'budget = "notebook:Resnet18_MNIST.ipynb"',
         "trains resnet18 on mnist, not cifar_resnet20 on cifar10"),
    ],
)  # fmt: skip
def test_nonsense_is_refused_with_the_claim_and_what_there_is(old, new, message):
    assert old in GOOD
    with pytest.raises(BenchError, match=message):
        parse(GOOD.replace(old, new))


def test_two_claims_of_one_id_are_refused():
    with pytest.raises(BenchError, match="two claims have the id 'one'"):
        parse(GOOD + GOOD.partition("[[claim]]")[2].join(["[[claim]]", ""]))


def test_each_makes_one_claim_for_every_row():
    text = GOOD.replace('id = "one"', 'each = [{ d = 20 }, { d = 32 }]\nid = "one.{d}"')
    text = text.replace("ResNet/20", "ResNet/{d}").replace("cifar_resnet20", "cifar_resnet{d}")
    assert [claim.id for claim in parse(text)] == ["one.20", "one.32"]


def test_a_list_of_epochs_stands_for_its_last_and_one_of_rows_for_nothing():
    run = next(run for run in load_project2022().runs if run.notebook == "Resnet18_MNIST.ipynb")
    printed = look_up(f"project2022:runs/{run.notebook}/test_accuracy_percent")
    assert (printed.value, printed.runs) == (run.test_accuracy_percent[-1], 1)
    with pytest.raises(UnknownReferenceError, match="leads to list"):
        look_up("paper:tables/table6/rows/ResNet")
