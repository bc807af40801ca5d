/** The newest orders, the newest of those that failed, and drivers with an order. */

import { every, read } from "./api.js";
import { byId, element, time } from "./dom.js";
import { setText } from "./language.js";

const POLL_INTERVAL = 2000; // ms

/** Keeps a list of orders up to date. `name`: the list's id; `path`: where its orders are read;
    `announceNew`: whether its notice says how many orders are new. */
export function maintainOrdenes(name, path, announceNew = false) {
  maintain(name, path, { key: "id_orden", fill: fillOrden, scope: "ordenes:leer", announceNew });
}

/** Keeps the list of drivers with an order up to date: those who have had it longest come first. */
export function maintainConductores() {
  maintain("conductores", "/conductores?estado=asignado&limit=10",
    { key: "id_conductor", fill: fillConductor, scope: "conductores:leer", announceNew: false });
}

/** Keeps a list up to date. `key`: the field with a row's id; `fill(item, row)` shows a row; `scope`: what reading it
    takes. */
function maintain(name, path, { key, fill, scope, announceNew }) {
  const list = byId(name);
  const notice = byId(`${name}-notice`);
  const items = new Map(); // by id
  const show = (rows) => update(list, items, rows, key, fill);
  const onRows = (rows) => {
    const count = rows.filter((row) => !items.has(row[key])).length;
    const announcement = announceNew && items.size > 0 && count > 0 ? `${name}.new` : "";
    show(rows);
    setText(notice, rows.length > 0 ? announcement : "none", { n: count });
  };
  const onFailure = (failure) => {
    if ([401, 403].includes(failure.status)) show([]);
    setText(notice, ...failure.text(scope));
  };
  every(POLL_INTERVAL, () => read(path, onRows, onFailure));
}

/** Elements that stay are left where they are: one of them may have the focus. */
function update(list, items, rows, key, fill) {
  let next = list.firstElementChild;
  for (const row of rows) {
    const item = items.get(row[key]) ?? element("li");
    fill(item, row);
    if (item === next) next = next.nextElementSibling;
    else list.insertBefore(item, next);
    items.set(row[key], item);
  }
  const ids = new Set(rows.map((row) => row[key]));
  for (const [id, item] of items) {
    if (ids.has(id)) continue;
    item.remove();
    items.delete(id);
  }
}

/** Of an order only its state changes, and with it the reason. */
function fillOrden(item, orden) {
  if (item.className === orden.estado) return;
  item.className = orden.estado;
  const cantidad = setText(element("span"), "units", { n: orden.cantidad });
  const link = element("a", { href: `#${orden.id_orden}` }, orden.id_orden);
  const motivo = orden.motivo === null ? [] : [element("span", { class: "motivo", t: `motivo.${orden.motivo}` })];
  const estado = element("span", { class: "estado", t: `estado.${orden.estado}` });
  item.replaceChildren(
    link, " ", estado, " ", ...motivo, " ",
    element("span", { class: "minor" }, orden.user_id, " · ", cantidad, " · ", time(orden.time_stamp)),
  );
}

/** Shows a driver anew if anything has changed: a link that stays may have the focus. */
function fillConductor(item, { id_conductor, nombre, id_orden, desde }) {
  const shown = JSON.stringify([nombre, id_orden, desde]);
  if (item.dataset.shown === shown) return;
  item.dataset.shown = shown;
  const link = element("a", { href: `#${id_orden}` }, id_orden);
  item.replaceChildren(
    element("strong", {}, nombre ?? id_conductor), " ", link, " ", element("span", { class: "minor" }, time(desde)),
  );
}
