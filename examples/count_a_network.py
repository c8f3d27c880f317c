"""Build a network and count it: ResNet-56 with projections, beside the published one."""

import torch

from resnet_models import build, define
from resnet_models.layers import layer_table

network = build("cifar_resnet56", shortcut="B")
network.eval()
with torch.inference_mode():
    logits = network(torch.zeros(1, 3, 32, 32))
print(f"logits: {tuple(logits.shape)}")

for shortcut in ("A", "B"):
    layers = layer_table(define("cifar_resnet56", shortcut=shortcut), 32)
    parameters = sum(layer.parameters for layer in layers)
    macs = sum(layer.macs for layer in layers)
    print(f"option {shortcut}: {parameters:,} parameters, {macs:,} MACs")
