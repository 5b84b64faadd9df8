"""Work with private keys that takes more than a millisecond leaves the loop.

Measured: RSA 0.3 to 3.5 ms to sign or to open, ML-DSA 1 ms, Ed25519ph 3 ms, an imported RSA key 36 to 220 ms to check.
ECDSA, ECDH and ML-KEM take a tenth of that and stay where they are.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

from cumulo.core.operation import Wait

if TYPE_CHECKING:
    from cumulo.core.context import Context

T = TypeVar("T")


def off_loop(work: Callable[[], T], then: Callable[[Context, T], Any]) -> Wait:
    """To be raised by a `def` operation: `work` in a thread, then the answer of `then` in a transaction of its own.

    Meanwhile the key may have been disabled, its policy changed: `then` asks for all of it again.
    """

    async def go_on(ctx: Context) -> Any:
        made = await ctx.in_thread(work)
        return await ctx.transact(lambda ctx: then(ctx, made))

    return Wait(go_on)
