"""Words that two rooms must spell alike."""

from bench.config import profiles
from bench.data.datasets import SPECS
from bench.reference.loader import load_paper, load_project2022
from resnet_models import MODELS
from tests.support.references import content


def test_models_and_depths():
    assert tuple(load_paper().tables.table1.depths) == profiles.DEPTHS
    assert tuple(MODELS[name].depth for name in profiles.TABLE1) == profiles.DEPTHS


def test_datasets():
    assert tuple(SPECS) == profiles.DATASETS == tuple(load_project2022().meta.datasets)


def test_profile_table6_has_the_networks_with_printed_or_drawn_errors():
    paper, networks = load_paper(), {plan.cell.model for plan in profiles.table6().plans}
    printed = {row.layers for row in paper.tables.table6.rows if row.method == "ResNet"}
    drawn = content("paper.json")["cifar_section"]["figure6_digitised"]["plain_test_error_final"]
    expected = {f"cifar_resnet{layers}" for layers in printed - {1202}}
    assert networks == expected | {f"cifar_plain{layers}" for layers in drawn}


def test_profile_project2022_has_the_shortest_budgets_of_the_slides_and_their_accident():
    cells = load_project2022().cells()
    shortest = {
        dataset: min(cell.epochs for cell in cells if cell.dataset == dataset)
        for dataset in profiles.DATASETS
    }
    frozen = min(cell.frozen_after_epoch for cell in cells if cell.frozen_after_epoch)
    for plan in profiles.project2022().plans:
        assert plan.recipe.epochs == shortest[plan.cell.dataset]
        assert plan.recipe.freeze_weights_after_epoch in (None, frozen)
