// Products and drivers: made, made again under the same key, read, deleted.

import { check } from "k6";
import exec from "k6/execution";

import { crearProducto, eliminarProducto, hasta, pedir, registrarConductor, umbrales } from "./comun.js";

export const options = {
  scenarios: {
    productos: { executor: "constant-vus", exec: "productos", vus: 4, duration: "30s" },
    conductores: { executor: "constant-vus", exec: "conductores", vus: 4, duration: "30s" },
  },
  thresholds: umbrales({
    "POST /productos": 100,
    "GET /productos/{id_producto}": 100,
    "DELETE /productos/{id_producto}": 100,
    "POST /conductores": 100,
  }),
};

// A key that nobody had before, in this run or another.
function clave() {
  return `k6-${Date.now()}-${exec.vu.idInTest}-${exec.vu.iterationInInstance}-${Math.random()}`;
}

export function productos() {
  const cabeceras = { "Idempotency-Key": clave() };
  const id = crearProducto("k6", cabeceras);
  check(crearProducto("k6", cabeceras), { "the same product under the same key": (otro) => otro === id });
  eliminarProducto(id);
  const leer = () => pedir("GET", "/productos/{id_producto}", { ruta: { id_producto: id }, estados: [200, 404] });
  hasta(`the end of product ${id}`, leer, (r) => r.status === 404);
}

export function conductores() {
  const cabeceras = { "Idempotency-Key": clave() };
  const id = registrarConductor(cabeceras);
  check(registrarConductor(cabeceras), { "the same driver under the same key": (otro) => otro === id });
}
