"""Train a network of your own beside ResNet-20 for a few steps, and judge both by a claim.

python examples/compare_your_network.py FOLDER    stores records, draws FOLDER/index.html
"""

import sys
from pathlib import Path

from bench import draw, judge, load, plan, run

here = Path(__file__).parent
sys.path.append(str(here.parent))  # where Python finds examples.preact_resnet20

config = plan(
    "table6",
    models=["cifar_resnet20"],
    network="examples.preact_resnet20:preact_resnet20",
    recipe=here / "few_steps.toml",
    seeds=2,
)
run(config, sys.argv[1])
print(load(sys.argv[1])[["network", "seed", "parameters", "macs", "test_accuracy"]])
for verdict in judge(sys.argv[1], file=here / "preact_claims.toml"):
    print(f"{verdict.word}: {verdict.reason}")
print(draw(sys.argv[1]))
