/** One order: its steps as they come, how its saga ended, and what became of it afterwards. */

import { Failure, pause, request, untilVisible } from "./api.js";
import { byId, element, showNumber, time } from "./dom.js";
import { FINAL_STATUSES, follow } from "./events.js";
import { setText } from "./language.js";

const POLL_INTERVAL = 2000; // ms, once the saga has ended
const OPEN = ["iniciada", "despachada"]; // the states in which people may still change the order

// The fields of steps and orders that are shown, with the keys of their labels; two fields may have one label.
const LABELS = {
  id_producto: "producto", user_id: "cliente", cantidad: "cantidad", direccion_entrega: "entrega",
  instrucciones_entrega: "instrucciones", id_driver: "conductor", id_conductor: "conductor", motivo: "motivo",
  creada_en: "creada_en", iniciada_en: "iniciada_en", despachada_en: "despachada_en", finalizada_en: "finalizada_en",
  recibido_por: "recibido_por",
};
let following = new AbortController();

/** Shows the order with this id, and stops following the one before. */
export async function showOrden(id_orden) {
  following.abort();
  following = new AbortController();
  const { signal } = following;
  byId("steps").replaceChildren();
  byId("orden-fields").replaceChildren();
  const estado = setText(byId("orden-estado"), "orden.searching");
  estado.className = "";
  const onFailure = (failure) => setText(estado, ...(failure?.text("ordenes:leer") ?? ["orden.under_way"]));
  if (await follow(id_orden, onEvent, onFailure, signal)) await watch(id_orden, onFailure, signal);
}

function onEvent(name, data) {
  if (name === "orden") showState(data);
  else addStep(data);
}

/** Shows what becomes of an order after its saga: until it is in its last state, and no step has come since the look
    before. */
async function watch(id_orden, onFailure, signal) {
  const read = async (path) => (await request(`/orders/${id_orden}${path}`, { signal })).json();
  let count = -1;
  let wait = 0;
  for (;;) {
    await pause(wait);
    await untilVisible();
    if (signal.aborted) return;
    try {
      const [orden, steps] = await Promise.all([read(""), read("/saga")]);
      if (signal.aborted) return;
      showState(orden);
      steps.forEach(addStep);
      if (!OPEN.includes(orden.estado) && steps.length === count) return;
      count = steps.length;
      wait = POLL_INTERVAL;
    } catch (failure) {
      if (signal.aborted) return;
      if (!(failure instanceof Failure)) throw failure;
      onFailure(failure);
      if (FINAL_STATUSES.includes(failure.status)) return;
      wait = failure.retryAfter;
    }
  }
}

/** Adds a step, unless it is there. Steps may come in another order than that of their times, by which they are
    shown. */
function addStep(data) {
  if (byId("steps").querySelector(`[data-id="${data.id_mensaje}"]`)) return;
  showFields(data.contenido);
  const step = stepElement(data);
  const successor = [...byId("steps").children].find((other) => other.dataset.time > step.dataset.time);
  byId("steps").insertBefore(step, successor ?? null);
  const start = byId("steps").firstElementChild.dataset.time;
  for (const other of byId("steps").children) showNumber(other.querySelector(".ms"), other.dataset.time - start);
}

function showState(orden) {
  showFields(orden);
  const values = orden.motivo === null ? {} : { motivo: { t: `motivo.${orden.motivo}` } };
  setText(byId("orden-estado"), `orden.${orden.estado}`, values).className = orden.estado;
}

function stepElement(step) {
  const tags = step.is_compensation ? [element("span", { class: "tag", t: "compensacion" })] : [];
  return element(
    "li",
    {
      class: step.is_compensation ? "compensacion" : "",
      "data-time": Date.parse(step.timestamp),
      "data-id": step.id_mensaje,
    },
    element("strong", { t: `paso.${step.evento}` }), " ", ...tags, " ",
    element("span", { class: "when" }, "+", element("span", { class: "ms" }), " ms"), " ",
    element("code", {}, step.evento),
    element("details", {},
      element("summary", { t: "contenido" }),
      element("pre", {}, JSON.stringify(step.contenido, null, 2))),
  );
}

/** Shows what a step, or the order itself, says of the order. */
function showFields(data) {
  for (const [field, label] of Object.entries(LABELS)) {
    if (data[field] === undefined || data[field] === null) continue;
    let value = byId("orden-fields").querySelector(`[data-field="${label}"]`);
    if (value === null) {
      value = element("dd", { "data-field": label });
      byId("orden-fields").append(element("div", {}, element("dt", { t: label }), value));
    }
    if (field === "motivo") setText(value, `motivo.${data[field]}`);
    else if (field.endsWith("_en")) value.replaceChildren(time(data[field]));
    else value.textContent = data[field];
  }
}
