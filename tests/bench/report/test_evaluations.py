"""The page's section about checkpoints."""

import re
from pathlib import Path

import pytest

from bench.records import store
from bench.report.page import fill
from bench.stats import wilson_interval
from tests.support.factories import make_evaluation, make_record
from tests.support.pages import render, without_figures, write_page
from tests.support.tools import bench, text_of

pytestmark = pytest.mark.heavy


def row_of(evaluation):
    """What the table says of one evaluation."""
    section = fill("evaluations", evaluations=[evaluation], paths={"evaluations": "evaluations"})
    return text_of(section[section.index("<tbody>") : section.index("</tbody>")])


@pytest.mark.parametrize("records", [[], [make_record()]])
def test_the_section_is_there_with_evaluations_only(records):
    assert "checkpoints" not in render(records)
    page = render(records, evaluations=[make_evaluation()])
    assert page.count('<div class="part" id="checkpoints">') == 1


def test_a_row_has_what_was_found():
    low, high = wilson_interval(8.27, 10_000)
    row = row_of(make_evaluation())
    for words in (
        "cifar_resnet20",
        "paper, cifar stem, shortcut A",
        "resnet20.th",
        "CIFAR-10",
        "imagenet",
        "best of 2",
        f"8.27{low:.2f} – {high:.2f}",
        "± 0.1 allowed",
    ):
        assert words in row
    assert "12.04" not in row


@pytest.mark.parametrize(
    ("claim", "words"),
    [
        (None, "– – none$"),
        (8.27, r" 8.27 \+0± 0.1 allowed holds$"),
        (7.5, r" 7.5 \+0.77± 0.1 allowed does not hold$"),
        (8.166, r" 8.166 \+0.104± 0.1 allowed does not hold$"),
        (8.374, r" 8.374 −0.104± 0.1 allowed does not holdbetter than claimed$"),
    ],
)
def test_a_claim_shows_whether_it_holds(claim, words):
    assert re.search(words, row_of(make_evaluation(claimed_error_percent=claim)))


def test_a_single_normalisation_was_not_picked():
    evaluation = make_evaluation(scores=make_evaluation().scores[:1])
    assert "best of" not in row_of(evaluation)


def test_the_command_shows_what_the_folder_holds_and_links_to_it(tmp_path):
    other = make_evaluation(model="resnet18", sha256="f" * 64)
    for evaluation in (other, make_evaluation()):
        path = store.save_file(tmp_path / "evaluations", evaluation)
    (tmp_path / "evaluations" / "broken.json").write_text("{")
    with without_figures():
        done = bench("report", "--out", tmp_path)
    assert done.returncode == 0, done.stderr
    assert "left out: " in done.stdout
    assert "broken.json is not a valid evaluation" in done.stdout
    page = (tmp_path / "index.html").read_text()
    rows = re.findall(r'href="(evaluations/[^"]*)"', page)
    assert [Path(row).name.split("-")[0] for row in rows] == ["cifar_resnet20", "resnet18"]
    assert (tmp_path / rows[0]).read_bytes() == path.read_bytes()
    write_page(tmp_path / "runs", tmp_path / "pages" / "index.html")
    assert f'href="../{rows[0]}"' in (tmp_path / "pages" / "index.html").read_text()
