/** Elements. Whatever comes from elsewhere gets into the page as text only. */

import { hora, numero, poner } from "./idioma.js";

/** An element with attributes and children, which are nodes or text. `t`: the name of its text. */
export function el(nombre, atributos = {}, ...hijos) {
  return armar(document.createElement(nombre), atributos, hijos);
}

export function svg(nombre, atributos = {}, ...hijos) {
  return armar(document.createElementNS("http://www.w3.org/2000/svg", nombre), atributos, hijos);
}

function armar(elemento, { t, ...atributos }, hijos) {
  for (const [nombre, valor] of Object.entries(atributos)) elemento.setAttribute(nombre, valor);
  if (t) poner(elemento, t);
  elemento.append(...hijos);
  return elemento;
}

export function tiempo(iso) {
  return el("time", { datetime: iso }, hora(iso));
}

/** A number in an element; a dash if it is not known. */
export function cifra(elemento, valor) {
  if (valor === null) delete elemento.dataset.numero;
  else elemento.dataset.numero = valor;
  elemento.textContent = valor === null ? "–" : numero(valor);
}

export function id(nombre) {
  return document.getElementById(nombre);
}
