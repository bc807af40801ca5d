// Products and drivers: made, made again under the same key, read, restocked, renamed, deleted.

import { check } from "k6";
import exec from "k6/execution";

import { crearProducto, eliminarProducto, registrarConductor, send, thresholds, waitFor } from "./common.js";

export const options = {
  scenarios: {
    productos: { executor: "constant-vus", exec: "productos", vus: 4, duration: "30s" },
    conductores: { executor: "constant-vus", exec: "conductores", vus: 4, duration: "30s" },
  },
  thresholds: thresholds({
    "POST /productos": 100,
    "GET /productos/{id_producto}": 100,
    "PATCH /productos/{id_producto}": 100,
    "POST /productos/{id_producto}/stock": 200,
    "GET /productos/{id_producto}/movimientos": 100,
    "DELETE /productos/{id_producto}": 100,
    "POST /conductores": 100,
    "GET /conductores": 200,
    "GET /conductores/{id_conductor}": 100,
    "PATCH /conductores/{id_conductor}": 200,
    "DELETE /conductores/{id_conductor}": 100,
  }),
};

// A key that nobody had before, in this run or another.
function newKey() {
  return `k6-${Date.now()}-${exec.vu.idInTest}-${exec.vu.iterationInInstance}-${Math.random()}`;
}

export function productos() {
  const headers = { "Idempotency-Key": newKey() };
  const id = crearProducto("k6", headers);
  check(crearProducto("k6", headers), { "the same product under the same key": (other) => other === id });
  const path = { id_producto: id };
  const wait = { path, headers: { Prefer: "wait=10" } };
  const adjusted = { ...wait, body: { cantidad: -5, motivo: "k6" }, statuses: [200, 202] };
  send("POST", "/productos/{id_producto}/stock", adjusted);
  send("PATCH", "/productos/{id_producto}", { ...wait, body: { nombre: "k6 renombrado" }, statuses: [200, 202] });
  const movimientos = send("GET", "/productos/{id_producto}/movimientos", { path }).json("resultado");
  check(movimientos, { "the first movement is the creation": (all) => all[all.length - 1].causa === "creacion" });
  eliminarProducto(id);
  const ask = () => send("GET", "/productos/{id_producto}", { path: { id_producto: id }, statuses: [200, 404] });
  waitFor(`the end of product ${id}`, ask, (r) => r.status === 404);
}

export function conductores() {
  const headers = { "Idempotency-Key": newKey() };
  const id = registrarConductor(headers);
  check(registrarConductor(headers), { "the same driver under the same key": (other) => other === id });
  const path = { id_conductor: id };
  const ask = () => send("GET", "/conductores/{id_conductor}", { path, statuses: [200, 404] });
  waitFor(`driver ${id}`, ask, (r) => r.status === 200);
  const renaming = { path, headers: { Prefer: "wait=10" }, body: { nombre: "k6 renombrado" }, statuses: [200, 202] };
  send("PATCH", "/conductores/{id_conductor}", renaming);
  send("DELETE", "/conductores/{id_conductor}", { path, statuses: [202] });
  waitFor(`the end of driver ${id}`, ask, (r) => r.json("estado") === "retirado");
  const retired = send("GET", "/conductores", { query: { estado: "retirado", limit: 10 } }).json();
  check(retired, { "retired drivers are listed": (all) => all.length > 0 });
}
