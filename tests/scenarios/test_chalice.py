"""AWS Chalice, unmodified: an application with triggers is deployed, called, changed and deleted again."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.scenarios.lambda_code import CACHE, until
from tests.server_process import Server

pytestmark = pytest.mark.timeout(300)

APP = """
from chalice import Chalice

app = Chalice(app_name="shop")

@app.lambda_function(name="add")
def add(event, context):
    return {"sum": event["a"] + event["b"]}

@app.on_sqs_message(queue="orders", batch_size=5)
def on_order(event):
    for record in event:
        app.log.error("order %s", record.body)

@app.on_sns_message(topic="news")
def on_news(event):
    app.log.error("news %s", event.message)

@app.on_s3_event(bucket="photos", events=["s3:ObjectCreated:*"])
def on_photo(event):
    app.log.error("photo %s", event.key)
"""


@pytest.fixture(scope="session")
def chalice() -> str:
    """The program, in an environment of its own: it wants older packages than others do."""
    home = CACHE / "chalice"
    program = home / "bin" / "chalice"
    if not program.exists():
        subprocess.run([sys.executable, "-m", "venv", "--clear", str(home)], check=True)
        subprocess.run([str(home / "bin" / "pip"), "install", "-q", "chalice>=1.32"], check=True)
    return str(program)


def project(folder: Path, text: str) -> None:
    (folder / ".chalice").mkdir(exist_ok=True)
    (folder / ".chalice" / "config.json").write_text(
        json.dumps({"version": "2.0", "app_name": "shop", "lambda_functions": {}, "stages": {"dev": {}}})
    )
    (folder / "requirements.txt").write_text("")
    (folder / "app.py").write_text(text)


def test_an_application_with_triggers(server: Server, chalice: str, tmp_path: Path) -> None:
    def run(*arguments: str, given: str = "") -> str:
        done = subprocess.run(
            [chalice, *arguments],
            input=given,
            cwd=tmp_path,
            env=server.environment(),
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    sqs, s3, sns, logs = (server.client(name) for name in ("sqs", "s3", "sns", "logs"))
    queue = sqs.create_queue(QueueName="orders", Attributes={"VisibilityTimeout": "60"})["QueueUrl"]
    topic = sns.create_topic(Name="news")["TopicArn"]
    s3.create_bucket(Bucket="photos")
    project(tmp_path, APP)
    assert run("deploy").count("Lambda ARN: arn:aws:lambda:") == 4
    assert json.loads(run("invoke", "-n", "add", given='{"a": 1, "b": 2}')) == {"sum": 3}

    sqs.send_message(QueueUrl=queue, MessageBody="tea")
    sns.publish(TopicArn=topic, Message="hot")
    s3.put_object(Bucket="photos", Key="cat.png", Body=b"x")
    for name, text in (("on_order", "order tea"), ("on_news", "news hot"), ("on_photo", "photo cat.png")):

        def logged(name: str = name, text: str = text) -> list[Any]:
            try:
                found = logs.filter_log_events(logGroupName=f"/aws/lambda/shop-dev-{name}", filterPattern=f'"{text}"')
            except logs.exceptions.ResourceNotFoundException:
                return []
            return list(found["events"])

        assert until(logged)
    assert "order tea" in run("logs", "-n", "on_order")

    project(tmp_path, APP.replace('"sum"', '"total"'))
    run("deploy")
    assert json.loads(run("invoke", "-n", "add", given='{"a": 1, "b": 2}')) == {"total": 3}
    run("delete")
    assert server.client("lambda").list_functions()["Functions"] == []
    assert server.client("iam").list_roles()["Roles"] == []
