/** The drawing of functions and topics, and the table of the messages that go through them. */

import { every, read, request } from "./api.js";
import { byId, element, showNumber, svg } from "./dom.js";
import { setText } from "./language.js";

const POLL_INTERVAL = 2000; // ms
const READING_INTERVAL = 300; // ms, while the BFF is still reading the first figures
const COLUMNS = ["topic", "function", "incoming", "outgoing", "waiting", "later"];
const LEGEND = ["command", "compensation", "deadline", "event", "arriving", "waiting"];
const badges = new Map(); // by name of a function or topic
const rows = []; // one for each topic and function that reads it
let previous = null; // the figures before, from which rates are computed

/** Draws the topology, and keeps its figures up to date. */
export async function maintainTopology() {
  const topology = await (await request("/panel/topology.json")).json();
  draw(topology);
  buildTable(topology.functions);
  every(POLL_INTERVAL, () => read("/panel/topics", (data) => showFigures(data, topology.functions), clear));
}

function draw({ view_box, nodes, edges }) {
  const drawing = byId("drawing");
  drawing.setAttribute("viewBox", view_box);
  for (const edge of edges) {
    const line = svg("path", { d: edge.line });
    const arrowhead = svg("polygon", { points: edge.arrowhead });
    drawing.append(svg("g", { class: edge.class }, line, arrowhead));
  }
  for (const node of nodes) drawing.append(drawNode(node));
  centre(nodes[0].name);
  byId("legend").append(...LEGEND.map((entry) => element("li", { class: entry, t: `legend.${entry}` })));
}

function drawNode({ name, kind, box: [x, y, width, height] }) {
  const lines = name.replace("/", "/\n").split("\n");
  const texts = lines.map((line, n) => {
    const middle = y + height / 2 + 18 * (n - (lines.length - 1) / 2);
    return svg("text", { x: x + width / 2, y: middle, "dominant-baseline": "central" }, line);
  });
  const text = svg("text", { x: x + width - 8, y: y + 1, class: "badge", "dominant-baseline": "central" });
  const backdrop = svg("rect", { y: y - 10, height: 20, rx: 10, class: "backdrop" });
  badges.set(name, { text, backdrop, right: x + width });
  const frame = svg("rect", { x, y, width, height, rx: kind === "topic" ? 0 : 9 });
  return svg("g", { class: kind }, frame, ...texts, backdrop, text);
}

/** Scrolls a node into the middle, on a screen that has no room for all of the drawing. */
function centre(name) {
  const region = byId("drawing").parentElement;
  const node = badges.get(name).backdrop.parentNode.getBoundingClientRect();
  const { left, width } = region.getBoundingClientRect();
  region.scrollLeft += node.left + node.width / 2 - left - width / 2;
}

/** Shows a number in the corner of a node; none if it is 0 or not known. */
function setBadge(name, value) {
  const { text, backdrop, right } = badges.get(name);
  showNumber(text, value || null);
  if (!value) text.textContent = "";
  const width = 9 * text.textContent.length + 14;
  backdrop.setAttribute("x", right - width + 6);
  backdrop.setAttribute("width", value ? width : 0);
  text.setAttribute("x", right - width / 2 + 6);
}

function buildTable(functions) {
  byId("columns").append(...COLUMNS.map((column) => element("th", { scope: "col", role: "columnheader", t: column })));
  for (const { name, receives, subscription } of functions) {
    for (const topic of receives) rows.push({ topic, function: name, subscription });
  }
  rows.sort((one, other) => one.topic.localeCompare(other.topic));
  for (const row of rows) {
    row.cells = COLUMNS.slice(2).map(() => element("span", {}, "–"));
    byId("figures").append(element("tr", { role: "row" },
      element("th", { scope: "row", role: "rowheader" }, row.topic), element("td", { role: "cell" }, row.function),
      ...row.cells.map((cell, n) => tableCell(COLUMNS[n + 2], cell))));
  }
}

/** A cell with the column's name, for screens on which there is no room for columns. */
function tableCell(column, cell) {
  const label = element("span", { class: "label", t: column, "aria-hidden": true });
  return element("td", { role: "cell", class: column }, label, cell);
}

/** Shows the figures, if they are others than before. Returns how many ms to wait before they are read again. */
function showFigures(data, functions) {
  if (data.estado !== "bien") clear(null, data.estado);
  if (data.estado === "leyendo") return READING_INTERVAL;
  if (data.estado !== "bien" || previous?.hora === data.hora) return POLL_INTERVAL;
  const seconds = previous === null ? 0 : (data.hora - previous.hora) / 1000;
  const backlogs = new Map(functions.map(({ name }) => [name, 0]));
  for (const row of rows) {
    const backlog = showRow(row, data.topics[row.topic], previous?.topics[row.topic], seconds);
    backlogs.set(row.function, backlogs.get(row.function) + backlog);
  }
  for (const [name, backlog] of backlogs) setBadge(name, backlog);
  showDeadLetters(data.topics, functions);
  setText(byId("topology-notice"), "");
  setText(byId("topology-time"), "figures.bien", { time: new Date(data.hora) });
  previous = data;
  return POLL_INTERVAL;
}

/** Shows a row's figures, from those of its topic now and before; returns how many messages wait. */
function showRow({ topic, subscription, cells }, now, before, seconds) {
  const reader = now?.suscripciones[subscription];
  const readerBefore = before?.suscripciones[subscription];
  const incoming = rate(now?.entradas, before?.entradas, seconds);
  const outgoing = rate(reader?.salidas, readerBefore?.salidas, seconds);
  const values = [incoming, outgoing, reader?.pendientes ?? null, reader?.demorados ?? null];
  values.forEach((value, n) => showNumber(cells[n], value));
  cells[2].classList.toggle("backlog", reader?.pendientes > 0);
  setBadge(topic, incoming);
  return reader?.pendientes ?? 0;
}

/** How much a counter grew per second; null if it is new, or began again with its broker. */
export function rate(now, before, seconds) {
  return seconds > 0 && before <= now ? (now - before) / seconds : null;
}

/** Names the functions that have dead letters, with how many. */
function showDeadLetters(topics, functions) {
  const count = ({ dead_letters }) => topics[dead_letters]?.suscripciones.cuarentena?.pendientes ?? 0;
  const list = functions.filter(count).map((each) => `${each.name} ${count(each)}`).join(", ");
  setText(byId("dead-letters"), list && "dead_letters", { list });
}

/** Shows no figures, and why: a failure, or what the BFF says of its figures. */
function clear(failure, estado) {
  previous = null;
  for (const { cells } of rows) cells.forEach((cell) => showNumber(cell, null));
  for (const name of badges.keys()) setBadge(name, null);
  setText(byId("dead-letters"), "");
  setText(byId("topology-time"), "");
  setText(byId("topology-notice"), ...(failure?.text("metricas:leer") ?? [`figures.${estado}`]));
}
