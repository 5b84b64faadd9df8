// Sends, publishes and receives with the unmodified SDK. Prints one JSON object.
import { SNSClient, CreateTopicCommand, PublishCommand, SubscribeCommand } from "@aws-sdk/client-sns";
import {
  CreateQueueCommand,
  DeleteMessageCommand,
  GetQueueAttributesCommand,
  ReceiveMessageCommand,
  SendMessageCommand,
  SQSClient,
} from "@aws-sdk/client-sqs";
import { GetCallerIdentityCommand, STSClient } from "@aws-sdk/client-sts";

const sqs = new SQSClient({});
const sns = new SNSClient({});
const sts = new STSClient({});

const identity = await sts.send(new GetCallerIdentityCommand({}));
const { QueueUrl } = await sqs.send(new CreateQueueCommand({ QueueName: "javascript" }));
const { Attributes } = await sqs.send(new GetQueueAttributesCommand({ QueueUrl, AttributeNames: ["QueueArn"] }));
const { TopicArn } = await sns.send(new CreateTopicCommand({ Name: "javascript" }));
const policy = {
  Version: "2012-10-17",
  Statement: [
    {
      Effect: "Allow",
      Principal: { Service: "sns.amazonaws.com" },
      Action: "sqs:SendMessage",
      Resource: Attributes.QueueArn,
      Condition: { ArnEquals: { "aws:SourceArn": TopicArn } },
    },
  ],
};
const { SetQueueAttributesCommand } = await import("@aws-sdk/client-sqs");
await sqs.send(new SetQueueAttributesCommand({ QueueUrl, Attributes: { Policy: JSON.stringify(policy) } }));
await sns.send(new SubscribeCommand({ TopicArn, Protocol: "sqs", Endpoint: Attributes.QueueArn }));

await sqs.send(new SendMessageCommand({ QueueUrl, MessageBody: "direct ✓" }));
await sns.send(new PublishCommand({ TopicArn, Message: "through the topic ✓" }));

const bodies = [];
for (let round = 0; round < 10 && bodies.length < 2; round++) {
  const { Messages = [] } = await sqs.send(
    new ReceiveMessageCommand({ QueueUrl, WaitTimeSeconds: 5, MaxNumberOfMessages: 10 }),
  );
  for (const message of Messages) {
    bodies.push(message.Body);
    await sqs.send(new DeleteMessageCommand({ QueueUrl, ReceiptHandle: message.ReceiptHandle }));
  }
}
let unknown = "";
try {
  await sqs.send(new SendMessageCommand({ QueueUrl: QueueUrl + "-missing", MessageBody: "x" }));
} catch (error) {
  unknown = error.name;
}
console.log(JSON.stringify({ account: identity.Account, bodies, unknown }));
