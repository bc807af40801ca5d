/** The newest orders, and the newest of those that failed. */

import { cada, leer } from "./api.js";
import { el, id, tiempo } from "./dom.js";
import { poner } from "./idioma.js";

const PAUSA = 2000;

/** Keeps a list of the page up to date. `contar`: says how many are new. */
export function mantener(nombre, ruta, contar = false) {
  const [lista, aviso, elementos] = [id(nombre), id(`${nombre}-aviso`), new Map()];
  const bien = (ordenes) => {
    const nuevas = ordenes.filter((orden) => !elementos.has(orden.id_orden)).length;
    const dicho = contar && elementos.size > 0 && nuevas > 0 ? `${nombre}.nuevas` : "";
    actualizar(lista, elementos, ordenes);
    poner(aviso, ordenes.length > 0 ? dicho : "ninguna", { n: nuevas });
  };
  const mal = (fallo) => {
    if ([401, 403].includes(fallo.estado)) actualizar(lista, elementos, []);
    poner(aviso, ...fallo.texto("ordenes:leer"));
  };
  cada(PAUSA, () => leer(ruta, bien, mal));
}

/** Elements that stay are left where they are: one of them may have the focus. */
function actualizar(lista, elementos, ordenes) {
  let sitio = lista.firstElementChild;
  for (const orden of ordenes) {
    const elemento = elementos.get(orden.id_orden) ?? el("li");
    llenar(elemento, orden);
    if (elemento === sitio) sitio = sitio.nextElementSibling;
    else lista.insertBefore(elemento, sitio);
    elementos.set(orden.id_orden, elemento);
  }
  const ids = new Set(ordenes.map((orden) => orden.id_orden));
  for (const [viejo, elemento] of elementos) {
    if (ids.has(viejo)) continue;
    elemento.remove();
    elementos.delete(viejo);
  }
}

function llenar(elemento, orden) {
  if (elemento.className === orden.estado) return;
  elemento.className = orden.estado;
  const cantidad = poner(el("span"), "unidades", { n: orden.cantidad });
  const enlace = el("a", { href: `#${orden.id_orden}` }, orden.id_orden);
  const motivo = orden.motivo === null ? [] : [el("span", { class: "motivo", t: `motivo.${orden.motivo}` })];
  const estado = el("span", { class: "estado", t: `estado.${orden.estado}` });
  elemento.replaceChildren(
    enlace, " ", estado, " ", ...motivo, " ",
    el("span", { class: "menor" }, orden.user_id, " · ", cantidad, " · ", tiempo(orden.time_stamp)),
  );
}
