"""Add a recipe and run it: ResNet-18 on MNIST, trained in a way that no profile has.

python examples/train_by_your_recipe.py FOLDER    trains, stores records, draws FOLDER/index.html
"""

import sys
from pathlib import Path

from rich.console import Console

from bench.config.profiles import RunConfig, plan
from bench.config.recipes import LinearSchedule, Recipe
from bench.data.sources import load
from bench.report.page import write
from bench.runner import grid
from bench.runner.options import RunOptions
from bench.training.environment import choose_device, describe

recipe = Recipe(
    name="my_short_sgd",
    optimizer="sgd",
    learning_rate=0.1,
    schedule=LinearSchedule(warmup_fraction=0.1),
    weight_decay=5e-4,
    momentum=0.8,
    batch_size=64,
    epochs=2,
    images_per_epoch=960,
    augmentation="none",
    zero_init_residual=True,
    test_images=500,
    final_test_images=500,
)
plans = (plan("resnet18", "mnist", recipe),)

results = Path(sys.argv[1])
device = choose_device("auto")
options = RunOptions(
    config=RunConfig(profile="mine", plans=plans, speed_samples=1),
    folder=results / "runs",
    device=device,
    environment=describe(device),
)
with grid.lock(options.folder):
    records = grid.run(
        options, {"mnist": load("mnist", report=print)}, grid.completed(options), Console()
    )
write(options.folder, results / "index.html", "mine")

for record in records:
    if record.final is None:
        print(f"{record.cell.id}: {record.reason}")
    else:
        print(f"{record.cell.model}: {record.final.test_accuracy:.1%} of the test images")
