// Orders whose end is awaited, and their events. k6 reads an answer to its end, so each stream is seen as one text:
// of the moments at which its events came it says nothing.

import { check } from "k6";
import exec from "k6/execution";

import { crearProducto, eliminarProducto, orden, pedir, registrarConductor, umbrales } from "./comun.js";

export const options = {
  scenarios: { eventos: { executor: "constant-vus", vus: 4, duration: "30s" } },
  thresholds: umbrales({ "POST /orders": 1000, "GET /orders/{id_orden}/events": 1000 }),
};

export function setup() {
  return { id: crearProducto() };
}

export default function ({ id }) {
  registrarConductor();
  const cuerpo = orden(id, exec.scenario.iterationInTest);
  const esperada = pedir("POST", "/orders", { cuerpo, cabeceras: { Prefer: "wait=10" }, estados: [200] });
  check(esperada, { "the order has ended": (r) => ["iniciada", "fallida"].includes(r.json("estado")) });
  leer(esperada.json("id_orden"));

  // a stream that is asked for while the saga is under way
  const aceptada = pedir("POST", "/orders", { cuerpo, estados: [202] });
  leer(aceptada.json("id_orden"));
}

function leer(id_orden) {
  const flujo = eventos(id_orden, {}, [200]);
  const ids = flujo.body.match(/^id: .*$/gm) || [];
  check(flujo, {
    "a step came": (r) => r.body.includes("event: paso\n"),
    "the order came last": (r) => r.body.lastIndexOf("event: orden\n") > r.body.lastIndexOf("event: paso\n"),
  });
  if (ids.length > 0) eventos(id_orden, { "Last-Event-ID": ids[ids.length - 1].slice("id: ".length) }, [204]);
}

function eventos(id_orden, cabeceras, estados) {
  const propias = { Accept: "text/event-stream", ...cabeceras };
  return pedir("GET", "/orders/{id_orden}/events", { ruta: { id_orden }, cabeceras: propias, estados });
}

export function teardown({ id }) {
  eliminarProducto(id);
}
