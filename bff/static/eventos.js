/** An order's events as the BFF streams them. EventSource could not send tokens. */

import { Fallo, pausa, pedir, visible } from "./api.js";

const DEFINITIVOS = [400, 401, 403, 404];

/** The events in a stream's text so far, and what is left for later. */
export function separar(texto) {
  const bloques = texto.split("\n\n");
  const resto = bloques.pop();
  return [bloques.map(leerEvento).filter((evento) => "data" in evento), resto];
}

function leerEvento(bloque) {
  const campos = bloque.split("\n").map((linea) => linea.split(/: (.*)/s).slice(0, 2));
  const evento = Object.fromEntries(campos);
  return "data" in evento ? { ...evento, data: JSON.parse(evento.data) } : evento;
}

/** An order's events, each once, until the last one; connections that end are made again. `alEvento` gets a
    name and data, `alFallo` what went wrong, null when it goes on. */
export async function seguir(orden, alEvento, alFallo, senal) {
  let ultimo = "";
  while (!senal.aborted) {
    let espera = 1000;
    try {
      await visible();
      const cabeceras = ultimo ? { "Last-Event-ID": ultimo } : {};
      const respuesta = await pedir(`/orders/${orden}/events`, { cabeceras, senal });
      if (respuesta.status === 204) return;
      alFallo(null);
      for await (const evento of eventos(respuesta)) {
        ultimo = evento.id;
        alEvento(evento.event, evento.data);
        if (evento.event === "orden") return;
      }
    } catch (fallo) {
      if (senal.aborted) return;
      if (!(fallo instanceof Fallo)) throw fallo;
      alFallo(fallo);
      if (DEFINITIVOS.includes(fallo.estado)) return;
      espera = fallo.espera;
    }
    await pausa(espera);
  }
}

async function* eventos(respuesta) {
  const lector = respuesta.body.pipeThrough(new TextDecoderStream()).getReader();
  const cortado = () => {
    throw new Fallo(0, 1000);
  };
  try {
    for (let [hechos, resto] = [[], ""]; ; ) {
      const { done, value } = await lector.read().catch(cortado);
      if (done) return;
      [hechos, resto] = separar(resto + value);
      yield* hechos;
    }
  } finally {
    lector.cancel().catch(() => {});
  }
}
