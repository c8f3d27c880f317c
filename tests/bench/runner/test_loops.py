"""Two loops in turns: the figures by fake loops and a fake clock, the loops themselves for real."""

import json
import multiprocessing
import statistics

import PIL.Image
import pytest
import torch

from bench.data.batches import DeviceData
from bench.errors import UsageError
from bench.records.schema import Engine
from bench.runner import loops
from bench.runner.loops import Comparison, Comparisons, Turn, compare
from bench.training import environment
from bench.training.graphs import CALLS_TO_SETTLE
from resnet_models import Definition, define
from tests.support.small import small_dataset
from tests.support.tools import assert_refused, bench

CPU = torch.device("cpu")
SMALL = define("cifar_resnet20")


def make_engine(batch_size=8, precision="float32"):
    return Engine(precision=precision, micro_batch_size=batch_size)


class Stage:
    """Fake loops that take 0.4 s and 0.1 s a step, one second more in each call; it notes calls."""

    def __init__(self, monkeypatch):
        self.now = 0.0
        self.calls: list[tuple[str, int]] = []
        monkeypatch.setattr(
            loops,
            "their_loop",
            lambda *usual: self.loop("theirs" if usual[-1] == "float32" else "cast", 0.4),
        )
        monkeypatch.setattr(loops, "our_loop", lambda *_: self.loop("ours", 0.1))
        monkeypatch.setattr(loops, "matrix_product", lambda *_: self.product)
        monkeypatch.setattr(loops, "PAUSE_SECONDS", 0)

    def __call__(self):
        return self.now

    def loop(self, name, step_seconds):
        def run(steps):
            calls = sum(1 for call in self.calls if call[0] == name)
            self.calls.append((name, steps))
            self.now += steps * step_seconds + calls

        return run

    def product(self):
        self.now += 0.5

    def compare(self, precision="float32", **options):
        engine = make_engine(precision=precision)
        return compare(SMALL, small_dataset("cifar10"), CPU, engine, clock=self, **options)


def test_the_loops_take_turns_and_the_other_one_goes_first_each_time(monkeypatch):
    stage, seen = Stage(monkeypatch), []
    result = stage.compare(turns=3, steps=10, on_turn=lambda *turn: seen.append(turn))
    warmup = CALLS_TO_SETTLE
    assert stage.calls == [
        ("theirs", warmup), ("ours", warmup),
        ("theirs", 10), ("ours", 10),
        ("ours", 10), ("theirs", 10),
        ("theirs", 10), ("ours", 10),
    ]  # fmt: skip
    assert [turn.first for turn in result.turns] == ["theirs", "ours", "theirs"]
    assert seen == [(turn, 80) for turn in result.turns]
    # The warm-up is not among them, and no second of one loop is counted as the other's.
    assert [turn.theirs_seconds for turn in result.turns] == pytest.approx([5, 6, 7])
    assert [turn.ours_seconds for turn in result.turns] == pytest.approx([2, 3, 4])
    assert all(turn.peak_seconds == pytest.approx((0.5,) * 3) for turn in result.turns)


def test_the_usual_loop_runs_in_our_precision_too_where_that_is_lower(monkeypatch):
    stage = Stage(monkeypatch)
    result = stage.compare("bfloat16", turns=2, steps=10)
    names = [name for name, _ in stage.calls[3:]]
    assert names == ["cast", "theirs", "ours", "ours", "theirs", "cast"]
    assert [turn.first for turn in result.turns] == ["cast", "ours"]
    assert [turn.cast_seconds for turn in result.turns] == pytest.approx([5, 6])
    assert result.cast_ratios == pytest.approx([5 / 2, 6 / 3])
    with_float32 = Stage(monkeypatch).compare(turns=1, steps=10)
    assert with_float32.cast_ratios == with_float32.ratios
    assert with_float32.turns[0].cast_seconds is None


def test_a_turn_is_as_long_as_it_should_be(monkeypatch):
    # Trials: 1 s and more in each call besides the steps, so the second call of each is enough.
    result = Stage(monkeypatch).compare(turns=1)
    assert result.steps == round(loops.TURN_SECONDS / statistics.mean([1.4, 1.1]))


def test_trials_grow_until_they_can_be_measured(monkeypatch):
    monkeypatch.setattr(loops, "TRIAL_SECONDS", 10.0)
    stage = Stage(monkeypatch)
    stage.compare(turns=1)
    trials = [steps for name, steps in stage.calls[2:] if name == "theirs"][:-1]
    assert trials == [1, 2, 4, 8, 16][: len(trials)]
    assert len(trials) > 2


def make_comparison(**changes):
    turns = [(5.0, 2.0), (6.0, 3.0), (9.0, 2.0)]
    comparison = Comparison(
        model="resnet18", lineage="paper", stem="imagenet", dataset="cifar10",
        batch_size=100, steps=6, engine=make_engine(100), operations=1000, peak_size=100,
        turns=tuple(
            Turn(first="ours", theirs_seconds=theirs, ours_seconds=ours, peak_seconds=(4.0, 2.0))
            for theirs, ours in turns
        ),
    )  # fmt: skip
    return comparison.model_copy(update=changes)


def test_figures_are_derived_from_the_samples():
    comparison = make_comparison()
    assert comparison.ratios == [2.5, 2.0, 4.5]
    assert comparison.images_per_second == (100, 300)
    # 2 * 100³ operations in 2 s, the best sample; ours does 600 images of 1000 in 2, 3 and 2 s.
    assert comparison.peaks_per_second == [1e6] * 3
    assert comparison.shares_of_peak == pytest.approx([0.3, 0.2, 0.3])


def test_both_loops_train_the_same_network_and_only_ours_skips_padding(monkeypatch):
    models, weights, build = [], [], Definition.build

    def recorded(definition):
        models.append(build(definition))
        weights.append([weight.clone() for weight in models[-1].parameters()])
        return models[-1]

    monkeypatch.setattr(Definition, "build", recorded)
    dataset = small_dataset("cifar10")
    loops.their_loop(SMALL, dataset, CPU, 8, "float32")(2)
    loops.our_loop(SMALL, dataset, CPU, make_engine())(2)
    for mine, yours in zip(*weights, strict=True):
        assert torch.equal(mine, yours)
    for model, before, skips in zip(models, weights, [False, True], strict=True):
        assert model.training
        assert not all(map(torch.equal, before, model.parameters()))
        modules = [module for module in model.modules() if hasattr(module, "skips_padding")]
        assert modules
        assert all(module.skips_padding == skips for module in modules)


def test_real_loops_are_timed_and_no_worker_outlives_them(monkeypatch):
    monkeypatch.setattr(loops, "PAUSE_SECONDS", 0)
    monkeypatch.setitem(loops.PEAK_SIZE, "cpu", 256)
    dataset = small_dataset("cifar10", train=20)  # two batches and a rest an epoch: many epochs
    result = compare(SMALL, dataset, CPU, make_engine(), turns=2, steps=3)
    assert (result.steps, result.batch_size, result.workers) == (3, 8, 2)
    assert all(share > 0 for share in result.shares_of_peak)
    assert all(ratio > 0 for ratio in result.ratios)
    assert not multiprocessing.active_children()


@pytest.mark.parametrize("precision", ["bfloat16", "float16"])
def test_the_usual_loop_trains_in_a_lower_precision(precision, monkeypatch):
    dtypes = []
    build = Definition.build

    def watched(definition):
        model = build(definition)
        model.fc.register_forward_hook(lambda _m, _i, out: dtypes.append(str(out.dtype)))
        return model

    monkeypatch.setattr(Definition, "build", watched)
    loops.their_loop(SMALL, small_dataset("cifar10"), CPU, 8, precision)(1)
    assert dtypes == [f"torch.{precision}"]


def test_the_usual_images_are_ours_but_for_augmentation():
    dataset = small_dataset("cifar10")
    usual = loops.as_torchvision(dataset)
    assert [type(step).__name__ for step in usual.transform.transforms] == [
        "RandomCrop", "RandomHorizontalFlip", "ToTensor", "Normalize",
    ]  # fmt: skip
    usual.transform.transforms[0] = lambda image: image if isinstance(image, PIL.Image.Image) else 0
    del usual.transform.transforms[1]
    ours, labels = DeviceData(dataset.train, dataset.spec, CPU).batch(torch.arange(64))
    images = torch.stack([usual[index][0] for index in range(64)])
    torch.testing.assert_close(images, ours)
    assert [usual[index][1] for index in range(64)] == labels.tolist()


def test_a_batch_larger_than_the_training_set_is_refused():
    with pytest.raises(
        UsageError, match="a batch of 65 images, but the training set of cifar10 ha"
    ):
        compare(SMALL, small_dataset("cifar10"), CPU, make_engine(65), turns=1)


# The command.


@pytest.fixture
def canned(monkeypatch):
    """The command with small data and a comparison that was made before; notes how it is asked."""
    asked = []

    def compare(definition, dataset, device, engine, **options):
        asked.append((definition, engine, options))
        options["on_turn"](make_comparison().turns[0], 600)
        return make_comparison(model=definition.model)

    monkeypatch.setattr(loops, "compare", compare)
    monkeypatch.setattr("bench.data.sources.load", lambda name, **_: small_dataset(name))
    monkeypatch.setattr(environment, "load_average", lambda: 0.0)
    return asked


def compare_loops(*arguments):
    done = bench("compare-loops", "--device", "cpu", *arguments)
    assert done.returncode == 0, done.stderr
    return done


def test_the_command_shows_every_turn_the_medians_and_the_share_of_the_peak(canned, tmp_path):
    file = tmp_path / "new" / "samples.json"
    done = compare_loops("--turns", 3, "--precision", "float32", "--json", file)
    assert [definition.model for definition, _, _ in canned] == ["resnet18", "resnet50"]
    assert canned[0][1] == make_engine(128)
    assert {"turns": 3, "steps": None}.items() <= canned[0][2].items()
    for text in (
        f"torch {torch.__version__} with {torch.get_num_threads()} threads",
        "ours: float32, without torch.compile",
        "usual      120 images/s, ours      300 images/s: 2.50 times as fast (ours first)",
        "ours is 2.50 times as fast (2.00 to 4.50 in 3 turns of 6 steps)",
        "ours reaches 30% (20% to 30%) of a 100×100 matrix product in float32",
    ):
        assert text in done.stdout
    assert "for ours: multiplications with padding left out; for theirs: TF32" in done.stdout
    assert "in the same precision" not in done.stdout
    assert "warning" not in done.stdout
    stored = Comparisons.model_validate_json(file.read_bytes())
    assert stored.comparisons == (make_comparison(), make_comparison(model="resnet50"))
    assert stored.environment.threads == torch.get_num_threads()
    assert json.loads(file.read_text())["schema_version"] == 1


def test_the_command_warns_of_other_programs(canned, monkeypatch):
    monkeypatch.setattr(environment, "load_average", lambda: 64.0)
    assert "warning: a load of 64.0 on" in compare_loops("--models", "resnet18").stdout


@pytest.mark.usefixtures("canned")
def test_the_command_tells_what_the_loop_gains_in_the_same_precision(monkeypatch):
    engine = make_engine(100, precision="bfloat16")
    turns = tuple(turn.model_copy(update={"cast_seconds": 3.0}) for turn in make_comparison().turns)
    found = make_comparison(engine=engine, turns=turns)

    def compare(*_, on_turn, **__):
        on_turn(turns[0], 600)
        return found

    monkeypatch.setattr(loops, "compare", compare)
    said = compare_loops("--models", "resnet18", "--precision", "bfloat16").stdout
    assert "for ours: bfloat16 against float32, multiplications with padding left out" in said
    assert "2.50 times as fast, 1.50 in the same precision (ours first)" in said
    median = next(line for line in said.splitlines() if "medians" in line)
    assert "ours is 2.50 times as fast (2.00 to 4.50 in 3 turns of 6 steps), 1.50 times" in median
    assert median.endswith("in the same precision (bfloat16 by autocast)")


def test_options_reach_the_comparison(canned):
    named = "--models", "cifar_resnet20", "--precision", "bfloat16"
    compare_loops(*named, "--batch-size", 16, "--steps", 7)
    ((definition, engine, options),) = canned
    assert definition == define("cifar_resnet20", stem="cifar", num_classes=10)
    assert (engine.micro_batch_size, engine.precision) == (16, "bfloat16")
    assert options["steps"] == 7


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (["--models", "resnet19"], "^error: no model named 'resnet19'"),
        (["--models", ","], "^error: --models needs at least one name"),
        (["--models", "cifar_resnet20", "--stem", "imagenet"], "^error: .* stem 'cifar'"),
        (["--precision", "float8"], "'--precision'.*'float8' is not one of"),
        (["--json", "/dev/null/samples.json"], "^error: --json /dev/null/samples.json: "),
        (["--json", "/"], "^error: .*no file can be written there"),
        (["--batch-size", "1"], "--batch-size"),
        (["--turns", "0"], "--turns"),
        (["--steps", "0"], "--steps"),
        (["--stem", "7x7"], "--stem"),
        (["--compile", "on"], "^error: --compile on: there is no compiler$"),
    ],
)
def test_bad_options_are_refused_before_anything_is_measured(arguments, text, canned, monkeypatch):
    monkeypatch.setattr(environment, "compile_problem", lambda _: "there is no compiler")
    assert_refused(bench("compare-loops", "--device", "cpu", *arguments), 2, text)
    assert not canned


def test_a_batch_that_does_not_fit_says_so(canned, monkeypatch):
    def fail(*arguments, **options):
        raise RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory")

    monkeypatch.setattr(loops, "compare", fail)
    done = bench("compare-loops", "--device", "cpu")
    assert_refused(done, 1, "^error: out of memory: .*Choose a smaller --batch-size")
