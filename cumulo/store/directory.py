"""The data directory belongs to one process at a time."""

import errno
import os
import sys
from pathlib import Path

from cumulo.store.failures import StoreFailure, StoreFull, StoreLocked, StoreReadOnly

_LOCKED_BYTE = 1 << 30  # Windows keeps others from reading a locked byte: lock one far behind the process id


def os_failure(error: OSError, place: Path) -> StoreFailure:
    """The store's failure for one of the operating system's."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return StoreFull(f"No space is left for {place}. Free some space; nothing was damaged.")
    if error.errno in (errno.EROFS, errno.EACCES, errno.EPERM):
        return StoreReadOnly(
            f"{place} cannot be written ({error.strerror}). Make it writable, or choose another --data-dir."
        )
    return StoreFailure(f"{place}: {error.strerror or error}")


class DirectoryLock:
    """Holds the data directory for this process, from `lock_directory` until `release` or the process's end."""

    def __init__(self, file: int) -> None:
        self._file = file

    def release(self) -> None:
        """Let another process have it. The file stays: removing it would let two processes lock two files."""
        os.close(self._file)


def lock_directory(data_dir: Path) -> DirectoryLock:
    """Make the directory if need be and lock it. Raises StoreLocked, StoreReadOnly, StoreFull or StoreFailure."""
    path = data_dir / "lock"
    try:
        data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        file = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        raise os_failure(error, data_dir) from error
    try:
        if not _lock(file):
            raise _locked(data_dir, file)
        os.ftruncate(file, 0)
        os.lseek(file, 0, os.SEEK_SET)
        os.write(file, b"%d\n" % os.getpid())
    except OSError as error:
        os.close(file)
        raise os_failure(error, path) from error
    except StoreLocked:
        os.close(file)
        raise
    return DirectoryLock(file)


def _locked(data_dir: Path, file: int) -> StoreLocked:
    written = os.read(file, 32).strip()
    pid = int(written) if written.isdigit() else None
    who = f"process {pid}" if pid else "another process"
    return StoreLocked(
        f"The data directory {data_dir} is in use by {who}. Stop it (cumulo stop) or choose another --data-dir.", pid
    )


if sys.platform == "win32":
    import msvcrt

    def _lock(file: int) -> bool:
        os.lseek(file, _LOCKED_BYTE, os.SEEK_SET)
        try:
            msvcrt.locking(file, msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        finally:
            os.lseek(file, 0, os.SEEK_SET)
        return True

else:
    import fcntl

    def _lock(file: int) -> bool:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True
