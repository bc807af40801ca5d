// Reads an AsyncAPI document from standard input; writes, as JSON, the channels and faults that AsyncAPI's parsers find.
import { readFileSync } from "node:fs";
import { AvroSchemaParser } from "@asyncapi/avro-schema-parser";
import { Parser } from "@asyncapi/parser";

const avro = AvroSchemaParser();
const faults = [];
async function parse(input) {
  // for documents of version 3 the parser converts Avro schemas, but does not validate them
  faults.push(...(await avro.validate(input)).map((fault) => ({ ...fault, severity: 0 })));
  return avro.parse(input);
}
const parser = new Parser({ schemaParsers: [{ ...avro, parse }] });
const { document, diagnostics } = await parser.parse(readFileSync(0, "utf8"));
const channels = document?.channels().all().map((channel) => channel.address()) ?? [];
process.stdout.write(JSON.stringify({ channels, diagnostics: [...diagnostics, ...faults] }));
