// Orders: paid once, whatever how often they come; and a queue of parcels, some of which are broken.
import { BatchProcessor, EventType, processPartialResponse } from '@aws-lambda-powertools/batch';
import { makeIdempotent } from '@aws-lambda-powertools/idempotency';
import { DynamoDBPersistenceLayer } from '@aws-lambda-powertools/idempotency/dynamodb';
import { Logger } from '@aws-lambda-powertools/logger';
import { Metrics, MetricUnit } from '@aws-lambda-powertools/metrics';
import { Tracer } from '@aws-lambda-powertools/tracer';

const logger = new Logger({ serviceName: 'orders' });
const metrics = new Metrics({ namespace: 'shop', serviceName: 'orders' });
const tracer = new Tracer({ serviceName: 'orders' });
const processor = new BatchProcessor(EventType.SQS);

const pay = async (order, context) => {
  logger.addContext(context);
  tracer.putAnnotation('order', order.id);
  logger.info('paid', { order: order.id });
  metrics.addMetric('payments', MetricUnit.Count, 1);
  metrics.publishStoredMetrics();
  return { payment: Math.random().toString(36), order: order.id };
};

export const orders = makeIdempotent(pay, {
  persistenceStore: new DynamoDBPersistenceLayer({ tableName: process.env.TABLE }),
});

const unpack = async (record) => {
  if (record.body === 'broken') throw new Error('broken');
  logger.info('unpacked', { parcel: record.body });
};

export const parcels = async (event, context) => processPartialResponse(event, unpack, processor, { context });
