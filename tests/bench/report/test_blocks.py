"""The page's section about the timings of blocks."""

import pytest

from bench.records import blocks
from tests.support.block_files import BOTTLENECK, content, four_timings, timing, write
from tests.support.factories import make_record
from tests.support.pages import render, table_of, write_page
from tests.support.tools import HOSTILE, text_of

LABEL = "Cost and time of every block"


def page_with(tmp_path, *benchmarks, records=(), **changes):
    write(tmp_path, content(*benchmarks, **changes))
    times, _ = blocks.find(tmp_path)
    return render(list(records), [], blocks=times)


@pytest.mark.parametrize("records", [[], [make_record()]])
def test_the_section_is_there_with_timings_only(tmp_path, records):
    assert 'id="blocks"' not in render(records, [])
    assert 'href="#blocks"' not in render(records, [])
    page = page_with(tmp_path, records=records)
    assert page.count('<div class="part" id="blocks">') == page.count('href="#blocks"') == 1


def test_rows_stand_by_stage_with_cost_and_time(tmp_path):
    conv3, basic, bottleneck, networks, network = table_of(page_with(tmp_path), LABEL)
    assert conv3 == ["Table 1, conv3_x, 28×28, 8 images at a time"]
    assert networks == ["Table 6, whole networks, 32×32, 8 images at a time"]
    assert basic == ["basic, inner128×28×28", "295,424", "231.0",
                     "10,0009,000 – 11,000", "50.075.0 of MACs", "23.11.00×",
                     "30,00027,000 – 33,000", "100.0100.0 of MACs", "23.11.00×"]  # fmt: skip
    assert bottleneck == ["bottleneck, firstoption B, lineage torchvision, 256×56×56",
                          "379,392", "77.0", "10,0009,000 – 11,000", "50.025.0 of MACs",
                          "7.703.00×", "not timed", "–", "–"]  # fmt: skip
    assert network[:3] == ["cifar_resnet20option A, 3×32×32", "269,722", "40.0"]


def test_options_and_lineages_are_rows_of_their_own(tmp_path):
    others = [{"shortcut": "A"}, {"lineage": "paper"}, {"lineage": None}]
    timings = [timing(0.1, **(BOTTLENECK | other)) for other in [{}, *others]]
    _, *rows = table_of(page_with(tmp_path, *timings), LABEL)
    assert len({row[0] for row in rows}) == 4


def test_the_machine_is_named(tmp_path):
    text = text_of(page_with(tmp_path))
    assert (
        "Example CPU @ 2.10GHz, 2 threads, float32, resnet-bench 0.1.0, PyTorch 2.9.0+cpu, "
        "Python 3.11.2, commit 0123456789abcdef0123456789abcdef01234567, 2026-01-02: blocks.json."
    ) in text
    assert "Medians over 7 to 7 rounds" in text


def test_a_gpu_is_named_without_threads(tmp_path):
    machine = content()["machine_info"] | {"device": "cuda", "device_name": "Some GPU"}
    page = page_with(tmp_path, timing(0.1, dtype="tf32"), machine_info=machine | {"commit": None})
    assert "Some GPU, tf32, resnet-bench" in text_of(page)
    assert ", commit" not in text_of(page)[text_of(page).index("Some GPU") :][:120]


def test_strings_from_the_file_are_escaped(tmp_path):
    machine = content()["machine_info"] | {"device_name": HOSTILE, "torch": HOSTILE}
    hostile = timing(0.1, stage=HOSTILE, block=HOSTILE, lineage=HOSTILE, dtype=HOSTILE)
    page = page_with(tmp_path, hostile, machine_info=machine)
    assert "<script>alert" not in page
    assert "<b>bold" not in page
    assert text_of(page).count(HOSTILE) == 6


def test_a_damaged_file_is_told_and_left_out(tmp_path):
    path = write(tmp_path, "{")
    (problem,) = write_page(tmp_path / "runs", tmp_path / "index.html")
    assert str(path) in problem
    page = (tmp_path / "index.html").read_text("utf-8")
    assert 'id="blocks"' not in page
    assert problem in text_of(page)


def test_the_page_is_drawn_from_the_folder(tmp_path):
    write(tmp_path, content(*four_timings()))
    assert write_page(tmp_path / "runs", tmp_path / "index.html") == []
    assert '<div class="part" id="blocks">' in (tmp_path / "index.html").read_text("utf-8")
