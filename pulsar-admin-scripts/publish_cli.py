"""Publishes messages to any topic of ours: <namespace>/<topic>, `--topics` lists them.

A FILE ("-": the standard input) holds JSON or YAML: one message, a list of them, or several after another. A message is
a payload, an envelope with its `data`, or a CloudEvent. What an envelope or event leaves out is made up. All are
checked first: if one is wrong, each problem is named and none is published.
Exit codes: 0; 1 something failed; 2 wrong usage, or a wrong message; 130 interrupted.
"""

import argparse
import sys
from collections.abc import Iterator, Sequence
from typing import Any

import admin
import client
import pulsar
from avro_json import a_json
from publish_input import Mensaje, de_yaml, leer, preparar
from samples import muestra
from terminal import cuantas, en_json, seguro, tipo
from topics import exigir
from yaml import YAMLError

from functions.comun.codec import codec
from functions.comun.mensajes import TIPOS
from functions.comun.publicador import NoPublicado, Publicador


class _Cliente:
    """For one Publicador: notes what the broker stored each message as, "" until it has; in the order of sending."""

    def __init__(self, cliente: pulsar.Client) -> None:
        self._cliente, self._client = cliente, cliente._client
        self.recibos: list[str] = []

    def create_producer(self, topic: str, **opciones: Any) -> "_Productor":
        return _Productor(self._cliente.create_producer(topic, **opciones), self.recibos)

    def get_topic_partitions(self, _topic: str) -> list[str]:
        """None: so each message is confirmed by itself."""
        return []


class _Productor:
    def __init__(self, productor: pulsar.Producer, recibos: list[str]) -> None:
        self._productor, self._recibos = productor, recibos

    def send_async(self, crudo: bytes, confirmar: Any, **opciones: Any) -> None:
        lugar = len(self._recibos)
        self._recibos.append("")

        def anotar(resultado: Any, recibo: Any) -> None:
            self._recibos[lugar] = str(recibo) if resultado == pulsar.Result.Ok else ""
            confirmar(resultado, recibo)

        self._productor.send_async(crudo, anotar, **opciones)

    def flush(self) -> None:
        self._productor.flush()


def _cambio(texto: str) -> tuple[str, Any]:
    nombre, igual, valor = texto.partition("=")
    if not igual:
        raise ValueError("it must be FIELD=VALUE")
    try:
        return nombre, de_yaml(valor)
    except YAMLError as error:
        raise ValueError(f"the value is no YAML: put it in quotes: {error}") from error


def _parser() -> argparse.ArgumentParser:
    plano, entorno = argparse.RawDescriptionHelpFormatter, f"{admin.__doc__}{client.ENTORNO}"
    todo = argparse.ArgumentParser("publish.py", description=__doc__, epilog=entorno, formatter_class=plano)
    topic = tipo(lambda texto: exigir(texto, sorted(TIPOS)))
    todo.add_argument("topic", nargs="?", type=topic, metavar="TOPIC", help="<namespace>/<topic> or the full name")
    todo.add_argument("files", nargs="*", metavar="FILE", help="JSON or YAML; - for the standard input")
    todo.add_argument("--sample", nargs="?", const=1, type=tipo(cuantas), metavar="N", help="N generated messages")
    ayuda = "a payload field of every message; VALUE as in YAML; repeatable"
    todo.add_argument("--set", action="append", default=[], type=tipo(_cambio), metavar="FIELD=VALUE", help=ayuda)
    todo.add_argument("--dry-run", action="store_true", help="check, and show what would be published")
    todo.add_argument("--json", action="store_true", help="one JSON object on each line")
    todo.add_argument("--topics", action="store_true", help="list the topics")
    return todo


def _valores(args: Any, problemas: list[str]) -> Iterator[tuple[str, Any]]:
    """Each message with what to call it."""
    for numero in range(args.sample or 0):
        yield f"sample {numero + 1}", a_json(muestra(args.topic))
    for archivo in args.files:
        try:
            valores = leer(archivo)
        except (OSError, ValueError) as error:
            problemas.append(f"{archivo}: {error}: mend the file")
            continue
        if not valores:
            problemas.append(f"{archivo}: there is no message in it")
        yield from ((f"{archivo}: message {numero}", valor) for numero, valor in enumerate(valores, 1))


def _preparados(args: Any, problemas: list[str]) -> Iterator[Mensaje]:
    for nombre, valor in _valores(args, problemas):
        try:
            yield preparar(valor, args.topic, dict(args.set))
        except ValueError as error:
            problemas.extend(f"{nombre}: {linea}" for linea in str(error).splitlines())


def _publicar(cliente: pulsar.Client, mensajes: Sequence[Mensaje], en_lineas: bool) -> int:
    anotador = _Cliente(cliente)
    try:
        with client.avisando():
            Publicador(anotador, plazo_ms=1000 * client.PLAZO).publicar([publicacion for _, publicacion in mensajes])
    except NoPublicado as error:
        if not anotador.recibos:
            raise
        confirmados = sum(map(bool, anotador.recibos))
        raise NoPublicado(f"{error}: {confirmados} of {len(mensajes)} are stored, the others may be, too") from error
    finally:
        for (sobre, p), recibo in zip(mensajes, anotador.recibos, strict=False):
            fila = {"topic": p.topic, "id": str(sobre["id"]), "key": p.clave, "message_id": recibo}
            if recibo:
                print(en_json(fila) if en_lineas else seguro(f"published {' '.join(fila.values())}"))
    return 0


def _mostrar(mensajes: Sequence[Mensaje]) -> int:
    for sobre, p in mensajes:
        print(en_json({"topic": p.topic, "key": p.clave, "message": a_json(sobre)}))
    return 0


def main() -> int:
    todo = _parser()
    args, problemas = todo.parse_intermixed_args(), list[str]()
    if args.topics:
        print("\n".join(f"{topic:<40}  {codec(topic).definicion['doc']}" for topic in sorted(TIPOS)))
        return 0
    if not args.topic or not (args.files or args.sample):
        todo.error("it wants a TOPIC, and FILEs or --sample; --topics lists the topics")
    mensajes = list(_preparados(args, problemas))
    if problemas:
        print("\n".join(f"error: {seguro(problema)[:500]}" for problema in problemas), file=sys.stderr)
        print(f"nothing was published: {len(problemas)} problems", file=sys.stderr)
        return 2
    if args.dry_run:
        return client.programa(lambda: _mostrar(mensajes), "interrupted")
    return client.con_cliente(
        lambda cliente: _publicar(cliente, mensajes, args.json), "interrupted: some may be stored"
    )
