"""Orders: paid once, whatever how often they come; and a queue of parcels, some of which are broken."""

import os
import uuid

from aws_lambda_powertools import Logger, Metrics, Tracer
from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.batch import BatchProcessor, EventType, process_partial_response
from aws_lambda_powertools.utilities.idempotency import DynamoDBPersistenceLayer, idempotent

logger = Logger(service="orders")
metrics = Metrics(namespace="shop", service="orders")
tracer = Tracer(service="orders")
processor = BatchProcessor(event_type=EventType.SQS)


@logger.inject_lambda_context
@metrics.log_metrics
@tracer.capture_lambda_handler
@idempotent(persistence_store=DynamoDBPersistenceLayer(table_name=os.environ["TABLE"]))
def orders(event, context):
    tracer.put_annotation("order", event["id"])
    logger.info("paid", order=event["id"])
    metrics.add_metric(name="payments", unit=MetricUnit.Count, value=1)
    return {"payment": str(uuid.uuid4()), "order": event["id"]}


def unpack(record):
    if record.body == "broken":
        raise ValueError("broken")
    logger.info("unpacked", parcel=record.body)


def parcels(event, context):
    return process_partial_response(event=event, record_handler=unpack, processor=processor, context=context)
