"""What was deployed, for people; and back to it."""

import sys
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import pulsar
from deploy_history import Version, guardadas, leer
from deploy_plan import AMBIENTE
from questions import de_funciones
from terminal import en_json, seguro


def mostrar_historia(versiones: Iterable[Version], como_json: bool) -> None:
    """Oldest first: the last line is what was deployed last."""
    if como_json:
        for version in versiones:
            print(en_json(_fila(version)))
        return
    print(f"{'version':>7}  {'when':16}  {'who':22}  {'commit':18}  what")
    juntas: dict[str, list[str]] = {}
    for v in versiones:
        hora = datetime.fromisoformat(v.hora).astimezone().strftime("%Y-%m-%d %H:%M")
        que = f"{v.accion}, FAILED: {v.fallo}" if v.fallo else v.accion
        linea = f"{v.numero:>7}  {hora}  {v.quien:22}  {v.commit:18}  {que}"
        juntas.setdefault(seguro(linea), []).append(f"{'':9}{v.funcion} {v.hash}")
    for linea, funciones in juntas.items():
        print("\n".join([linea, *funciones]))


def _fila(version: Version) -> Mapping[str, Any]:
    campos = ("numero", "funcion", "accion", "hora", "quien", "commit", "fallo", "config")
    nombres = ("version", "function", "what", "time", "who", "commit", "failure", "config")
    return {nombre: getattr(version, campo) for nombre, campo in zip(nombres, campos, strict=True)}


def registradas(cliente: pulsar.Client, funciones: Sequence[str]) -> list[Version]:
    """What is on record, of these functions; ends the program if there is nothing of one of them."""
    versiones = guardadas(leer(cliente))
    conocidas = {version.funcion for version in versiones}
    if desconocidas := set(funciones) - conocidas:
        sys.exit(
            f"error: nothing was deployed of {', '.join(sorted(desconocidas))}; "
            f"on record are {', '.join(sorted(conocidas)) or 'none'}"
        )
    return [version for version in versiones if not funciones or version.funcion in funciones]


def elegidas(versiones: Sequence[Version], funciones: Sequence[str], hasta: int | None) -> list[str]:
    """The functions to go back with: those named; else all, to a version; else those of the last deployment."""
    de_que = _ultimo(versiones) if hasta is None else [version for version in versiones if not version.fallo]
    return list(funciones) or list(dict.fromkeys(version.funcion for version in de_que))


def exigir_que_corra(versiones: Sequence[Version], hay: Mapping[str, Mapping[str, Any]]) -> None:
    """Ends the program if the last deployment is undone already: then one more step back is not what is meant."""
    ultimas = _ultimo(versiones)
    if ultimas and not any(version.es(hay[version.funcion]) for version in ultimas):
        sys.exit(
            f"error: nothing of the last deployment, version {ultimas[0].numero}, runs: it is undone already; nothing "
            "was changed.\n  To go back further, name functions, or say --to VERSION. See deploy.py history"
        )


def _ultimo(versiones: Sequence[Version]) -> list[Version]:
    ultimo = max((version.numero for version in versiones), default=0)
    return [version for version in versiones if version.numero == ultimo]


def desplegadas(versiones: Sequence[Version], funciones: Sequence[str]) -> dict[str, dict[str, Any]]:
    """The configurations that are deployed; nothing of functions that are not there."""
    configs = {version.funcion: version.config for version in versiones}
    respuestas = de_funciones([configs[nombre] for nombre in funciones])
    return {nombre: respuesta or {} for nombre, respuesta in zip(funciones, respuestas, strict=True)}


def destinos(
    versiones: Sequence[Version], hay: Mapping[str, Mapping[str, Any]], hasta: int | None, nombradas: bool
) -> dict[str, Version]:
    """For each function the version to go back to: the last until `hasta`, else the last that is not what runs now.

    Ends the program if there is none; but a function that was not named, and not there then, stays as it is.
    """
    destino = {}
    for nombre in hay:
        suyas = [version for version in versiones if version.funcion == nombre and not version.fallo]
        posibles = [v for v in suyas if (v.numero <= hasta if hasta is not None else not v.es(hay[nombre]))]
        if posibles:
            destino[nombre] = posibles[-1]
        elif nombradas or hasta is None:
            cual = f"until version {hasta}" if hasta is not None else "other than what runs now"
            sys.exit(f"error: no version of {nombre} is on record {cual}; nothing was changed. See deploy.py history")
    return destino


def preparar(
    destino: Mapping[str, Version], hay: Mapping[str, Mapping[str, Any]], carpeta: Path
) -> dict[str, dict[str, Any]]:
    """The configurations, and the packages in `carpeta`. Where the database is stays as it is now."""
    configs = {}
    for nombre, version in destino.items():
        (carpeta / f"{nombre}.zip").write_bytes(version.paquete)
        ambiente = {clave: valor for clave, valor in hay[nombre].get("userConfig", {}).items() if clave in AMBIENTE}
        configs[nombre] = {**version.config, "userConfig": {**version.config["userConfig"], **ambiente}}
    return configs
