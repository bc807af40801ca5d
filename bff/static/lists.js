/** The newest orders, and the newest of those that failed. */

import { every, read } from "./api.js";
import { byId, element, time } from "./dom.js";
import { setText } from "./language.js";

const POLL_INTERVAL = 2000; // ms

/** Keeps a list of the page up to date. `name`: the list's id; `path`: where its orders are read;
    `announceNew`: whether its notice says how many orders are new. */
export function maintainList(name, path, announceNew = false) {
  const list = byId(name);
  const notice = byId(`${name}-notice`);
  const items = new Map(); // by id_orden
  const onOrdenes = (ordenes) => {
    const count = ordenes.filter((orden) => !items.has(orden.id_orden)).length;
    const announcement = announceNew && items.size > 0 && count > 0 ? `${name}.new` : "";
    update(list, items, ordenes);
    setText(notice, ordenes.length > 0 ? announcement : "none", { n: count });
  };
  const onFailure = (failure) => {
    if ([401, 403].includes(failure.status)) update(list, items, []);
    setText(notice, ...failure.text("ordenes:leer"));
  };
  every(POLL_INTERVAL, () => read(path, onOrdenes, onFailure));
}

/** Elements that stay are left where they are: one of them may have the focus. */
function update(list, items, ordenes) {
  let next = list.firstElementChild;
  for (const orden of ordenes) {
    const item = items.get(orden.id_orden) ?? element("li");
    fill(item, orden);
    if (item === next) next = next.nextElementSibling;
    else list.insertBefore(item, next);
    items.set(orden.id_orden, item);
  }
  const ids = new Set(ordenes.map((orden) => orden.id_orden));
  for (const [id_orden, item] of items) {
    if (ids.has(id_orden)) continue;
    item.remove();
    items.delete(id_orden);
  }
}

/** Of an order only its state changes, and with it the reason. */
function fill(item, orden) {
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
