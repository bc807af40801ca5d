/** Elements of the page. Whatever comes from elsewhere gets into the page as text only, never as markup. */

import { formatNumber, formatTime, setText } from "./language.js";

/** An HTML element with attributes and children, which are nodes or text. The attribute `t` is the key of its text. */
export function element(name, attributes = {}, ...children) {
  return fill(document.createElement(name), attributes, children);
}

/** The same as `element`, for elements of SVG. */
export function svg(name, attributes = {}, ...children) {
  return fill(document.createElementNS("http://www.w3.org/2000/svg", name), attributes, children);
}

function fill(node, { t, ...attributes }, children) {
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
  if (t) setText(node, t);
  node.append(...children);
  return node;
}

/** A moment, given as ISO 8601 has it, in the reader's language and time zone. */
export function time(iso) {
  return element("time", { datetime: iso }, formatTime(iso));
}

/** Shows a number in an element, in every language; null is not known and shown as a dash. */
export function showNumber(node, value) {
  if (value === null) delete node.dataset.number;
  else node.dataset.number = value;
  node.textContent = value === null ? "–" : formatNumber(value);
}

export function byId(name) {
  return document.getElementById(name);
}
