/** One order: its steps as they come, and how it ended. */

import { byId, element, showNumber } from "./dom.js";
import { follow } from "./events.js";
import { setText } from "./language.js";

// The fields of steps and orders that are shown, with the keys of their labels; two fields may have one label.
const LABELS = {
  id_producto: "producto", user_id: "cliente", cantidad: "cantidad", direccion_entrega: "entrega",
  instrucciones_entrega: "instrucciones", id_driver: "conductor", id_conductor: "conductor", motivo: "motivo",
};
let following = new AbortController();

/** Shows the order with this id, and stops following the one before. */
export function showOrden(id_orden) {
  following.abort();
  following = new AbortController();
  byId("steps").replaceChildren();
  byId("orden-fields").replaceChildren();
  const estado = setText(byId("orden-estado"), "orden.searching");
  estado.className = "";
  const onFailure = (failure) => setText(estado, ...(failure?.text("ordenes:leer") ?? ["orden.under_way"]));
  follow(id_orden, onEvent, onFailure, following.signal);
}

function onEvent(name, data) {
  if (name === "orden") showEnd(data);
  else addStep(data);
}

/** Steps may come in another order than that of their times, by which they are shown. */
function addStep(data) {
  showFields(data.contenido);
  const step = stepElement(data);
  const successor = [...byId("steps").children].find((other) => other.dataset.time > step.dataset.time);
  byId("steps").insertBefore(step, successor ?? null);
  const start = byId("steps").firstElementChild.dataset.time;
  for (const other of byId("steps").children) showNumber(other.querySelector(".ms"), other.dataset.time - start);
}

function showEnd(orden) {
  showFields(orden);
  const values = orden.motivo === null ? {} : { motivo: { t: `motivo.${orden.motivo}` } };
  setText(byId("orden-estado"), `orden.${orden.estado}`, values).className = orden.estado;
}

function stepElement(step) {
  const tags = step.is_compensation ? [element("span", { class: "tag", t: "compensacion" })] : [];
  return element(
    "li",
    { class: step.is_compensation ? "compensacion" : "", "data-time": Date.parse(step.timestamp) },
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
    else value.textContent = data[field];
  }
}
