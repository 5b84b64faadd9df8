// No endpoint, no credentials, no option: AWS's own names must lead to the cloud that runs this.
import { ListQueuesCommand, SendMessageCommand, SQSClient } from "@aws-sdk/client-sqs";
import { ListTopicsCommand, SNSClient } from "@aws-sdk/client-sns";
import { GetCallerIdentityCommand, STSClient } from "@aws-sdk/client-sts";

const region = "us-east-1"; // the one thing that this SDK insists on being told
const identity = await new STSClient({ region }).send(new GetCallerIdentityCommand({}));
const sqs = new SQSClient({ region });
const { QueueUrls } = await sqs.send(new ListQueuesCommand({}));
await sqs.send(new SendMessageCommand({ QueueUrl: QueueUrls[0], MessageBody: "from node" }));
const { Topics } = await new SNSClient({ region }).send(new ListTopicsCommand({}));
console.log(JSON.stringify({ arn: identity.Arn, queues: QueueUrls, topics: Topics.map((topic) => topic.TopicArn) }));
