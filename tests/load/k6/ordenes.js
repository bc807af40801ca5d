// Orders, in JSON and in XML, from more and more clients. Nearly all of them fail for want of drivers, unless
// there are: that is a saga too, with compensation.

import { check } from "k6";
import exec from "k6/execution";

import { JSON_, XML, crearProducto, eliminarProducto, ordenFields, send, thresholds } from "./common.js";

const CLIENTS = Number(__ENV.CLIENTES || 32);

function ramp(type, startTime) {
  return {
    executor: "ramping-vus",
    env: { MEDIA_TYPE: type },
    startTime,
    startVUs: 1,
    stages: [
      { duration: "10s", target: CLIENTS },
      { duration: "20s", target: CLIENTS },
      { duration: "5s", target: 0 },
    ],
  };
}

export const options = {
  scenarios: { json: ramp(JSON_, "0s"), xml: ramp(XML, "40s") },
  thresholds: {
    ...thresholds({ "POST /orders": 100 }),
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
  const type = __ENV.MEDIA_TYPE;
  const body = ordenFields(id, exec.scenario.iterationInTest);
  const response = send("POST", "/orders", { body, type, statuses: [202] });
  check(response, {
    "answered in the format of the request": (r) => (r.headers["Content-Type"] || "").startsWith(type),
    "Location names the order": (r) => /\/orders\/[0-9a-f-]{36}$/.test(r.headers.Location || ""),
  });
}

export function teardown({ id }) {
  eliminarProducto(id);
}
