// What the scripts share: where the API is, requests by the paths of bff/api/openapi.json, seeds.
// Environment: BFF_URL, http://127.0.0.1:3000 if it is not set; TOKEN, for a BFF that asks for one.

import { check, fail, sleep } from "k6";
import http from "k6/http";

const BFF_URL = (__ENV.BFF_URL || "http://127.0.0.1:3000").replace(/\/+$/, "");
const STOCK = 1000000000;
const PLAZO = 10; // s, until what was accepted can be read
const PAUSA = 0.05; // s, between two looks

export const JSON_ = "application/json";
export const XML = "application/xml";

// `plantilla`: a path as the OpenAPI document has it; requests are counted by method and that path.
// `ruta`: its parameters. `consulta`: the query, as an object. `cuerpo`: an object, sent as `tipo` says; the answer is
// asked for in the same. `estados`: the statuses that are no failure.
export function pedir(metodo, plantilla, opciones = {}) {
  const { ruta = {}, consulta = {}, cuerpo = null, tipo = JSON_, cabeceras = {}, estados = [200] } = opciones;
  const camino = plantilla.replace(/\{(\w+)\}/g, (_, campo) => encodeURIComponent(ruta[campo]));
  const campos = Object.entries(consulta).map((par) => par.map(encodeURIComponent).join("="));
  const propias = { Accept: tipo, ...cabeceras };
  if (cuerpo !== null) propias["Content-Type"] = tipo;
  if (__ENV.TOKEN) propias.Authorization = `Bearer ${__ENV.TOKEN}`;
  const url = BFF_URL + camino + (campos.length ? `?${campos.join("&")}` : "");
  const respuesta = http.request(metodo, url, cuerpo === null ? null : escribir(cuerpo, tipo), {
    headers: propias,
    tags: { name: `${metodo} ${plantilla}` },
    responseCallback: http.expectedStatuses(...estados),
  });
  const nombre = `${metodo} ${plantilla}: ${estados.join(" or ")}`;
  check(respuesta, { [nombre]: (r) => estados.includes(r.status) });
  return respuesta;
}

export function escribir(cuerpo, tipo) {
  if (tipo === JSON_) return JSON.stringify(cuerpo);
  const campos = Object.entries(cuerpo).map(([nombre, valor]) => `<${nombre}>${escapar(String(valor))}</${nombre}>`);
  return `<root>${campos.join("")}</root>`;
}

function escapar(texto) {
  return texto.replace(/&/g, "&amp;").replace(/</g, "&lt;").replace(/>/g, "&gt;");
}

// Thresholds of a script: checks, failures, and p(95) in ms of each request that it names, as "GET /orders".
export function umbrales(p95) {
  const limites = { checks: ["rate>0.99"], http_req_failed: ["rate<0.01"] };
  for (const [nombre, ms] of Object.entries(p95)) limites[`http_req_duration{name:${nombre}}`] = [`p(95)<${ms}`];
  return limites;
}

// The first answer for which `condicion` holds; the iteration, or setup, fails if there is none within
// PLAZO s.
export function hasta(que, pregunta, condicion) {
  const limite = Date.now() + 1000 * PLAZO;
  for (;;) {
    const respuesta = pregunta();
    if (condicion(respuesta)) return respuesta;
    if (Date.now() > limite) fail(`not within ${PLAZO} s: ${que}; last: ${respuesta.status} ${respuesta.body}`);
    sleep(PAUSA);
  }
}

// The id of a new product that can be ordered.
export function crearProducto(nombre = "k6", cabeceras = {}) {
  const pedido = { cuerpo: { nombre, stock: STOCK }, cabeceras, estados: [202] };
  const id = pedir("POST", "/productos", pedido).json("id");
  const leer = () => pedir("GET", "/productos/{id_producto}", { ruta: { id_producto: id }, estados: [200, 404] });
  hasta(`product ${id}`, leer, (r) => r.status === 200);
  return id;
}

export function registrarConductor(cabeceras = {}) {
  const pedido = { cuerpo: { nombre: "k6" }, cabeceras, estados: [202] };
  return pedir("POST", "/conductores", pedido).json("id_conductor");
}

export function eliminarProducto(id) {
  return pedir("DELETE", "/productos/{id_producto}", { ruta: { id_producto: id }, estados: [202] });
}

// The fields of an order, of one of a thousand customers; with a token that may place only its owner's orders, set
// USER_ID.
export function orden(idProducto, numero) {
  const user_id = __ENV.USER_ID || `cliente-${numero % 1000}`;
  return { id_producto: idProducto, user_id, cantidad: 1, direccion_entrega: `Calle ${numero % 100} # 13-40` };
}

// The query of the page that the header Link calls next; null on the last one.
export function siguiente(respuesta) {
  const enlace = /<[^>]*\?([^>]*)>; rel="next"/.exec(respuesta.headers.Link || "");
  if (enlace === null) return null;
  const leer = (texto) => decodeURIComponent(texto.replace(/\+/g, " "));
  return Object.fromEntries(enlace[1].split("&").map((par) => par.split("=", 2).map(leer)));
}
