"""What NVIDIA's management library (NVML) says about a GPU, through ctypes. No torch here.

The library comes with the driver. A call that fails has no answer: the value is None.
"""

import ctypes
from collections.abc import Callable
from typing import Any, Final

LIBRARY: Final = "libnvidia-ml.so.1"
SM_CLOCK: Final = 1  # NVML_CLOCK_SM
# Bits of nvmlClocksThrottleReasons. Left out are those that a user set or that idleness explains.
THROTTLE_REASONS: Final = {
    0x04: "power cap",
    0x08: "hardware slowdown",
    0x20: "heat (software)",
    0x40: "heat (hardware)",
    0x80: "power brake",
}


class Gpu:
    """One GPU, by the UUID that torch gives (without ``GPU-``)."""

    def __init__(self, library: Any, uuid: str) -> None:
        self._library = library
        self._handle = ctypes.c_void_p()
        library.nvmlInit_v2()
        name = f"GPU-{uuid.removeprefix('GPU-')}".encode()
        library.nvmlDeviceGetHandleByUUID(name, ctypes.byref(self._handle))

    def energy_joules(self) -> float | None:
        """Used since the driver was loaded."""
        millijoules = ctypes.c_ulonglong()
        found = self._ask("nvmlDeviceGetTotalEnergyConsumption", millijoules)
        return None if found is None else found / 1000

    def clock_mhz(self) -> int | None:
        """Of the multiprocessors, now."""
        return self._ask("nvmlDeviceGetClockInfo", ctypes.c_uint(), SM_CLOCK)

    def throttle_reasons(self) -> tuple[str, ...]:
        """Why its clock is held back, now."""
        bits = self._ask("nvmlDeviceGetCurrentClocksThrottleReasons", ctypes.c_ulonglong()) or 0
        return tuple(words for bit, words in THROTTLE_REASONS.items() if bits & bit)

    def _ask(
        self, function: str, answer: ctypes.c_ulonglong | ctypes.c_uint, *arguments: int
    ) -> int | None:
        call: Callable[..., int] = getattr(self._library, function)
        failed = call(self._handle, *arguments, ctypes.byref(answer))
        return None if failed else int(answer.value)


def find(uuid: str) -> Gpu | None:
    """The GPU called ``uuid``; None where NVML is not there."""
    try:
        return Gpu(ctypes.CDLL(LIBRARY), uuid)
    except (OSError, AttributeError):  # no driver, or one without these functions
        return None
