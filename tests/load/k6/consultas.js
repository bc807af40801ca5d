// Reads: pages and filters of lists, single resources, what has not changed (ETag → 304), and what operators read.

import { check } from "k6";

import { XML, crearProducto, eliminarProducto, hasta, orden, pedir, siguiente, umbrales } from "./comun.js";

const ORDENES = 120;
const PAGINA = 50;
const DIA = 24 * 3600 * 1000; // ms

export const options = {
  scenarios: {
    listas: { executor: "constant-vus", exec: "listas", vus: 8, duration: "30s" },
    recursos: { executor: "constant-vus", exec: "recursos", vus: 8, duration: "30s" },
    operacion: { executor: "constant-arrival-rate", exec: "operacion", rate: 2, preAllocatedVUs: 2, duration: "30s" },
  },
  thresholds: umbrales({
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
    const respuesta = pedir("POST", "/orders", { cuerpo: orden(producto, i), estados: [202] });
    ordenes.push(respuesta.json("id_orden"));
  }
  const suyas = { id_producto: producto, limit: 1000 };
  const leer = () => pedir("GET", "/orders", { consulta: suyas });
  hasta(`${ORDENES} orders that have ended`, leer, (r) => {
    const vistas = r.json();
    return vistas.length === ORDENES && vistas.every((vista) => vista.estado !== "creada");
  });
  return { producto, ordenes };
}

export function listas({ producto }) {
  const vistas = new Set();
  for (let consulta = { id_producto: producto, limit: PAGINA }; consulta !== null; ) {
    const respuesta = pedir("GET", "/orders", { consulta });
    for (const vista of respuesta.json()) vistas.add(vista.id_orden);
    consulta = siguiente(respuesta);
  }
  check(vistas, { "the pages have each order once": (v) => v.size === ORDENES });

  const { user_id } = orden(producto, 7);
  const filtros = { user_id, desde: new Date(Date.now() - DIA).toISOString(), limit: 10 };
  const filtradas = pedir("GET", "/orders", { consulta: filtros }).json();
  check(filtradas, { "the filter holds": (f) => f.every((vista) => vista.user_id === user_id) });
  const fallidas = pedir("GET", "/orders", { consulta: { id_producto: producto, estado: "fallida", limit: 10 } });
  check(fallidas.json(), { "the state is that": (f) => f.every((vista) => vista.estado === "fallida") });
  pedir("GET", "/orders", { consulta: { hasta: new Date().toISOString(), limit: 10 }, tipo: XML });

  const productos = pedir("GET", "/productos", { consulta: { limit: 10 } });
  const resto = siguiente(productos);
  if (resto !== null) pedir("GET", "/productos", { consulta: resto });
}

export function recursos({ producto, ordenes }) {
  const id_orden = ordenes[__ITER % ordenes.length];
  dosVeces("GET", "/orders/{id_orden}", { id_orden });
  dosVeces("GET", "/orders/{id_orden}/saga", { id_orden });
  dosVeces("GET", "/productos/{id_producto}", { id_producto: producto });
  const nadie = { id_orden: "00000000-0000-4000-8000-000000000000" };
  pedir("GET", "/orders/{id_orden}", { ruta: nadie, estados: [404] });
}

// The product's stock changes no more, nor do orders that have ended: the second answer is that nothing changed.
function dosVeces(metodo, plantilla, ruta) {
  const etag = pedir(metodo, plantilla, { ruta }).headers.Etag;
  const otra = pedir(metodo, plantilla, { ruta, cabeceras: { "If-None-Match": etag }, estados: [304] });
  check(otra, { "304 has no body": (r) => !r.body });
}

export function operacion() {
  pedir("GET", "/health");
  pedir("GET", "/ready");
  const metricas = pedir("GET", "/metrics", { cabeceras: { Accept: "text/plain" } });
  check(metricas, { "figures for Prometheus": (r) => r.body.includes("# TYPE") });
}

export function teardown({ producto }) {
  eliminarProducto(producto);
}
