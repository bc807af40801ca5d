/** The page: what is where, the language, the token, and which order is followed (its id is in the address). */

import { entrar, hayToken, vigilarToken } from "./api.js";
import { id } from "./dom.js";
import { empezar, hablar, poner } from "./idioma.js";
import { mantener as mantenerLista } from "./listas.js";
import { mostrar } from "./orden.js";
import { mantener as mantenerTopologia } from "./topologia.js";

const ID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

function alElegir() {
  const orden = decodeURIComponent(location.hash.slice(1));
  if (!ID.test(orden)) return;
  id("id").value = orden;
  avisar(true);
  mostrar(orden);
}

function avisar(valido) {
  id("id").setAttribute("aria-invalid", String(!valido));
  poner(id("id-ayuda"), valido ? "id_ayuda" : "id_invalido");
}

function alBuscar(evento) {
  evento.preventDefault();
  const orden = id("id").value.trim();
  avisar(ID.test(orden));
  if (!ID.test(orden)) return id("id").focus();
  if (location.hash === `#${orden}`) alElegir();
  else location.hash = orden;
}

function pedirToken(hace) {
  if (hace) poner(id("acceso-motivo"), "fallo.401");
  id("acceso").hidden = !hace;
  id("salir").hidden = !hayToken();
}

id("idioma").value = empezar();
id("idioma").addEventListener("change", () => hablar(id("idioma").value));
id("buscar").addEventListener("submit", alBuscar);
id("salir").addEventListener("click", () => {
  entrar(null);
  location.reload(); // and with it whatever the token had shown
});
pedirToken(false);
id("acceso").addEventListener("submit", (evento) => {
  evento.preventDefault();
  entrar(id("token").value.trim());
  id("token").value = "";
});
vigilarToken(() => (pedirToken(false), alElegir()), () => pedirToken(true));
addEventListener("hashchange", alElegir);
mantenerLista("recientes", "/orders?limit=10");
mantenerLista("fallidas", "/orders?estado=fallida&limit=8", true);
mantenerTopologia();
alElegir();
