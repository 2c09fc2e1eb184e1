// Validates an AsyncAPI document with the parser of the AsyncAPI initiative, and every example against the schema of
// its message.
//
// usage: node validate.mjs NODE_MODULES DOCUMENT

import { createRequire } from "node:module";
import { readFileSync } from "node:fs";
import { resolve } from "node:path";

const [modules, file] = process.argv.slice(2);
if (!modules || !file) {
  console.error("usage: node validate.mjs NODE_MODULES DOCUMENT");
  process.exit(2);
}
const require = createRequire(resolve(modules, "here.js"));
const { Parser } = require("@asyncapi/parser");
const Ajv = require("ajv");

const text = readFileSync(file, "utf8");
const problems = [];

const { document, diagnostics } = await new Parser().parse(text);
for (const { severity, code, path, message } of diagnostics) {
  // 0 is an error, 1 a warning; the rest is advice, such as that a newer version exists.
  if (severity <= 1) problems.push(`${path.join(".")}: ${message} (${code})`);
}
if (!document) problems.push("the parser returns no document");

let examples = 0;
const ajv = new Ajv({ strict: false, allErrors: true, validateFormats: false });
const { channels } = JSON.parse(text);
for (const [name, channel] of Object.entries(channels)) {
  for (const [kind, message] of Object.entries(channel.messages ?? {})) {
    const matches = ajv.compile(message.payload);
    for (const example of message.examples ?? []) {
      examples += 1;
      if (!matches(example.payload)) {
        problems.push(`${name}.${kind} example ${example.name}: ${ajv.errorsText(matches.errors)}`);
      }
    }
  }
}

for (const problem of problems) console.error(problem);
const count = Object.keys(channels).length;
console.log(`${file}: ${count} channels, ${examples} examples, ${problems.length} problems`);
process.exit(problems.length === 0 ? 0 : 1);
