/** One order: its steps as they come, and how it ended. */

import { cifra, el, id } from "./dom.js";
import { seguir } from "./eventos.js";
import { poner } from "./idioma.js";

const CAMPOS = {
  id_producto: "producto", user_id: "cliente", cantidad: "cantidad", direccion_entrega: "entrega",
  instrucciones_entrega: "instrucciones", id_driver: "conductor", id_conductor: "conductor", motivo: "motivo",
};
let corte = new AbortController();

/** Shows an order, and no longer the one before. */
export function mostrar(orden) {
  corte.abort();
  corte = new AbortController();
  id("pasos").replaceChildren();
  id("orden-datos").replaceChildren();
  const estado = poner(id("orden-estado"), "orden.buscando");
  estado.className = "";
  seguir(orden, alEvento, (fallo) => poner(estado, ...(fallo?.texto("ordenes:leer") ?? ["orden.sigue"])), corte.signal);
}

function alEvento(nombre, datos) {
  if (nombre === "orden") return terminar(datos);
  decir(datos.contenido);
  const paso = dibujar(datos);
  const despues = [...id("pasos").children].find((otro) => otro.dataset.hora > paso.dataset.hora);
  id("pasos").insertBefore(paso, despues ?? null);
  const principio = id("pasos").firstElementChild.dataset.hora;
  for (const otro of id("pasos").children) cifra(otro.querySelector(".ms"), otro.dataset.hora - principio);
}

function terminar(orden) {
  decir(orden);
  const motivo = { t: `motivo.${orden.motivo}` };
  poner(id("orden-estado"), `orden.${orden.estado}`, orden.motivo === null ? {} : { motivo }).className = orden.estado;
}

function dibujar(paso) {
  const marcas = paso.is_compensation ? [el("span", { class: "marca", t: "compensacion" })] : [];
  return el(
    "li",
    { class: paso.is_compensation ? "compensacion" : "", "data-hora": Date.parse(paso.timestamp) },
    el("strong", { t: `paso.${paso.evento}` }), " ", ...marcas, " ",
    el("span", { class: "cuando" }, "+", el("span", { class: "ms" }), " ms"), " ",
    el("code", {}, paso.evento),
    el("details", {},
      el("summary", { t: "contenido" }),
      el("pre", {}, JSON.stringify(paso.contenido, null, 2))),
  );
}

/** What is known of the order, from its own steps. */
function decir(datos) {
  for (const [campo, rotulo] of Object.entries(CAMPOS)) {
    if (datos[campo] === undefined || datos[campo] === null) continue;
    let dicho = id("orden-datos").querySelector(`[data-campo="${rotulo}"]`);
    if (dicho === null) {
      dicho = el("dd", { "data-campo": rotulo });
      id("orden-datos").append(el("div", {}, el("dt", { t: rotulo }), dicho));
    }
    if (campo === "motivo") poner(dicho, `motivo.${datos[campo]}`);
    else dicho.textContent = datos[campo];
  }
}
