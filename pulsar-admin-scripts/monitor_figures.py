"""From what a cluster answered in one look to rows: pure functions."""

from collections.abc import Mapping
from typing import Any

from monitor_rows import Cuadro, Funcion, Suscripcion, Topic
from monitor_source import Esperado, Mirada, Respuesta
from topics import HISTORIA, RETIENE, corto


def cuadro(mirada: Mirada, deseado: Esperado, antes: Mirada | None = None) -> Cuadro:
    """`antes`: an earlier look, that rates and restarts are counted from; else rates are the broker's, of a minute."""
    topics = [_topic(nombre, mirada, deseado, antes) for nombre in mirada.topics]
    funciones = tuple(_funcion(nombre, mirada, deseado, antes) for nombre in mirada.funciones)
    cartas = tuple(topic for topic in topics if topic.nombre.endswith("-dlq"))
    normales = tuple(topic for topic in topics if topic not in cartas)
    return Cuadro(mirada.hora, normales, cartas, funciones, mirada.sin_worker)


def _topic(nombre: str, mirada: Mirada, deseado: Esperado, antes: Mirada | None) -> Topic:
    crudo, esperado = mirada.topics[nombre], nombre in deseado.suscripciones
    if not isinstance(crudo, dict):
        return Topic(nombre, (), esperado, presente=crudo is not None, ilegible=crudo or "")
    hay: Mapping[str, Any] = crudo.get("subscriptions", {})
    todas = dict.fromkeys((*deseado.suscripciones.get(nombre, ()), *sorted(hay)))
    previo, segundos = _antes(antes.topics.get(nombre) if antes else None), mirada.hora - antes.hora if antes else 0.0
    return Topic(
        nombre,
        tuple(_suscripcion(nombre, cual, hay.get(cual), mirada.hora, deseado) for cual in todas),
        esperado,
        presente=True,
        entrada=_ritmo(crudo, previo, "msgInCounter", "msgRateIn", segundos),
        salida=_ritmo(crudo, previo, "msgOutCounter", "msgRateOut", segundos),
        mensajes=crudo.get("msgInCounter", 0),
        guardado=crudo.get("storageSize", 0),
    )


def _suscripcion(topic: str, nombre: str, crudo: Any, ahora: float, deseado: Esperado) -> Suscripcion:
    funcion = deseado.lectoras.get((topic, nombre))
    if crudo is None:
        return Suscripcion(topic, nombre, funcion)
    atraso, para_luego = crudo.get("msgBacklog", 0), crudo.get("msgDelayed", 0)
    desde = _momento(crudo.get("earliestMsgPublishTimeInBacklog"))
    espera = atraso and (topic, nombre) != (corto(HISTORIA), RETIENE)  # which is kept, not waited for
    edad = _edad(ahora - desde, deseado.demoras.get(topic, 0.0)) if desde and espera else None
    return Suscripcion(
        topic,
        nombre,
        funcion,
        presente=True,
        durable=crudo.get("isDurable", crudo.get("durable", True)),
        atraso=atraso,
        para_luego=para_luego,
        edad=edad,
        sin_acuse=crudo.get("unackedMessages", 0),
        reentregas=crudo.get("msgRateRedeliver", 0.0),
        consumidores=len(crudo.get("consumers", ())),
        ultimo_acuse=_momento(crudo.get("lastAckedTimestamp")),
        ultimo_consumo=_momento(crudo.get("lastConsumedTimestamp")),
    )


def _edad(desde: float, demora: float) -> float | None:
    """A sender's clock may be ahead of ours: what is due at once is never younger than 0 s."""
    return None if demora and desde < demora else max(0.0, desde - demora)


def _funcion(nombre: str, mirada: Mirada, deseado: Esperado, antes: Mirada | None) -> Funcion:
    crudo, esperada = mirada.funciones[nombre], nombre in deseado.instancias
    instancias = deseado.instancias.get(nombre, 0)
    if not isinstance(crudo, dict):
        return Funcion(nombre, esperada, instancias, presente=crudo is not None, ilegible=crudo or "")
    estados = [instancia["status"] for instancia in crudo.get("instances", ())]
    reinicios, previo = _reinicios(crudo), _antes(antes.funciones.get(nombre) if antes else None)
    return Funcion(
        nombre,
        esperada,
        max(instancias, crudo.get("numInstances", 0)),
        presente=True,
        corriendo=crudo.get("numRunning", 0),
        reinicios=reinicios,
        reinicios_nuevos=max(0, reinicios - _reinicios(previo)) if previo else 0,
        procesados=_suma(estados, "numSuccessfullyProcessed"),
        excepciones=_suma(estados, "numUserExceptions") + _suma(estados, "numSystemExceptions"),
        ultimo_error=_ultimo_error(estados),
        ultima_invocacion=_momento(max((e.get("lastInvocationTime") or 0 for e in estados), default=0)),
    )


def _antes(respuesta: Respuesta) -> Mapping[str, Any]:
    return respuesta if isinstance(respuesta, dict) else {}


def _ritmo(ahora: Mapping[str, Any], antes: Mapping[str, Any], cuenta: str, ritmo: str, segundos: float) -> float:
    """A counter that is smaller than before began anew, with its topic."""
    nuevos = ahora.get(cuenta, 0) - antes.get(cuenta, 0)
    return nuevos / segundos if antes and segundos > 0 and nuevos >= 0 else float(ahora.get(ritmo, 0.0))


def _reinicios(crudo: Mapping[str, Any]) -> int:
    return _suma([instancia["status"] for instancia in crudo.get("instances", ())], "numRestarts")


def _suma(estados: list[Mapping[str, Any]], campo: str) -> int:
    return sum(int(estado.get(campo) or 0) for estado in estados)


def _ultimo_error(estados: list[Mapping[str, Any]]) -> str:
    """The newest exception's last line; of an instance that does not run, why."""
    campos = ("latestUserExceptions", "latestSystemExceptions")
    excepciones = [e for estado in estados for campo in campos for e in estado.get(campo) or ()]
    textos = [e.get("exceptionString") or "" for e in sorted(excepciones, key=lambda e: e.get("timestampMs") or 0)]
    textos += [estado.get("error") or "" for estado in estados if not estado.get("running")]
    return next((texto.strip().splitlines()[-1] for texto in reversed(textos) if texto.strip()), "")


def _momento(ms: Any) -> float | None:
    return ms / 1000 if ms and ms > 0 else None
