// Orders whose end is awaited, and their events. k6 reads an answer to its end, so each stream is seen as one text:
// of the moments at which its events came it says nothing.

import { check } from "k6";
import exec from "k6/execution";

import { crearProducto, eliminarProducto, ordenFields, registrarConductor, send, thresholds } from "./common.js";

export const options = {
  scenarios: { events: { executor: "constant-vus", vus: 4, duration: "30s" } },
  thresholds: thresholds({ "POST /orders": 1000, "GET /orders/{id_orden}/events": 1000 }),
};

export function setup() {
  return { id: crearProducto() };
}

export default function ({ id }) {
  registrarConductor();
  const body = ordenFields(id, exec.scenario.iterationInTest);
  const ended = send("POST", "/orders", { body, headers: { Prefer: "wait=10" }, statuses: [200] });
  check(ended, { "the order has ended": (r) => ["iniciada", "fallida"].includes(r.json("estado")) });
  checkStream(ended.json("id_orden"));

  // a stream that is asked for while the saga is under way
  const accepted = send("POST", "/orders", { body, statuses: [202] });
  checkStream(accepted.json("id_orden"));
}

// An order's stream has steps, then the order; after the last event nothing is left.
function checkStream(id_orden) {
  const stream = requestEvents(id_orden, {}, [200]);
  const ids = stream.body.match(/^id: .*$/gm) || [];
  check(stream, {
    "a step came": (r) => r.body.includes("event: paso\n"),
    "the order came last": (r) => r.body.lastIndexOf("event: orden\n") > r.body.lastIndexOf("event: paso\n"),
  });
  if (ids.length > 0) requestEvents(id_orden, { "Last-Event-ID": ids[ids.length - 1].slice("id: ".length) }, [204]);
}

function requestEvents(id_orden, headers, statuses) {
  const allHeaders = { Accept: "text/event-stream", ...headers };
  return send("GET", "/orders/{id_orden}/events", { path: { id_orden }, headers: allHeaders, statuses });
}

export function teardown({ id }) {
  eliminarProducto(id);
}
