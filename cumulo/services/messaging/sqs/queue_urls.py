"""Queue URLs: made from the endpoint that the client uses, and read whatever endpoint they name. Pure."""

from cumulo.services.messaging.sqs.errors import INVALID_ADDRESS


def url_of(endpoint: str, account: str, name: str) -> str:
    """The URL of a queue, under the scheme and host of the request that asks for it."""
    return f"{endpoint}/{account}/{name}"


def read(url: str) -> tuple[str, str]:
    """Account and name in a queue URL; InvalidAddress when it has none.

    The host does not matter, so a URL stays good when the port or the name of the machine changes, and
    those that AWS (`https://sqs.eu-west-1.amazonaws.com/123456789012/q`, `https://queue.amazonaws.com/…`,
    `https://eu-west-1.queue.amazonaws.com/…`) and local clouds (`…/queue/eu-west-1/123456789012/q`)
    have handed out work. A bare `/123456789012/q` does too.
    """
    parts = url.rsplit("/", 2)
    if not parts[-1]:  # a slash at the end
        parts = url.rstrip("/").rsplit("/", 2)
    if len(parts) == 3:
        _, account, name = parts
        if name and len(account) == 12 and account.isdigit():
            return account, name
    raise INVALID_ADDRESS(url=url)
