// Reads a JSON list of SNS messages; prints a JSON list with "" for each good one and the reason for each other.
import { readFileSync } from "node:fs";
import MessageValidator from "sns-validator";

const validator = new MessageValidator();
const verdicts = [];
for (const message of JSON.parse(readFileSync(0, "utf8"))) {
  verdicts.push(await new Promise((done) => validator.validate(message, (error) => done(error ? String(error) : ""))));
}
console.log(JSON.stringify(verdicts));
process.exit(); // a certificate that was not there is an answer that the validator never reads
