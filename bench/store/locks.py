"""Locks that the system releases when their holder dies, and doing without where a file system has none."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

LOCKLESS = (errno.ENOSYS, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOLCK)
"""What `flock` fails with on a file system that has no locks, or whose server gives none."""


@contextmanager
def held(path: Path, *, wait: bool = True) -> Iterator[bool]:
    """The lock of the file `path` is ours while this lasts; False where there are no locks, and all go on.

    Raises:
        filelock.Timeout: another process has it, and we do not wait.
    """
    from filelock import FileLock

    # Not the soft kind instead, a file that is there or not: that of a killed process would be waited for.
    lock = FileLock(path, timeout=-1 if wait else 0, fallback_to_soft=False)
    with ExitStack() as stack:
        try:
            stack.enter_context(lock)
        except OSError as error:
            if error.errno not in LOCKLESS:
                raise
        yield lock.is_locked
