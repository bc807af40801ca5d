/** The page as a whole: its language, the token, the lists, and which order is followed: its id is in the address. */

import { hasToken, setToken, watchToken } from "./api.js";
import { byId } from "./dom.js";
import { setText, switchLanguage, translatePage } from "./language.js";
import { maintainConductores, maintainOrdenes } from "./lists.js";
import { showOrden } from "./orden.js";
import { maintainTopology } from "./topology.js";

const ID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/** Follows the order whose id is in the address, if there is one. */
function followAddress() {
  const id_orden = decodeURIComponent(location.hash.slice(1));
  if (!ID.test(id_orden)) return;
  byId("id").value = id_orden;
  showValidity(true);
  showOrden(id_orden);
}

function showValidity(valid) {
  byId("id").setAttribute("aria-invalid", String(!valid));
  setText(byId("id-help"), valid ? "id_help" : "invalid_id");
}

function onSearch(event) {
  event.preventDefault();
  const id_orden = byId("id").value.trim();
  const valid = ID.test(id_orden);
  showValidity(valid);
  if (!valid) byId("id").focus();
  else if (location.hash === `#${id_orden}`) followAddress();
  else location.hash = id_orden;
}

/** Shows the form for a token, or hides it. */
function showAccess(needed) {
  if (needed) setText(byId("access-notice"), "failure.401");
  byId("access").hidden = !needed;
  byId("forget").hidden = !hasToken();
}

function onTokenChange() {
  showAccess(false);
  followAddress();
}

byId("language").value = translatePage();
byId("language").addEventListener("change", () => switchLanguage(byId("language").value));
byId("search").addEventListener("submit", onSearch);
byId("forget").addEventListener("click", () => {
  setToken(null);
  location.reload(); // nothing that the token had shown may stay
});
showAccess(false);
byId("access").addEventListener("submit", (event) => {
  event.preventDefault();
  setToken(byId("token").value.trim());
  byId("token").value = "";
});
watchToken(onTokenChange, () => showAccess(true));
addEventListener("hashchange", followAddress);
maintainOrdenes("recent", "/orders?limit=10");
maintainOrdenes("fallidas", "/orders?estado=fallida&limit=8", true);
maintainConductores();
maintainTopology();
followAddress();
