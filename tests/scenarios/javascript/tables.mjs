// Tables and items with the unmodified SDK, its document client and ElectroDB. Prints one JSON object.
import { CreateTableCommand, DynamoDBClient, waitUntilTableExists } from "@aws-sdk/client-dynamodb";
import {
  BatchWriteCommand,
  DynamoDBDocumentClient,
  GetCommand,
  paginateQuery,
  PutCommand,
  TransactWriteCommand,
} from "@aws-sdk/lib-dynamodb";
import { Entity, Service } from "electrodb";

const client = new DynamoDBClient({});
const document = DynamoDBDocumentClient.from(client);
const table = "javascript";

const index = (name) => ({
  IndexName: name,
  KeySchema: [
    { AttributeName: `${name}pk`, KeyType: "HASH" },
    { AttributeName: `${name}sk`, KeyType: "RANGE" },
  ],
  Projection: { ProjectionType: "ALL" },
});
await client.send(
  new CreateTableCommand({
    TableName: table,
    BillingMode: "PAY_PER_REQUEST",
    KeySchema: [
      { AttributeName: "pk", KeyType: "HASH" },
      { AttributeName: "sk", KeyType: "RANGE" },
    ],
    AttributeDefinitions: ["pk", "sk", "gsi1pk", "gsi1sk"].map((name) => ({ AttributeName: name, AttributeType: "S" })),
    GlobalSecondaryIndexes: [index("gsi1")],
  }),
);
await waitUntilTableExists({ client, maxWaitTime: 20, minDelay: 0.1, maxDelay: 0.5 }, { TableName: table });

// The document client.
const item = { pk: "doc", sk: "1", list: [1, "two", { three: null }], set: new Set(["a", "b"]), bytes: Uint8Array.of(0, 255) };
await document.send(new PutCommand({ TableName: table, Item: item }));
const { Item: got } = await document.send(new GetCommand({ TableName: table, Key: { pk: "doc", sk: "1" } }));
const requests = Array.from({ length: 25 }, (_, number) => ({
  PutRequest: { Item: { pk: "many", sk: String(number).padStart(2, "0"), number } },
}));
await document.send(new BatchWriteCommand({ RequestItems: { [table]: requests } }));
const numbers = [];
const pages = paginateQuery(
  { client: document, pageSize: 7 },
  { TableName: table, KeyConditionExpression: "pk = :pk", ExpressionAttributeValues: { ":pk": "many" } },
);
for await (const page of pages) numbers.push(...page.Items.map((each) => each.number));
let reasons = [];
try {
  await document.send(
    new TransactWriteCommand({
      TransactItems: [
        { Put: { TableName: table, Item: { pk: "doc", sk: "2" } } },
        { Put: { TableName: table, Item: { pk: "doc", sk: "1" }, ConditionExpression: "attribute_not_exists(pk)" } },
      ],
    }),
  );
} catch (error) {
  reasons = [error.name, ...error.CancellationReasons.map((reason) => reason.Code)];
}

// ElectroDB: entities of a single table.
const Task = new Entity(
  {
    model: { entity: "task", version: "1", service: "work" },
    attributes: {
      project: { type: "string", required: true },
      task: { type: "string", required: true },
      employee: { type: "string", required: true },
      points: { type: "number", default: 0 },
      tags: { type: "set", items: "string" },
    },
    indexes: {
      byProject: { pk: { field: "pk", composite: ["project"] }, sk: { field: "sk", composite: ["task"] } },
      byEmployee: {
        index: "gsi1",
        pk: { field: "gsi1pk", composite: ["employee"] },
        sk: { field: "gsi1sk", composite: ["project", "task"] },
      },
    },
  },
  { client: document, table },
);
const work = new Service({ task: Task });
for (const [task, employee] of [["design", "ann"], ["build", "bob"], ["test", "ann"]]) {
  await Task.create({ project: "moon", task, employee, tags: [task] }).go();
}
let duplicate = "";
try {
  await Task.create({ project: "moon", task: "build", employee: "cid" }).go();
} catch (error) {
  duplicate = error.cause?.name ?? error.message;
}
const patched = await Task.patch({ project: "moon", task: "test" })
  .add({ points: 5 })
  .where(({ points }, { lt }) => lt(points, 3))
  .go({ response: "all_new" });
const ofAnn = await Task.query.byEmployee({ employee: "ann" }).go();
const begins = await Task.query.byProject({ project: "moon" }).begins({ task: "d" }).go();
const transaction = await work.transaction
  .write(({ task }) => [
    task.upsert({ project: "moon", task: "land", employee: "bob" }).commit(),
    task.remove({ project: "moon", task: "design" }).commit(),
  ])
  .go();
const all = await Task.query.byProject({ project: "moon" }).go({ pages: "all" });

console.log(
  JSON.stringify({
    got: { ...got, set: [...got.set], bytes: [...got.bytes] },
    numbers,
    reasons,
    duplicate,
    points: patched.data.points,
    ofAnn: ofAnn.data.map((each) => each.task),
    begins: begins.data.map((each) => each.task),
    canceled: transaction.canceled,
    all: all.data.map((each) => each.task),
  }),
);
