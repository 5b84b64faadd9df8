"""Type stubs of services."""

from pathlib import Path

import mypy.api

from cumulo.wire import stubs


def test_stubs_are_valid_types(tmp_path: Path) -> None:
    names = ["sqs", "sns", "sts", "dynamodb", "lambda", "s3", "kinesis"]
    assert stubs.main([*names, "--into", str(tmp_path)]) == 0
    assert (tmp_path / "lambda_.pyi").exists()
    text = (tmp_path / "sqs.pyi").read_text()
    assert "class SendMessageRequest(_t.TypedDict):\n    QueueUrl: str\n    MessageBody: str\n" in text
    out, _, status = mypy.api.run(["--strict", "--no-incremental", *map(str, sorted(tmp_path.glob("*.pyi")))])
    assert status == 0, out
