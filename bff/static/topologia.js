/** The drawing of functions and topics, and the table of what goes through them. */

import { cada, leer, pedir } from "./api.js";
import { cifra, el, id, svg } from "./dom.js";
import { poner } from "./idioma.js";

const PAUSA = 2000;
const COLUMNAS = ["topic", "funcion", "entran", "salen", "esperan", "luego"];
const insignias = new Map();
const filas = [];
let antes = null;

/** Draws it, and keeps its figures up to date. */
export async function mantener() {
  const topologia = await (await pedir("/panel/topologia.json")).json();
  dibujar(topologia);
  tabular(topologia.funciones);
  cada(PAUSA, () => leer("/panel/topics", (datos) => llenar(datos, topologia.funciones), vaciar));
}

function dibujar({ vista, nodos, flechas }) {
  id("dibujo").setAttribute("viewBox", vista);
  for (const { clase, linea, punta } of flechas) {
    id("dibujo").append(svg("g", { class: clase }, svg("path", { d: linea }), svg("polygon", { points: punta })));
  }
  for (const nodo of nodos) id("dibujo").append(dibujarNodo(nodo));
  centrar(nodos[0].nombre);
  const clases = ["command", "compensation", "deadline", "event", "llegan", "esperan"];
  id("leyenda").append(...clases.map((clase) => el("li", { class: clase, t: `leyenda.${clase}` })));
}

function dibujarNodo({ nombre, tipo, caja: [x, y, width, height] }) {
  const lineas = nombre.replace("/", "/\n").split("\n");
  const textos = lineas.map((linea, n) => {
    const alto = y + height / 2 + 18 * (n - (lineas.length - 1) / 2);
    return svg("text", { x: x + width / 2, y: alto, "dominant-baseline": "central" }, linea);
  });
  const insignia = svg("text", { x: x + width - 8, y: y + 1, class: "insignia", "dominant-baseline": "central" });
  const fondo = svg("rect", { y: y - 10, height: 20, rx: 10, class: "fondo" });
  insignias.set(nombre, { insignia, fondo, derecha: x + width });
  return svg("g", { class: tipo }, svg("rect", { x, y, width, height, rx: tipo === "topic" ? 0 : 9 }), ...textos,
    fondo, insignia);
}

/** On a screen that has no room for all of the drawing. */
function centrar(nombre) {
  const region = id("dibujo").parentElement;
  const nodo = insignias.get(nombre).fondo.parentNode.getBoundingClientRect();
  const { left, width } = region.getBoundingClientRect();
  region.scrollLeft += nodo.left + nodo.width / 2 - left - width / 2;
}

/** A number in the corner of a node; none if there is nothing to say. */
function marcar(nombre, valor) {
  const { insignia, fondo, derecha } = insignias.get(nombre);
  cifra(insignia, valor || null);
  if (!valor) insignia.textContent = "";
  const ancho = 9 * insignia.textContent.length + 14;
  fondo.setAttribute("x", derecha - ancho + 6);
  fondo.setAttribute("width", valor ? ancho : 0);
  insignia.setAttribute("x", derecha - ancho / 2 + 6);
}

function tabular(funciones) {
  id("columnas").append(...COLUMNAS.map((columna) => el("th", { scope: "col", role: "columnheader", t: columna })));
  for (const { nombre, recibe, suscripcion } of funciones) {
    for (const topic of recibe) filas.push({ topic, funcion: nombre, suscripcion });
  }
  filas.sort((una, otra) => una.topic.localeCompare(otra.topic));
  for (const fila of filas) {
    fila.celdas = COLUMNAS.slice(2).map(() => el("span", {}, "–"));
    id("cifras").append(el("tr", { role: "row" },
      el("th", { scope: "row", role: "rowheader" }, fila.topic), el("td", { role: "cell" }, fila.funcion),
      ...fila.celdas.map((celda, n) => celdaDe(COLUMNAS[n + 2], celda))));
  }
}

/** With the column's name, for screens on which there is no room for columns. */
function celdaDe(columna, celda) {
  return el("td", { role: "cell", class: columna }, el("span", { class: "rotulo", t: columna, "aria-hidden": true }), celda);
}

function llenar(datos, funciones) {
  if (datos.estado !== "bien") vaciar(null, datos.estado);
  if (datos.estado === "leyendo") return 300;
  if (datos.estado !== "bien" || antes?.hora === datos.hora) return PAUSA;
  const segundos = antes === null ? 0 : (datos.hora - antes.hora) / 1000;
  const esperan = new Map(funciones.map(({ nombre }) => [nombre, 0]));
  for (const { topic, funcion, suscripcion, celdas } of filas) {
    const [hay, habia] = [datos.topics[topic], antes?.topics[topic]];
    const [lee, leia] = [hay?.suscripciones[suscripcion], habia?.suscripciones[suscripcion]];
    const entran = ritmo(hay?.entradas, habia?.entradas, segundos);
    const salen = ritmo(lee?.salidas, leia?.salidas, segundos);
    [entran, salen, lee?.pendientes ?? null, lee?.demorados ?? null].forEach((valor, n) => cifra(celdas[n], valor));
    celdas[2].classList.toggle("hay", lee?.pendientes > 0);
    marcar(topic, entran);
    esperan.set(funcion, esperan.get(funcion) + (lee?.pendientes ?? 0));
  }
  for (const [funcion, cuantos] of esperan) marcar(funcion, cuantos);
  decirCartas(datos.topics, funciones);
  poner(id("topologia-aviso"), "");
  poner(id("topologia-hora"), "cifras.bien", { hora: new Date(datos.hora) });
  antes = datos;
  return PAUSA;
}

/** Per second; null if a counter is new, or began again with its broker. */
export function ritmo(ahora, entonces, segundos) {
  return segundos > 0 && entonces <= ahora ? (ahora - entonces) / segundos : null;
}

function decirCartas(topics, funciones) {
  const cuantas = ({ cartas }) => topics[cartas]?.suscripciones.cuarentena?.pendientes ?? 0;
  const lista = funciones.filter(cuantas).map((funcion) => `${funcion.nombre} ${cuantas(funcion)}`).join(", ");
  poner(id("cartas"), lista && "cartas", { lista });
}

/** No figures, and why. */
function vaciar(fallo, estado) {
  antes = null;
  for (const { celdas } of filas) celdas.forEach((celda) => cifra(celda, null));
  for (const nombre of insignias.keys()) marcar(nombre, null);
  poner(id("cartas"), "");
  poner(id("topologia-hora"), "");
  poner(id("topologia-aviso"), ...(fallo?.texto("metricas:leer") ?? [`cifras.${estado}`]));
}
