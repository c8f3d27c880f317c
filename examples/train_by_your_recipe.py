"""Add a recipe and run it: ResNet-18 on MNIST, trained in a way that no profile has.

python examples/train_by_your_recipe.py FOLDER    trains, stores records, draws FOLDER/index.html
"""

import sys

from bench import draw, run
from bench.config.plan import plan
from bench.config.profiles import RunConfig
from bench.config.recipe import LinearSchedule, Recipe

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
config = RunConfig(profile="mine", plans=(plan("resnet18", "mnist", recipe),), speed_samples=1)

records = run(config, sys.argv[1])
draw(sys.argv[1])

for record in records:
    if record.final is None:
        print(f"{record.cell.id}: {record.reason}")
    else:
        print(f"{record.cell.model}: {record.final.test_accuracy:.1%} of the test images")
