"""The interface for programs does what the commands do."""

import subprocess
import sys

import pytest

import bench
from bench.claims.files import load_claims
from bench.errors import UsageError
from bench.records import store
from tests.bench.claims.test_schema import GOOD
from tests.support.factories import make_grid, make_record
from tests.support.own import write_networks
from tests.support.pages import without_figures
from tests.support.small import small_dataset
from tests.support.tools import ROOT


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    folder = tmp_path_factory.mktemp("results")
    for record in make_grid():
        store.save(folder / "runs", record)
    (store.save(folder / "runs", make_record(18, seed=1)) / store.RECORD_FILE).write_text("{}")
    return folder


def test_importing_it_takes_no_torch_and_reading_neither(results):
    code = (
        "import sys, bench; assert 'bench.api' not in sys.modules; "
        f"bench.load({str(results)!r}); bench.judge({str(results)!r}); bench.plan('quick'); "
        "assert 'torch' not in sys.modules"
    )
    done = subprocess.run([sys.executable, "-W", "ignore", "-c", code], cwd=ROOT, check=False)
    assert done.returncode == 0


def test_it_offers_five_functions_and_nothing_else():
    assert bench.__all__ == ["draw", "judge", "load", "plan", "run"]
    for name in bench.__all__:
        assert callable(getattr(bench, name))
    with pytest.raises(AttributeError, match="has no attribute 'train'"):
        _ = bench.train


def test_records_become_rows_and_damaged_ones_a_warning(results):
    with pytest.warns(UserWarning, match="schema version None"):
        frame = bench.load(results)
    assert len(frame) == 10
    assert set(frame["dataset"]) == {"cifar10", "mnist"}
    with pytest.raises(UsageError, match="there is no folder runs in it"):
        bench.load(results / "nowhere")


@pytest.mark.filterwarnings("ignore:.*schema version None")
def test_verdicts_of_the_ledger_and_of_a_file(results, tmp_path):
    assert len(bench.judge(results)) == len(load_claims())
    (tmp_path / "own.toml").write_text(GOOD)
    (verdict,) = bench.judge(make_grid(), file=tmp_path / "own.toml")
    assert (verdict.claim.id, verdict.word) == ("one", "not run")


@pytest.mark.filterwarnings("ignore:.*schema version None")
def test_a_page_is_drawn(results):
    with without_figures():
        assert bench.draw(results) == results / "index.html"
    assert "ResNet-152" in (results / "index.html").read_text()


def test_a_plan_is_that_of_the_command_line(tmp_path, monkeypatch):
    write_networks(tmp_path, monkeypatch)
    (tmp_path / "short.toml").write_text('base = "smoke"')
    config = bench.plan(
        "smoke", datasets=["mnist"], network="own_nets:Tiny", recipe=tmp_path / "short.toml", seed=3
    )
    assert [each.cell.id for each in config.plans] == ["custom_tiny-mnist-short-seed3"]
    assert config.words == ("--network own_nets:Tiny", f"--recipe {tmp_path / 'short.toml'}")
    assert bench.plan("quick", epochs=2).words == ("--epochs 2",)
    with pytest.raises(UsageError, match="network own_nets has no callable Big"):
        bench.plan("smoke", network="own_nets:Big")
    with pytest.raises(TypeError, match="epoch"):
        bench.plan("smoke", epoch=2)


@pytest.mark.heavy
def test_the_program_of_the_document_runs(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr("bench.data.sources.load", lambda name, **_: small_dataset(name))
    monkeypatch.chdir(tmp_path)
    text = (ROOT / "docs" / "library.md").read_text()
    program = text.partition("```python\n")[2].partition("```")[0]
    assert "epochs=2" in program  # of fewer images, here
    with without_figures():
        exec(program.replace("epochs=2", "epochs=1, images_per_epoch=64"), {})
    out = capsys.readouterr().out
    assert " 11175370 " in out  # parameters
    assert "reproduced ResNet-18 takes" in out
    assert out.splitlines()[-1] == "results/mine/index.html"


@pytest.mark.heavy
def test_a_run_gives_all_records_and_makes_each_once(tmp_path, monkeypatch):
    monkeypatch.setattr("bench.data.sources.load", lambda name, **_: small_dataset(name))
    (tmp_path / "short.toml").write_text(
        'base = "smoke"\nbatch_size = 8\nimages_per_epoch = 16\ntest_images = 16'
    )
    write_networks(tmp_path, monkeypatch)
    config = bench.plan(
        "smoke", datasets=["mnist"], network="own_nets:Tiny", recipe=tmp_path / "short.toml"
    )
    first = bench.run(config, tmp_path, device="cpu", precision="float32")
    assert [each.status for each in first] == ["completed"]
    assert first[0].command.startswith("python -m bench run --profile smoke --cells custom_tiny-")
    assert bench.run(config, tmp_path, device="cpu", precision="float32") == first
