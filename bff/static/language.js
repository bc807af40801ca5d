/** Which language the page speaks, and how texts, numbers and times are written in it. */

import { TEXTS } from "./texts.js";

const STORAGE_KEY = "idioma";
let language = localStorage.getItem(STORAGE_KEY) ?? navigator.language.slice(0, 2);
if (!Object.hasOwn(TEXTS, language)) language = "en";

/** A text in the page's language. `values` fill its placeholders: text, numbers, `{t: key}` for another text, a Date
    for a time of the day. A key without a text is shown without what is before its first point. */
export function t(key, values = {}) {
  const text = TEXTS[language][key] ?? key.slice(key.indexOf(".") + 1);
  return text.replace(/\{(\w+)\}/g, (placeholder, name) => (name in values ? format(values[name]) : placeholder));
}

function format(value) {
  if (typeof value === "number") return formatNumber(value);
  if (value instanceof Date) return value.toLocaleTimeString(language);
  return value?.t === undefined ? String(value) : t(value.t);
}

/** A number with one digit after the point if it is small, else with none. */
export function formatNumber(value) {
  return value.toLocaleString(language, { maximumFractionDigits: Math.abs(value) < 10 ? 1 : 0 });
}

const shown = new WeakMap(); // by element: the text's key and values, and both as one string to compare

/** Gives an element a text, which it keeps in every language; returns the element. The same text again changes nothing,
    because screen readers would read a live region once more. */
export function setText(node, key, values = {}) {
  const fingerprint = JSON.stringify([key, values]);
  if (shown.get(node)?.fingerprint === fingerprint) return node;
  shown.set(node, { key, values, fingerprint });
  node.dataset.t = key;
  node.textContent = key && t(key, values);
  return node;
}

/** Writes all texts, labels, numbers and times below an element anew. */
function translate(root) {
  for (const node of root.querySelectorAll("[data-t]")) {
    const key = node.dataset.t;
    node.textContent = key && t(key, shown.get(node)?.values);
  }
  for (const node of root.querySelectorAll("[data-label]")) node.setAttribute("aria-label", t(node.dataset.label));
  for (const node of root.querySelectorAll("[data-number]")) {
    node.textContent = formatNumber(Number(node.dataset.number));
  }
  for (const node of root.querySelectorAll("time")) node.textContent = formatTime(node.dateTime);
}

/** A moment, given as ISO 8601 has it: its date and time in the page's language. */
export function formatTime(iso) {
  return new Date(iso).toLocaleString(language, { dateStyle: "short", timeStyle: "medium" });
}

/** Another language, from now on and at the next visit. */
export function switchLanguage(next) {
  language = next;
  localStorage.setItem(STORAGE_KEY, next);
  translatePage();
}

/** Writes every text of the page; returns the language that it speaks. */
export function translatePage() {
  document.documentElement.lang = language;
  document.title = t("title");
  translate(document);
  return language;
}
