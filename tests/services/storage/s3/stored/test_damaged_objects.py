"""A damaged object never looks whole: its answer is cut off where the damage is, and the log says what broke."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import IncompleteReadError, ResponseStreamingError

from tests.conftest import Account, RunningCloud

SIZE = 3_000_000
CUT_OFF = (IncompleteReadError, ResponseStreamingError, ConnectionError)


@pytest.mark.parametrize("sealed", [{}, {"ServerSideEncryption": "aws:kms"}])
@pytest.mark.parametrize("left", [SIZE // 2, 1000])
def test_an_object_that_ends_too_early(
    start_cloud: Callable[..., RunningCloud],
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    sealed: dict[str, Any],
    left: int,
) -> None:
    running = start_cloud(tmp_path)
    s3 = Account(running, "111122223333").client("s3")
    s3.create_bucket(Bucket="kept")
    s3.put_object(Bucket="kept", Key="k", Body=os.urandom(SIZE), **sealed)
    [file] = [path for path in running.cloud.runtime.blobs.folder.rglob("*") if path.is_file()]
    os.truncate(file, left)
    with caplog.at_level(logging.ERROR):
        answer = s3.get_object(Bucket="kept", Key="k")
        assert answer["ContentLength"] == SIZE
        with pytest.raises(CUT_OFF):
            answer["Body"].read()
    said = [record.getMessage() for record in caplog.records]
    assert any("the answer broke off" in each for each in said), said
    assert not any("without an answer" in str(record.exc_info) for record in caplog.records)
    assert s3.list_objects_v2(Bucket="kept")["KeyCount"] == 1
