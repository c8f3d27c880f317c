"""Reproductions by others: what stands beside what, and the page's section."""

import re

import pytest

from bench.analysis.baselines import grid, table6
from bench.analysis.reproductions import CIFAR10, ONE_CROP, TEN_CROPS, all_results, digests
from bench.analysis.tables import summarize
from bench.reference.loader import load_reproductions
from bench.report.figures.others import others_charts
from resnet_models import MODELS
from tests.support.factories import make_profile, make_record
from tests.support.pages import RECORDS, page_of, table_of

DIGEST, LIST = "Errors that others report", "Every number that others report"


def digest(model, panel=CIFAR10, ours=()):
    (found,) = [each for each in digests(ours) if (each.model, each.panel) == (model, panel)]
    return found


def our_rows(records):
    return table6(grid(summarize(records)))


def test_results_are_those_of_the_file_for_this_network_and_panel():
    found = digest("cifar_resnet56")
    values = [
        each.value for each in load_reproductions()
        if (each.network, each.metric, each.shortcut) == ("cifar_resnet56", "top-1 error %", "A")
    ]  # fmt: skip
    assert [each.value for each in found.results] == sorted(values)
    assert found.printed == 6.97
    assert found.best_epochs == sum(each.kind == "best epoch" for each in found.results) > 5
    assert [(each.value, each.std, each.runs) for each in found.reruns] == [(7.4, 0.27, 5)]


def test_printed_numbers_stand_only_where_the_test_is_the_same():
    assert digest("cifar_resnet110").printed == 6.61  # the mean, not the best of 6.43
    assert digest("resnet50", TEN_CROPS).printed == 22.85
    assert digest("resnet34", TEN_CROPS).printed == 24.52
    assert digest("resnet18", TEN_CROPS).printed is None  # option A, and others have B
    assert {each.printed for each in digests([]) if each.panel == ONE_CROP} == {None}
    assert digest("cifar_plain20").printed is None
    # Other ways of cutting, and a threshold, are no results.
    found = digest("resnet50", ONE_CROP).results
    assert {each.view for each in found} == {"1 crop"}
    assert "MLPerf training" not in {each.who for each in found}


def test_other_networks_and_recipes_are_kept_apart():
    for each in digests([]):
        option = MODELS[each.model].shortcuts[0]
        assert {result.shortcut for result in each.results} == {option}
        assert not any(result.other_recipe for result in each.results)
        assert all(result.shortcut != option or result.other_recipe for result in each.apart)
    assert 7.84 in {result.value for result in digest("cifar_resnet20").apart}  # Adam, option B
    assert {each.who for each in digest("resnet50", ONE_CROP).apart} == {
        "torchvision",
        "pytorch-image-models (timm)",
    }


def test_panels_stand_in_order_with_residual_networks_first():
    found = digests([])
    panels = [each.panel for each in found]
    assert list(dict.fromkeys(panels)) == [CIFAR10, ONE_CROP, TEN_CROPS]
    cifar = [each.model for each in found if each.panel == CIFAR10]
    depths = [MODELS[model].depth for model in cifar if "resnet" in model]
    assert depths == sorted(depths)
    assert cifar.index("cifar_resnet1202") < cifar.index("cifar_plain20")


def test_ours_are_those_with_the_published_shortcut():
    ours = our_rows(make_profile("table6"))
    (row,) = digest("cifar_resnet20", ours=ours).ours
    assert (row.network, row.depth) == ("cifar_resnet", 20)
    other = make_record(20, network="cifar_resnet", shortcut="B")
    assert digest("cifar_resnet20", ours=our_rows([other])).ours == []


def test_all_numbers_are_listed_once():
    frame = all_results()
    assert len(frame) == len(load_reproductions())
    assert set(frame["network"]) == {each.network for each in load_reproductions()}
    values = frame.query("network == 'cifar_resnet20' and metric == 'top-1 error %'")["value"]
    assert values.is_monotonic_increasing


@pytest.mark.parametrize("name", ["empty", "ten", "table6"])
def test_the_page_has_the_digest_and_the_list(name):
    page = page_of(name)
    body = [row for row in table_of(page, DIGEST) if len(row) > 1]
    assert len(body) == len(digests([]))
    columns = {len(row) for row in body}
    assert columns == ({8} if name == "table6" else {7})
    assert body[0][:2] == ["ResNet-20", "8.75"]
    listed = [row for row in table_of(page, LIST) if len(row) > 1]
    assert len(listed) == len(load_reproductions())


@pytest.mark.parametrize("name", ["table6", "table6 with seeds"])
def test_our_errors_lead_to_the_records_of_every_seed(name):
    section = page_of(name).partition('id="others"')[2].partition('<div class="part"')[0]
    ours = [each for each in RECORDS[name] if each.cell.model == "cifar_resnet20"]
    for record in ours:
        assert f'href="#cell-{record.cell.id}"' in section
    if len(ours) == 1:
        error = 100 * (1 - ours[0].final.test_accuracy)
        assert f'<a class="trace" href="#cell-{ours[0].cell.id}">{error:.2f}</a>' in section


def test_figures_have_every_result_and_ours_where_the_budget_is_the_papers():
    shown = digests(our_rows(make_profile("table6")))
    cifar, imagenet = others_charts(shown)
    for chart, panel in ((cifar, CIFAR10), (imagenet, ONE_CROP)):
        counts = sum(len(each.results) for each in shown if each.panel == panel)
        assert len(chart.csv.splitlines()) == 1 + counts
    labels = re.findall(r"<text [^>]*>([^<]*)</text>", cifar.svg)
    assert {"others", "others, best epoch", "paper", "plain-56", "1202"} <= set(labels)
    assert "paper" not in re.findall(r"<text [^>]*>([^<]*)</text>", imagenet.svg)
