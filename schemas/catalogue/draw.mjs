// The graph on standard input, as SVG.
import { readFileSync } from "node:fs";
import { Graphviz } from "@hpcc-js/wasm-graphviz";

process.stdout.write((await Graphviz.load()).dot(readFileSync(0, "utf8")));
