/** Which language the page speaks, and how texts, numbers and times are written in it. */

import { TEXTOS } from "./textos.js";

const GUARDADO = "idioma";
let idioma = localStorage.getItem(GUARDADO) ?? navigator.language.slice(0, 2);
if (!Object.hasOwn(TEXTOS, idioma)) idioma = "en";

/** A text. Values: text, numbers, `{t: key}` for another text, a Date for a time of the day. */
export function t(clave, valores = {}) {
  const texto = TEXTOS[idioma][clave] ?? clave.slice(clave.indexOf(".") + 1);
  return texto.replace(/\{(\w+)\}/g, (todo, nombre) => (nombre in valores ? escrito(valores[nombre]) : todo));
}

function escrito(valor) {
  if (typeof valor === "number") return numero(valor);
  if (valor instanceof Date) return valor.toLocaleTimeString(idioma);
  return valor?.t === undefined ? String(valor) : t(valor.t);
}

/** With one digit after the point if it is small. */
export function numero(valor) {
  return valor.toLocaleString(idioma, { maximumFractionDigits: Math.abs(valor) < 10 ? 1 : 0 });
}

const puestos = new WeakMap();

/** Gives an element a text, which it keeps in every language. The same text again changes nothing: a live region would
    be read once more. */
export function poner(elemento, clave, valores = {}) {
  const [dicho, marca] = [[clave, valores], JSON.stringify([clave, valores])];
  if (puestos.get(elemento)?.marca === marca) return elemento;
  puestos.set(elemento, { dicho, marca });
  elemento.dataset.t = clave;
  elemento.textContent = clave && t(...dicho);
  return elemento;
}

/** All texts and times below an element. */
function traducir(raiz) {
  for (const e of raiz.querySelectorAll("[data-t]")) {
    e.textContent = e.dataset.t && t(...(puestos.get(e)?.dicho ?? [e.dataset.t]));
  }
  for (const e of raiz.querySelectorAll("[data-rotulo]")) e.setAttribute("aria-label", t(e.dataset.rotulo));
  for (const e of raiz.querySelectorAll("[data-numero]")) e.textContent = numero(Number(e.dataset.numero));
  for (const e of raiz.querySelectorAll("time")) e.textContent = hora(e.dateTime);
}

export function hora(iso) {
  return new Date(iso).toLocaleString(idioma, { dateStyle: "short", timeStyle: "medium" });
}

/** Another language, from now on and the next time. */
export function hablar(nuevo) {
  idioma = nuevo;
  localStorage.setItem(GUARDADO, nuevo);
  empezar();
}

/** Fills the page in. */
export function empezar() {
  document.documentElement.lang = idioma;
  document.title = t("titulo");
  traducir(document);
  return idioma;
}
