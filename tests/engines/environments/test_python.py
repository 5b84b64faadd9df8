"""Functions in Python: what they are given, what becomes of what they answer."""

import json

from tests.engines.environments.conftest import Bench


def test_a_function_answers(bench: Bench) -> None:
    source = "def handler(event, context):\n    return {'got': event, 'id': context.aws_request_id}\n"
    first, second = bench.invoke(bench.build(source), b'{"a": 1}', b"[2]")
    assert json.loads(first.payload) == {"got": {"a": 1}, "id": "00000000-0000-4000-8000-000000000001"}
    assert json.loads(second.payload)["got"] == [2]
    assert first.init_ms is not None and first.init_ms > 0 and second.init_ms is None
    assert not first.error and not first.dead and first.content_type == "application/json"


def test_an_exception_is_the_answer(bench: Bench) -> None:
    source = "def handler(event, context):\n    raise ValueError('no way')\n"
    (outcome,) = bench.invoke(bench.build(source))
    assert outcome.error == "Unhandled" and not outcome.dead
    assert json.loads(outcome.payload) == {
        "errorMessage": "no way",
        "errorType": "ValueError",
        "requestId": "00000000-0000-4000-8000-000000000001",
        "stackTrace": ["  File \"/var/task/index.py\", line 2, in handler\n    raise ValueError('no way')\n"],
    }
