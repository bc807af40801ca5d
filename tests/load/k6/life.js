// Orders after their sagas: dispatched and then delivered or brought back, or cancelled. Those that fail for want of
// drivers are refused what only others can have: 409.

import { check } from "k6";
import exec from "k6/execution";

import { crearProducto, eliminarProducto, ordenFields, registrarConductor, send, thresholds } from "./common.js";

export const options = {
  scenarios: { life: { executor: "constant-vus", vus: 4, duration: "30s" } },
  thresholds: thresholds({
    "POST /orders/{id_orden}/despacho": 200,
    "POST /orders/{id_orden}/entrega": 200,
    "POST /orders/{id_orden}/devolucion": 200,
    "POST /orders/{id_orden}/cancelacion": 200,
  }),
};

export function setup() {
  return { id: crearProducto() };
}

// What is asked of an order, and waited for.
function asked(id_orden, body = {}) {
  return { path: { id_orden }, body, headers: { Prefer: "wait=10" }, statuses: [200, 202, 409] };
}

export default function ({ id }) {
  registrarConductor();
  const number = exec.scenario.iterationInTest;
  const order = { body: ordenFields(id, number), headers: { Prefer: "wait=10" }, statuses: [200, 202] };
  const id_orden = send("POST", "/orders", order).json("id_orden");
  let last;
  if (number % 3 === 0) {
    last = send("POST", "/orders/{id_orden}/cancelacion", asked(id_orden, { motivo: "k6" }));
  } else {
    send("POST", "/orders/{id_orden}/despacho", asked(id_orden));
    if (number % 3 === 1) last = send("POST", "/orders/{id_orden}/entrega", asked(id_orden, { recibido_por: "k6" }));
    else last = send("POST", "/orders/{id_orden}/devolucion", asked(id_orden, { motivo: "k6" }));
  }
  check(last, { "the answer says a state": (r) => r.status === 202 || typeof r.json("estado") === "string" });
}

export function teardown({ id }) {
  eliminarProducto(id);
}
