"""Benchmark-and-report harness for the ResNets of He et al., 2015 (arXiv:1512.03385)."""

import os

__version__ = "0.1.0"

# GNU OpenMP, which torch uses on Linux, lets waiting threads spin. Where other processes want the
# same cores, that slows training: on 2 cores with one busy process a ResNet-50 step at 32x32 took
# 1.4 s against 0.78 s without long spinning, and with several up to 20 times the undisturbed time.
# Alone on the machine, spinning gains about 2 %.
# It is read when torch is first imported, and a value set by the user stays.
os.environ.setdefault("GOMP_SPINCOUNT", "1000")
