// Reads: pages and filters of lists, single resources, what has not changed (ETag → 304), and what operators read.

import { check } from "k6";

import { XML, crearProducto, eliminarProducto, nextPage, ordenFields, send, thresholds, waitFor } from "./common.js";

const ORDENES = 120;
const PAGE_SIZE = 50;
const DAY = 24 * 3600 * 1000; // ms

export const options = {
  scenarios: {
    lists: { executor: "constant-vus", exec: "lists", vus: 8, duration: "30s" },
    resources: { executor: "constant-vus", exec: "resources", vus: 8, duration: "30s" },
    operations: { executor: "constant-arrival-rate", exec: "operations", rate: 2, preAllocatedVUs: 2, duration: "30s" },
  },
  thresholds: thresholds({
    "GET /orders": 150,
    "GET /orders/{id_orden}": 100,
    "GET /orders/{id_orden}/saga": 100,
    "GET /productos": 150,
    "GET /productos/{id_producto}": 100,
    "GET /health": 50,
    "GET /ready": 200,
    "GET /metrics": 200,
  }),
};

export function setup() {
  const producto = crearProducto();
  const ordenes = [];
  for (let i = 0; i < ORDENES; i++) {
    const response = send("POST", "/orders", { body: ordenFields(producto, i), statuses: [202] });
    ordenes.push(response.json("id_orden"));
  }
  const query = { id_producto: producto, limit: 1000 };
  const ask = () => send("GET", "/orders", { query });
  waitFor(`${ORDENES} orders that have ended`, ask, (r) => {
    const found = r.json();
    return found.length === ORDENES && found.every((orden) => orden.estado !== "creada");
  });
  return { producto, ordenes };
}

export function lists({ producto }) {
  const ids = new Set();
  for (let query = { id_producto: producto, limit: PAGE_SIZE }; query !== null; ) {
    const response = send("GET", "/orders", { query });
    for (const orden of response.json()) ids.add(orden.id_orden);
    query = nextPage(response);
  }
  check(ids, { "the pages have each order once": (all) => all.size === ORDENES });

  const { user_id } = ordenFields(producto, 7);
  const filters = { user_id, desde: new Date(Date.now() - DAY).toISOString(), limit: 10 };
  const filtered = send("GET", "/orders", { query: filters }).json();
  check(filtered, { "the filter holds": (all) => all.every((orden) => orden.user_id === user_id) });
  const fallidas = send("GET", "/orders", { query: { id_producto: producto, estado: "fallida", limit: 10 } });
  check(fallidas.json(), { "the state is that": (all) => all.every((orden) => orden.estado === "fallida") });
  send("GET", "/orders", { query: { hasta: new Date().toISOString(), limit: 10 }, type: XML });

  const productos = send("GET", "/productos", { query: { limit: 10 } });
  const next = nextPage(productos);
  if (next !== null) send("GET", "/productos", { query: next });
}

export function resources({ producto, ordenes }) {
  const id_orden = ordenes[__ITER % ordenes.length];
  twice("GET", "/orders/{id_orden}", { id_orden });
  twice("GET", "/orders/{id_orden}/saga", { id_orden });
  twice("GET", "/productos/{id_producto}", { id_producto: producto });
  const unknown = { id_orden: "00000000-0000-4000-8000-000000000000" };
  send("GET", "/orders/{id_orden}", { path: unknown, statuses: [404] });
}

// The product's stock changes no more, nor do orders that have ended: the second answer is that nothing changed.
function twice(method, template, path) {
  const etag = send(method, template, { path }).headers.Etag;
  const again = send(method, template, { path, headers: { "If-None-Match": etag }, statuses: [304] });
  check(again, { "304 has no body": (r) => !r.body });
}

export function operations() {
  send("GET", "/health");
  send("GET", "/ready");
  const metrics = send("GET", "/metrics", { headers: { Accept: "text/plain" } });
  check(metrics, { "figures for Prometheus": (r) => r.body.includes("# TYPE") });
}

export function teardown({ producto }) {
  eliminarProducto(producto);
}
