"""What a function may find of other functions of its runtime: nothing, though all are forks of one process."""

from cumulo.engines.environments.environments import Environments
from tests.engines.environments.conftest import Bench

SEARCH = """
import re
NEXT = bytes([*range(1, 256), 0])
SHIFTED = {shifted!r}  # the text that is looked for must not be in memory because of the search itself
def handler(event, context):
    found = 0
    with open("/proc/self/maps") as maps, open("/proc/self/mem", "rb", 0) as memory:
        for line in maps.read().splitlines():
            match = re.match("([0-9a-f]+)-([0-9a-f]+) r", line)
            if match is None or line.endswith(("[vvar]", "[vsyscall]", "[vvar_vclock]")):
                continue
            start, end = (int(word, 16) for word in match.groups())
            try:
                memory.seek(start)
                found += memory.read(end - start).translate(NEXT).count(SHIFTED)
            except (OSError, OverflowError):
                continue
    return found
"""
SECRET = "tnL4HUjqZ8of-neighbours-secret"


def test_a_fork_does_not_remember_what_other_functions_were_given(bench: Bench) -> None:
    """Variables and credentials of functions are nowhere in the memory of the next one, not even in what is freed.

    Several of several lengths: what the last one was given lies over some of what those before it were.
    """
    givers = [
        bench.build(
            "def handler(event, context): return 1",
            variables={f"SECRET_{number}": (SECRET + " ") * length for number in range(20)},
        )
        for length in (1, 3, 8, 30, 2)
    ]
    search = SEARCH.format(shifted=bytes(byte + 1 for byte in SECRET.encode()))
    taker = bench.build(search, memory_mb=1024, timeout_s=20.0)
    own = bench.build(search, memory_mb=1024, timeout_s=20.0, variables={"AWS_SECRET_ACCESS_KEY": SECRET})

    async def main(homes: Environments) -> list[bytes]:
        found = []
        for build in (*givers, taker, own):
            environment = await bench.start(homes, build)
            found.append((await environment.invoke(bench.invocation())).payload)
        return found

    *_, taken, seen = bench.run(main)
    assert int(seen) > 0, "the search finds what is there"
    assert taken == b"0"
