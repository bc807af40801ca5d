// The document on standard input: what AsyncAPI's own parsers have to say, as JSON.
import { readFileSync } from "node:fs";
import { AvroSchemaParser } from "@asyncapi/avro-schema-parser";
import { Parser } from "@asyncapi/parser";

const avro = AvroSchemaParser();
const faults = [];
async function parse(input) {
  // of documents of version 3 the parser itself has Avro converted, not validated
  faults.push(...(await avro.validate(input)).map((fault) => ({ ...fault, severity: 0 })));
  return avro.parse(input);
}
const parser = new Parser({ schemaParsers: [{ ...avro, parse }] });
const { document, diagnostics } = await parser.parse(readFileSync(0, "utf8"));
const channels = document?.channels().all().map((channel) => channel.address()) ?? [];
process.stdout.write(JSON.stringify({ channels, diagnostics: [...diagnostics, ...faults] }));
