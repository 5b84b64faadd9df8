"""How Lambda words the end of a runtime's process."""

from __future__ import annotations

import os

# The words of Go's package syscall, which Lambda's own programs are written in.
SIGNALS = {
    1: "hangup", 2: "interrupt", 3: "quit", 4: "illegal instruction", 5: "trace/breakpoint trap", 6: "aborted",
    7: "bus error", 8: "floating point exception", 9: "killed", 10: "user defined signal 1", 11: "segmentation fault",
    12: "user defined signal 2", 13: "broken pipe", 14: "alarm clock", 15: "terminated", 31: "bad system call",
}  # fmt: skip
EXIT_ERROR, OUT_OF_MEMORY = "Runtime.ExitError", "Runtime.OutOfMemory"


def reason(status: int) -> str:
    """ "exit status 1", "signal: killed"; "" for a plain end. `status` is waitpid(2)'s."""
    if os.WIFSIGNALED(status):
        number = os.WTERMSIG(status)
        return f"signal: {SIGNALS.get(number, f'signal {number}')}"
    code = os.WEXITSTATUS(status)
    return f"exit status {code}" if code else ""


def runtime_ended(status: int) -> str:
    """What is said of a runtime that ended; source: recorded answers of Invoke."""
    text = reason(status)
    return f"Runtime exited with error: {text}" if text else "Runtime exited without providing a reason"
