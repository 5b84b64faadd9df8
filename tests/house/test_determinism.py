"""Time, chance and environment come from the context, so that a seed replays any failure."""

from tests.house.sources import dotted_calls, modules

BANNED = {
    "time.time": "ctx.now()",
    "time.time_ns": "ctx.now()",
    "time.sleep": "ctx.later() or a listener",
    "datetime.now": "ctx.now()",
    "datetime.utcnow": "ctx.now()",
    "datetime.datetime.now": "ctx.now()",
    "datetime.datetime.utcnow": "ctx.now()",
    "date.today": "ctx.now()",
    "random.random": "ctx.random_bytes()",
    "random.choice": "ctx.random_bytes()",
    "random.randint": "ctx.random_bytes()",
    "secrets.token_hex": "ctx.random_bytes()",
    "secrets.token_bytes": "ctx.random_bytes()",
    "os.urandom": "ctx.random_bytes()",
    "uuid.uuid4": "ctx.uuid()",
    "uuid.uuid1": "ctx.uuid()",
    "os.environ": "a Settings value",
    "os.getenv": "a Settings value",
}
# The one place for each, and the command line, which alone reads the environment.
# What runs inside functions' own processes has their time and environment.
# The store stands below the context: its node ids and the waits between conflicts are never seen in an answer.
ALLOWED = ("cumulo/core/clock.py", "cumulo/core/ids.py", "cumulo/cli/", "cumulo/store/",
           "cumulo/engines/environments/guest/")  # fmt: skip


def _allowed(path: str) -> bool:
    return path.startswith(ALLOWED)


def test_time_chance_and_environment_are_given() -> None:
    wrong = [
        f"{path}:{line} {name}: use {BANNED[name]}"
        for path, tree in modules().items()
        if not _allowed(path.as_posix())
        for name, line in dotted_calls(tree)
        if name in BANNED
    ]
    assert not wrong, wrong
