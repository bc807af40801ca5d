// Orders, in JSON and in XML, from more and more clients. Nearly all of them fail for want of drivers, unless
// there are: that is a saga too, with compensation.

import { check } from "k6";
import exec from "k6/execution";

import { JSON_, XML, crearProducto, eliminarProducto, orden, pedir, umbrales } from "./comun.js";

const CLIENTES = Number(__ENV.CLIENTES || 32);

function rampa(tipo, comienzo) {
  return {
    executor: "ramping-vus",
    env: { TIPO: tipo },
    startTime: comienzo,
    startVUs: 1,
    stages: [
      { duration: "10s", target: CLIENTES },
      { duration: "20s", target: CLIENTES },
      { duration: "5s", target: 0 },
    ],
  };
}

export const options = {
  scenarios: { json: rampa(JSON_, "0s"), xml: rampa(XML, "40s") },
  thresholds: {
    ...umbrales({ "POST /orders": 100 }),
    "http_req_failed{scenario:json}": ["rate<0.01"],
    "http_req_failed{scenario:xml}": ["rate<0.01"],
    "http_req_duration{scenario:json}": ["p(95)<100"],
    "http_req_duration{scenario:xml}": ["p(95)<100"],
  },
};

export function setup() {
  return { id: crearProducto() };
}

export default function ({ id }) {
  const tipo = __ENV.TIPO;
  const cuerpo = orden(id, exec.scenario.iterationInTest);
  const respuesta = pedir("POST", "/orders", { cuerpo, tipo, estados: [202] });
  check(respuesta, {
    "answered in the format of the request": (r) => (r.headers["Content-Type"] || "").startsWith(tipo),
    "Location names the order": (r) => /\/orders\/[0-9a-f-]{36}$/.test(r.headers.Location || ""),
  });
}

export function teardown({ id }) {
  eliminarProducto(id);
}
