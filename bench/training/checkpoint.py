"""Checkpoints of a cell in training: written whole, proven by hash, the one before kept.

``<cell folder>/checkpoint-<n>.pt`` holds the tensors, ``checkpoint-<n>.json`` where training stood
and the hash of the former. The JSON goes last: without it, the other does not count.
"""

import hashlib
import json
import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, cast

import torch
from pydantic import BaseModel, ConfigDict, ValidationError

from bench.errors import StorageError, UsageError
from bench.records.schema import Engine, EpochRecord
from bench.records.writing import write_atomic

KEPT = 2
# Writing may take this much of the time that training takes.
SHARE = 0.015
# How fast the first one is expected to be written; the later ones go by the one before.
BYTES_PER_SECOND = 150e6

Warn = Callable[[str], None]
State = dict[str, Any]


class Position(BaseModel):
    """Where training stands: with the trainer's tensors, all that going on needs."""

    model_config = ConfigDict(extra="forbid", ser_json_inf_nan="constants")

    epoch: int = 1  # in progress
    step: int = 0  # steps of it that are done
    warmup_end: int | None = None  # first step after an ErrorWarmup, None while it lasts
    train_seconds: float = 0.0  # spent in this epoch
    epochs: list[EpochRecord] = []  # that are finished
    resumes: int = 0
    checkpoints: int = 0
    checkpoint_seconds: float = 0.0


class _Envelope(BaseModel):
    model_config = ConfigDict(extra="forbid", ser_json_inf_nan="constants")

    settings: dict[str, Any]
    engine: Engine
    position: Position
    sha256: str


@dataclass(frozen=True, slots=True)
class Loaded:
    """A checkpoint that was read: what the trainer loads, and where and how it goes on."""

    state: State
    position: Position
    engine: Engine


class Checkpoints:
    """The checkpoints of one cell.

    Args:
        folder: the cell's.
        settings: what was asked for; a checkpoint of other settings is refused.
        every_seconds: least time between two of them within an epoch.
        share: of the time of training that writing may take.
        warn: told when a checkpoint is damaged.
        clock: monotonic seconds.
    """

    def __init__(
        self,
        folder: Path,
        settings: dict[str, Any],
        *,
        every_seconds: float,
        share: float = SHARE,
        warn: Warn,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.folder = folder
        self.settings = settings
        self.every_seconds = every_seconds
        self.share = share
        self._warn = warn
        self._clock = clock
        self._started = self._last = clock()
        self._cost: float | None = None  # seconds that the last one took
        self._spent = 0.0

    def due(self, size_bytes: int, *, epoch_ends: bool) -> bool:
        """Whether to write one now: at the end of an epoch and every so often within it.

        Never so often that writing takes more than a ``share`` of the time: the networks differ by
        a factor of hundreds in size, and disks in speed.
        """
        now = self._clock()
        if not epoch_ends and now - self._last < self.every_seconds:
            return False
        cost = size_bytes / BYTES_PER_SECOND if self._cost is None else self._cost
        return self._spent + cost <= self.share * (now - self._started)

    def save(self, state: State, position: Position, engine: Engine) -> None:
        """Write one, and remove all but the one before.

        Raises:
            StorageError: it cannot be written, for want of space perhaps; those before are whole.
        """
        start = self._clock()
        number = max(self._numbers(), default=0) + 1
        path = self._path(number)
        sha256 = _write_tensors(path, state)
        position.checkpoints += 1
        envelope = _Envelope(
            settings=self.settings, engine=engine, position=position, sha256=sha256
        )
        write_atomic(path.with_suffix(".json"), envelope.model_dump_json() + "\n")
        kept = [n for n in self._numbers() if self._path(n).with_suffix(".json").exists()][:KEPT]
        for old in set(self._numbers()) - set(kept):
            self._remove(old)
        self._last = self._clock()
        self._cost = self._last - start
        self._spent += self._cost
        position.checkpoint_seconds += self._cost

    def load(self) -> Loaded | None:
        """The newest one that is whole, or None where there is none.

        Raises:
            UsageError: it was written with other settings.
        """
        for number in self._numbers():
            path = self._path(number)
            try:
                envelope = _read_envelope(path)
            except (OSError, ValidationError, ValueError) as error:
                reason = str(error).splitlines()[0]
                self._warn(f"{path} is damaged ({reason}); going back to the one before it")
                self._remove(number)  # or it would count among those kept
                continue
            self._refuse_other_settings(envelope.settings)
            # To the CPU: on a GPU it would count in the peak of memory.
            state = torch.load(path, map_location="cpu", weights_only=True)
            envelope.position.resumes += 1
            return Loaded(state, envelope.position, envelope.engine)
        return None

    def clear(self) -> None:
        """Remove all of them: the cell is finished, or starts over."""
        for path in self.folder.glob(".checkpoint-*"):
            path.unlink(missing_ok=True)  # left by a process that was killed while writing
        for number in self._numbers():
            self._remove(number)

    def _numbers(self) -> list[int]:
        """Of the checkpoints that are there, the newest first."""
        paths = self.folder.glob("checkpoint-*.pt")
        return sorted((int(path.stem.partition("-")[2]) for path in paths), reverse=True)

    def _path(self, number: int) -> Path:
        return self.folder / f"checkpoint-{number}.pt"

    def _remove(self, number: int) -> None:
        for suffix in (".json", ".pt"):
            self._path(number).with_suffix(suffix).unlink(missing_ok=True)

    def _refuse_other_settings(self, old: dict[str, Any]) -> None:
        new = json.loads(json.dumps(self.settings))
        changes = [
            f"{key} {old.get(key)!r}, now {new.get(key)!r}"
            for key in sorted(old.keys() | new.keys())
            if old.get(key) != new.get(key)
        ]
        if changes:
            raise UsageError(
                f"{self.folder} has a checkpoint that was made with {'; '.join(changes)}. "
                "Start over with --fresh, or keep it and name another folder with --out."
            )


class _Hashing:
    """A file that knows the SHA-256 of what was written to it."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self.sha256 = hashlib.sha256()

    def write(self, data: bytes) -> int:
        self.sha256.update(data)
        return self._file.write(data)

    def flush(self) -> None:
        self._file.flush()


def _write_tensors(path: Path, state: State) -> str:
    """Write ``state`` to ``path`` whole or not at all; returns its SHA-256."""
    temporary = path.with_name(f".{path.name}-{os.getpid()}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with temporary.open("wb") as file:
            hashing = _Hashing(file)
            torch.save(state, cast(IO[bytes], hashing))  # all of a file that it uses
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except (OSError, RuntimeError) as error:  # torch reports a full disk as a RuntimeError
        temporary.unlink(missing_ok=True)
        reason = error.strerror if isinstance(error, OSError) else str(error).splitlines()[0]
        raise StorageError(
            f"cannot write {path}: {reason}. Free some space or name another folder with --out; "
            "the checkpoint before it and finished cells are kept."
        ) from error
    return hashing.sha256.hexdigest()


def _read_envelope(path: Path) -> _Envelope:
    """What belongs to the tensors in ``path``, once they are proven to be those written."""
    envelope = _Envelope.model_validate_json(path.with_suffix(".json").read_bytes())
    with path.open("rb") as file:
        if hashlib.file_digest(file, "sha256").hexdigest() != envelope.sha256:
            raise ValueError("its hash is not the one it was written with")
    return envelope
