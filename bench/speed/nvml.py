"""What NVIDIA's management library (NVML) says about a GPU, through ctypes. No torch here.

The library comes with the driver. A call that fails has no answer: the value is None.
"""

import ctypes
from collections.abc import Callable
from typing import Any, Final

LIBRARY: Final = "libnvidia-ml.so.1"
BY_UUID: Final = "nvmlDeviceGetHandleByUUID"
GPU_OF_INSTANCE: Final = "nvmlDeviceGetDeviceHandleFromMigDeviceHandle"
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
    """One GPU, or an instance of a partitioned one (MIG), by the UUID that torch gives.

    By UUID, because NVML numbers GPUs in its own order and knows nothing of CUDA_VISIBLE_DEVICES.
    """

    def __init__(self, library: Any, uuid: str) -> None:
        self._library = library
        self._handle = ctypes.c_void_p()
        self._clocked = self._handle
        library.nvmlInit_v2()
        if self._failed(BY_UUID, f"GPU-{uuid}".encode(), self._handle):
            self._failed(BY_UUID, f"MIG-{uuid}".encode(), self._handle)
            # An instance has no clock of its own, but that of its GPU.
            self._clocked = ctypes.c_void_p()
            self._failed(GPU_OF_INSTANCE, self._handle, self._clocked)

    def energy_joules(self) -> float | None:
        """Used since the driver was loaded; not told of an instance."""
        millijoules = ctypes.c_ulonglong()
        if self._failed("nvmlDeviceGetTotalEnergyConsumption", self._handle, millijoules):
            return None
        return millijoules.value / 1000

    def clock_mhz(self) -> int | None:
        """Of the multiprocessors, now."""
        clock = ctypes.c_uint()
        if self._failed("nvmlDeviceGetClockInfo", self._clocked, SM_CLOCK, clock):
            return None
        return clock.value

    def throttle_reasons(self) -> tuple[str, ...]:
        """Why its clock is held back, now."""
        bits = ctypes.c_ulonglong()
        if self._failed("nvmlDeviceGetCurrentClocksThrottleReasons", self._clocked, bits):
            return ()
        return tuple(words for bit, words in THROTTLE_REASONS.items() if bits.value & bit)

    def _failed(self, function: str, *arguments: Any) -> bool:
        """Call ``function``, which writes its answer to the last argument."""
        *given, answer = arguments
        call: Callable[..., int] = getattr(self._library, function)
        return call(*given, ctypes.byref(answer)) != 0


def find(uuid: str) -> Gpu | None:
    """The GPU called ``uuid``; None where NVML is not there."""
    try:
        return Gpu(ctypes.CDLL(LIBRARY), uuid)
    except (OSError, AttributeError):  # no driver, or one without these functions
        return None
