"""How much a client may send, hold and delay before the gateway stops listening to it."""

import msgspec

KIB = 1024
MIB = 1024 * KIB


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """Sizes in bytes, times in seconds. The defaults are above what any AWS SDK needs."""

    target_bytes: int = 32 * KIB  # 414 above: presigned URLs with session tokens reach some 8 KiB
    header_bytes: int = 64 * KIB  # 431 above, all fields together
    header_count: int = 256  # 431 above
    buffered_body_bytes: int = 20 * MIB  # 413 above, unless the application streams the body
    stream_from_bytes: int = 64 * KIB  # below this a body is not worth streaming: it is buffered
    stream_buffer_bytes: int = 256 * KIB  # of a streamed body not yet taken: reading stops above
    websocket_message_bytes: int = 1 * MIB
    connections: int = 4096

    header_timeout_s: float = 20.0  # from a request's first byte to the end of its header; also TLS handshakes
    idle_timeout_s: float = 75.0  # keep-alive without a request
    body_timeout_s: float = 60.0  # a body may stall this long …
    body_bytes_per_s: int = 1 * KIB  # … and a buffered one must come at this rate on top of it
    write_timeout_s: float = 60.0  # a client that takes nothing of its answer for this long is gone
    linger_timeout_s: float = 2.0  # to read on after an early refusal, so that the client sees the answer

    streams_per_connection: int = 128  # HTTP/2: MAX_CONCURRENT_STREAMS
    resets_per_connection: int = 200  # HTTP/2: resets tolerated beyond the number of finished streams
