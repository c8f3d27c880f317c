"""The two errors that reach a user as one line instead of a traceback."""


class UsageError(ValueError):
    """The request itself is wrong (unknown name, impossible option): exit code 2."""


class BenchError(RuntimeError):
    """The request is right but cannot be carried out here: exit code 1."""


class StorageError(BenchError):
    """Results cannot be written: no cell can go on."""
