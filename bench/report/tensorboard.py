"""Records as event files of TensorBoard: curves by epoch, hyperparameters, the cell in words.

Each cell is a run, in a folder of its own. TensorBoard itself is needed for its formats (the extra
``tensorboard``), torch is not.
"""

import io
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final

from bench.analysis import labels
from bench.errors import BenchError, UsageError
from bench.formats import in_markdown, markdown_table
from bench.records.schema import EpochRecord, Record
from bench.records.writing import write_files
from bench.reference.loader import dataset_title

PREFIX: Final = "events.out.tfevents."
"""What the names of event files begin with."""

_CLASSIC: Final = "brain.Event:2"  # the version that every event file begins with


def write(folder: Path, records: Sequence[Record]) -> None:
    """Write an event file for each of ``records`` to ``folder``, all or none.

    Raises:
        UsageError: an event file of an older run lies where one of them would.
        BenchError: TensorBoard is not installed.
        StorageError: they cannot be written.
    """
    files: dict[Path, bytes] = {}
    for record in records:
        run = folder / record.cell.id
        file = run / f"{PREFIX}{int(record.finished_at.timestamp())}.resnet-bench"
        if others := [path for path in sorted(run.glob(f"{PREFIX}*")) if path != file]:
            raise UsageError(
                f"{others[0]} is of an older run, and TensorBoard would draw both as one: remove "
                f"{run}, or name another folder with --tensorboard"
            )
        files[file] = _content(record)
    write_files(files, kept="", option="--tensorboard")


def _content(record: Record) -> bytes:
    try:
        from tensorboard.compat.proto.event_pb2 import Event
        from tensorboard.summary.writer.record_writer import RecordWriter
    except ImportError as error:
        raise BenchError(
            f"TensorBoard is needed for its formats ({error}): pip install tensorboard, which is "
            "what the extra resnet-bench[tensorboard] does"
        ) from None
    buffer = io.BytesIO()
    writer = RecordWriter(buffer)
    start = record.started_at.timestamp()
    writer.write(Event(wall_time=start, file_version=_CLASSIC).SerializeToString())
    for summary in (_hyperparameters(record), _text(record)):
        writer.write(Event(wall_time=start, step=0, summary=summary).SerializeToString())
    for wall_time, epoch in _timed(record):
        event = Event(wall_time=wall_time, step=epoch.epoch, summary=_curves(epoch))
        writer.write(event.SerializeToString())
    writer.write(_end(record).SerializeToString())
    return buffer.getvalue()


def _timed(record: Record) -> Iterator[tuple[float, EpochRecord]]:
    """Each epoch with when it ended, reckoned from the end of the last one."""
    seconds = [epoch.train_seconds + epoch.test_seconds for epoch in record.epochs]
    end = record.finished_at.timestamp()
    for number, epoch in enumerate(record.epochs, start=1):
        yield end - sum(seconds[number:]), epoch


def _curves(epoch: EpochRecord) -> Any:
    from tensorboard.compat.proto.summary_pb2 import Summary

    values = {
        "accuracy/train": epoch.train_accuracy,
        "accuracy/test": epoch.test_accuracy,
        "accuracy/validation": epoch.validation_accuracy,
        "loss/train": epoch.train_loss,
        "loss/test": epoch.test_loss,
        "loss/validation": epoch.validation_loss,
        "learning rate": epoch.learning_rate,
        "images per second": epoch.train_images / epoch.train_seconds,
    }
    return Summary(
        value=[
            Summary.Value(tag=tag, simple_value=value)
            for tag, value in values.items()
            if value is not None
        ]
    )


def _hyperparameters(record: Record) -> Any:
    """What decides the run, for TensorBoard's table of runs."""
    from tensorboard.plugins.hparams.summary_v2 import hparams_pb

    values = record.cell.model_dump(exclude={"custom"})
    values |= record.recipe.model_dump(exclude={"name", "schedule"})
    values |= {
        "schedule": labels.schedule(record.recipe),
        "precision": record.engine.precision,
        "device": record.environment.device_name,
    }
    return hparams_pb(
        {name: value for name, value in values.items() if value is not None},
        trial_id=record.cell.id,
        start_time_secs=record.started_at.timestamp(),
    )


def _end(record: Record) -> Any:
    """How the run ended, and when."""
    from tensorboard.compat.proto.event_pb2 import Event
    from tensorboard.compat.proto.summary_pb2 import Summary
    from tensorboard.plugins.hparams import metadata, plugin_data_pb2
    from tensorboard.plugins.hparams.api_pb2 import STATUS_FAILURE, STATUS_SUCCESS

    end = record.finished_at.timestamp()
    status = STATUS_SUCCESS if record.status == "completed" else STATUS_FAILURE
    told = plugin_data_pb2.SessionEndInfo(status=status, end_time_secs=end)
    value = Summary.Value(
        tag=metadata.SESSION_END_INFO_TAG,
        metadata=metadata.create_summary_metadata(
            plugin_data_pb2.HParamsPluginData(session_end_info=told)
        ),
        tensor=metadata.NULL_TENSOR,
    )
    return Event(wall_time=end, summary=Summary(value=[value]))


def _text(record: Record) -> Any:
    """The cell in words, as Markdown."""
    from tensorboard.compat.proto.summary_pb2 import Summary
    from tensorboard.compat.proto.tensor_pb2 import TensorProto
    from tensorboard.compat.proto.tensor_shape_pb2 import TensorShapeProto
    from tensorboard.compat.proto.types_pb2 import DT_STRING
    from tensorboard.plugins.text.metadata import create_summary_metadata

    cell = record.cell
    title = f"{labels.model_title(cell.network, cell.depth)} on {dataset_title(cell.dataset)}"
    facts = {
        "Status": f"{record.status}{f': {record.reason}' if record.reason else ''}",
        "Profile": record.profile,
        "Learning rate": labels.schedule(record.recipe),
        **{key.capitalize(): value for key, value in labels.recipe_facts(record).items()},
        "Engine": labels.engine(record),
        **labels.course(record),
        "Device": record.environment.device_name,
        "Software": f"resnet-bench {record.environment.resnet_bench}, "
        f"PyTorch {record.environment.torch}",
        "Command": record.command,
    }
    rows = ([in_markdown(key), in_markdown(value)] for key, value in facts.items())
    text = f"# {title}\n\n{markdown_table(['', ''], rows)}\n"
    shape = TensorShapeProto(dim=[TensorShapeProto.Dim(size=1)])
    tensor = TensorProto(dtype=DT_STRING, string_val=[text.encode()], tensor_shape=shape)
    metadata = create_summary_metadata(display_name="", description="")
    return Summary(value=[Summary.Value(tag="cell", metadata=metadata, tensor=tensor)])
