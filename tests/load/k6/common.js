// What the scripts share: the API's address, requests by the paths of bff/api/openapi.json, what they order.
// Environment: BFF_URL, http://127.0.0.1:3000 if it is not set; TOKEN, for a BFF that asks for one.

import { check, fail, sleep } from "k6";
import http from "k6/http";

const BFF_URL = (__ENV.BFF_URL || "http://127.0.0.1:3000").replace(/\/+$/, "");
const STOCK = 1000000000;
const READ_TIMEOUT = 10; // s, until what was accepted can be read
const POLL_INTERVAL = 0.05; // s

export const JSON_ = "application/json";
export const XML = "application/xml";

// Sends a request and returns the response. `template`: a path as the OpenAPI document has it; requests are counted by
// method and that path. `path`: its parameters. `query`, `body`: objects; the body is sent in the format `type`, in
// which the answer is asked for too. `statuses`: those that are no failure.
export function send(method, template, options = {}) {
  const { path = {}, query = {}, body = null, type = JSON_, headers = {}, statuses = [200] } = options;
  const target = template.replace(/\{(\w+)\}/g, (_, field) => encodeURIComponent(path[field]));
  const parameters = Object.entries(query).map((pair) => pair.map(encodeURIComponent).join("="));
  const allHeaders = { Accept: type, ...headers };
  if (body !== null) allHeaders["Content-Type"] = type;
  if (__ENV.TOKEN) allHeaders.Authorization = `Bearer ${__ENV.TOKEN}`;
  const url = BFF_URL + target + (parameters.length ? `?${parameters.join("&")}` : "");
  const response = http.request(method, url, body === null ? null : encode(body, type), {
    headers: allHeaders,
    tags: { name: `${method} ${template}` },
    responseCallback: http.expectedStatuses(...statuses),
  });
  const name = `${method} ${template}: ${statuses.join(" or ")}`;
  check(response, { [name]: (r) => statuses.includes(r.status) });
  return response;
}

export function encode(body, type) {
  if (type === JSON_) return JSON.stringify(body);
  const fields = Object.entries(body).map(([name, value]) => `<${name}>${escapeXml(String(value))}</${name}>`);
  return `<root>${fields.join("")}</root>`;
}

function escapeXml(text) {
  return text.replace(/&/g, "&amp;").replace(/</g, "&lt;").replace(/>/g, "&gt;");
}

// A script's thresholds: checks, failures, and p(95) in ms of each request that it names, as "GET /orders".
export function thresholds(p95) {
  const limits = { checks: ["rate>0.99"], http_req_failed: ["rate<0.01"] };
  for (const [name, ms] of Object.entries(p95)) limits[`http_req_duration{name:${name}}`] = [`p(95)<${ms}`];
  return limits;
}

// The first response for which `condition` holds. The iteration, or setup, fails if there is none within READ_TIMEOUT.
// `what`: what is waited for; `ask`: sends a request.
export function waitFor(what, ask, condition) {
  const deadline = Date.now() + 1000 * READ_TIMEOUT;
  for (;;) {
    const response = ask();
    if (condition(response)) return response;
    if (Date.now() > deadline) fail(`not within ${READ_TIMEOUT} s: ${what}; last: ${response.status} ${response.body}`);
    sleep(POLL_INTERVAL);
  }
}

// The id of a new product, once it can be ordered.
export function crearProducto(nombre = "k6", headers = {}) {
  const options = { body: { nombre, stock: STOCK }, headers, statuses: [202] };
  const id = send("POST", "/productos", options).json("id");
  const ask = () => send("GET", "/productos/{id_producto}", { path: { id_producto: id }, statuses: [200, 404] });
  waitFor(`product ${id}`, ask, (r) => r.status === 200);
  return id;
}

// The id of a new driver.
export function registrarConductor(headers = {}) {
  const options = { body: { nombre: "k6" }, headers, statuses: [202] };
  return send("POST", "/conductores", options).json("id_conductor");
}

export function eliminarProducto(id) {
  return send("DELETE", "/productos/{id_producto}", { path: { id_producto: id }, statuses: [202] });
}

// The fields of an order, of one of a thousand customers; with a token that may place only its owner's orders, set
// USER_ID.
export function ordenFields(idProducto, number) {
  const user_id = __ENV.USER_ID || `cliente-${number % 1000}`;
  return { id_producto: idProducto, user_id, cantidad: 1, direccion_entrega: `Calle ${number % 100} # 13-40` };
}

// The query of the page that the header Link calls next; null on the last one.
export function nextPage(response) {
  const link = /<[^>]*\?([^>]*)>; rel="next"/.exec(response.headers.Link || "");
  if (link === null) return null;
  const decode = (text) => decodeURIComponent(text.replace(/\+/g, " "));
  return Object.fromEntries(link[1].split("&").map((pair) => pair.split("=", 2).map(decode)));
}
