"""Files that are written whole or not at all. No torch here."""

import os
import tempfile
from pathlib import Path

from bench.errors import StorageError


def write_atomic(path: Path, text: str) -> None:
    """Write ``text`` to ``path`` whole or not at all, durably; StorageError where it cannot be."""
    write_files({path: text.encode()})


def write_files(
    contents: dict[Path, bytes], kept: str = "; finished cells are kept", option: str = "--out"
) -> None:
    """Write every file beside its target first, then rename them all: a full disk changes none.

    Raises:
        StorageError: they cannot be written; it says what is ``kept``, and which ``option`` names
            another folder.
    """
    staged: dict[Path, Path] = {}
    path = next(iter(contents))
    try:
        for path, content in contents.items():
            path.parent.mkdir(parents=True, exist_ok=True)
            with tempfile.NamedTemporaryFile(
                dir=path.parent, prefix=f".{path.name}-", delete=False
            ) as file:
                staged[path] = Path(file.name)
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            # Temporary files are private; results are as readable as any other file.
            staged[path].chmod(0o644)
        for path, temporary in staged.items():
            temporary.replace(path)
    except OSError as error:
        for temporary in staged.values():
            temporary.unlink(missing_ok=True)
        raise StorageError(
            f"cannot write {path}: {error.strerror or error}. "
            f"Free some space or name another folder with {option}{kept}."
        ) from error
