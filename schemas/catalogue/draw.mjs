// Reads a graph in Graphviz' language from standard input; writes it to standard output as SVG.
import { readFileSync } from "node:fs";
import { Graphviz } from "@hpcc-js/wasm-graphviz";

process.stdout.write((await Graphviz.load()).dot(readFileSync(0, "utf8")));
