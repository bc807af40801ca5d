/** Asking the BFF: with the reader's token, again and again, and events as they come. */

const GUARDADO = "token";
const avisos = new EventTarget();

/** An answer that is none. `estado`: HTTP's, 0 if nobody answers; `espera`: in ms, until it makes sense to ask again. */
export class Fallo extends Error {
  constructor(estado, espera = 3000) {
    super(`status ${estado}`);
    this.estado = estado;
    this.espera = espera;
  }

  /** The name of its text, and what that needs. */
  texto(alcance) {
    const clave = [0, 401, 403, 404, 429, 503].includes(this.estado) ? this.estado : "otro";
    return [`fallo.${clave}`, { alcance }];
  }
}

export function hayToken() {
  return sessionStorage.getItem(GUARDADO) !== null;
}

/** Tells when there is another token, and when a valid one is needed. */
export function vigilarToken(alCambiar, alFaltar) {
  avisos.addEventListener("cambio", alCambiar);
  avisos.addEventListener("falta", alFaltar);
}

/** Another token; null forgets it. */
export function entrar(token) {
  if (token === null) sessionStorage.removeItem(GUARDADO);
  else sessionStorage.setItem(GUARDADO, token);
  avisos.dispatchEvent(new Event("cambio"));
}

/** The answer, if it is a good one. */
export async function pedir(ruta, { cabeceras = {}, senal } = {}) {
  const token = sessionStorage.getItem(GUARDADO);
  const todas = token === null ? cabeceras : { ...cabeceras, Authorization: `Bearer ${token}` };
  let respuesta;
  try {
    respuesta = await fetch(ruta, { headers: todas, signal: senal });
  } catch {
    throw new Fallo(0);
  }
  if (respuesta.ok) return respuesta;
  if (respuesta.status === 401) avisos.dispatchEvent(new Event("falta"));
  throw new Fallo(respuesta.status, 1000 * (respuesta.headers.get("Retry-After") ?? 3));
}

/** Does it now, and again after every pause while the page can be seen, and at once when there is another token. */
export async function cada(ms, hacer) {
  for (;;) {
    await visible();
    await pausa((await hacer()) ?? ms);
  }
}

/** An answer in JSON goes to `bien`, a failure to `mal`; says how long to wait, in ms, if `bien` or the failure does. */
export async function leer(ruta, bien, mal) {
  let datos;
  try {
    datos = await (await pedir(ruta)).json();
  } catch (error) {
    const fallo = error instanceof Fallo ? error : new Fallo(0);
    mal(fallo);
    return [401, 403].includes(fallo.estado) ? 60_000 : fallo.espera;
  }
  return bien(datos);
}

/** Another token ends it. */
export function pausa(ms) {
  return new Promise((seguir) => {
    const fin = () => {
      clearTimeout(reloj);
      avisos.removeEventListener("cambio", fin);
      seguir();
    };
    const reloj = setTimeout(fin, ms);
    avisos.addEventListener("cambio", fin);
  });
}

export function visible() {
  if (!document.hidden) return Promise.resolve();
  return new Promise((seguir) => document.addEventListener("visibilitychange", seguir, { once: true }));
}
