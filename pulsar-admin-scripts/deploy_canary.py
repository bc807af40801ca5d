"""A canary: one instance of a function's new version beside the present ones, on the same subscription.

It is a function of its own, <name>-canary, that works under the other's name: same receipts, same dead letters. So a
message that goes from one to the other, in whichever order, has its effects once. It takes its share of the messages:
one part in as many as there are instances.
"""

import sys
from pathlib import Path
from typing import Any, Final

import pulsar
from admin import TENANT, ejecutar, url_admin, url_functions
from deploy_logs import Registros
from deploy_look import mirar
from deploy_plan import exigir_esquemas, orden, por_desplegar, quien
from deploy_watch import listadas, vigilar
from questions import api, de_funciones

Config = dict[str, Any]
FIN: Final = "-canary"


def canario(config: Config) -> Config:
    """The configuration of a function's canary; ends the program if there can't be one."""
    nombre = config["name"]
    for campo in ("retainOrdering", "retainKeyOrdering", "cleanupSubscription"):
        if config.get(campo, campo == "cleanupSubscription"):
            por = "its subscription must outlive the canary" if campo == "cleanupSubscription" else "it needs Shared"
            sys.exit(f"error: {nombre} has {campo}: true: no canary can share its subscription, {por}")
    propio = {"FUNCION": nombre}
    return {**config, "name": nombre + FIN, "parallelism": 1, "userConfig": {**config["userConfig"], **propio}}


def empezar(cliente: pulsar.Client, config: Config, carpeta: Path, segundos: float) -> None:
    """Deploys the canary, or another version of it; if it does not run, it is taken away."""
    suyo = canario(config)
    configs, nombre = {suyo["name"]: suyo}, suyo["name"]
    acciones = por_desplegar({config["name"]: config, **configs}, carpeta)
    if (funcion := acciones.pop(config["name"], None)) and funcion.verbo == "create":
        sys.exit(f"error: {config['name']} is not deployed: a canary works beside it. Run deploy.py")
    exigir_esquemas([suyo], carpeta)
    registros, antes = Registros([suyo]), mirar(configs)
    for accion in acciones.values():
        if accion.verbo == "create":
            _olvidar_paquetes(suyo)
        ejecutar([orden(accion.verbo, suyo, carpeta)], url_functions())[0].exigir()
        print(f"  {nombre}: {accion.verbo}d", flush=True)
    if rotas := vigilar(cliente, configs, antes if acciones else {}, registros, segundos):
        print(f"error: the canary does not run:\n{listadas(rotas)}", file=sys.stderr, flush=True)
        quitar(suyo)
        sys.exit(f"  {nombre} is removed; {config['name']} goes on, and has what it had taken")
    print(f"canary: {nombre} runs" if acciones else f"canary: {nombre} runs already, no changes")


def _olvidar_paquetes(suyo: Config) -> None:
    """Of a canary that was removed: in the broker's package service they stay, and another one is refused for them."""
    nombre = f"{TENANT}/{suyo['namespace']}/{suyo['name']}"
    versiones = api(url_admin()).intentar(f"/admin/v3/packages/function/{nombre}")
    if isinstance(versiones, list):  # a text, if there is no such service
        ordenes = [["packages", "delete", f"function://{nombre}@{version}"] for version in versiones]
        ejecutar(ordenes, url_admin())


def quitar(suyo: Config) -> None:
    """Removes a canary; what it had not acknowledged goes to the function's instances."""
    if de_funciones([suyo]) == [None]:
        sys.exit(f"error: there is no {suyo['name']}")
    ejecutar([["functions", "delete", *quien(suyo)]], url_functions())[0].exigir()
    print(f"  {suyo['name']}: removed", flush=True)


def exigir_igual(config: Config, carpeta: Path) -> None:
    """Ends the program if the canary is not what these sources would deploy."""
    suyo = canario(config)
    if accion := por_desplegar({suyo["name"]: suyo}, carpeta).get(suyo["name"]):
        que = "there is no canary" if accion.verbo == "create" else f"the canary differs: {', '.join(accion.campos)}"
        sys.exit(
            f"error: {que}. Only what was tried is promoted: run `deploy.py canary {config['name']}` with these "
            "sources, or promote with those that it was started with"
        )


def comparar(config: Config) -> None:
    """Prints what both have done since each was started."""
    ambas, columnas = [config, canario(config)], []
    for una, estado, cifras in zip(ambas, de_funciones(ambas, "/status"), de_funciones(ambas, "/stats"), strict=True):
        if estado is None or cifras is None:
            sys.exit(f"error: there is no {una['name']}")
        columnas.append([una["name"], *_celdas(estado, cifras)])
    for titulo, *celdas in zip(("", *TITULOS), *columnas, strict=True):
        print(f"{titulo:24}" + "".join(f"{celda:>32}" for celda in celdas))


TITULOS: Final = (
    "instances",
    "restarts",
    "messages",
    "exceptions",
    "quarantined",
    "duplicates",
    "database, broker away",
    "ms each",
)


def _celdas(estado: Any, cifras: Any) -> list[str]:
    """As TITULOS; of instances that run."""
    propias = [instancia["metrics"].get("userMetrics") or {} for instancia in cifras["instances"]]

    def suma(nombre: str) -> float:
        return float(sum(metricas.get(f"user_metric_{nombre}_sum", 0) for metricas in propias))

    mensajes, contadas = suma("batch_messages"), ("quarantined", "duplicates", "infrastructure_failures")
    return [
        f"{estado['numRunning']} of {estado['numInstances']}",
        str(sum(instancia["status"].get("numRestarts", 0) for instancia in estado["instances"])),
        f"{cifras['receivedTotal']:.0f}",
        f"{cifras['userExceptionsTotal'] + cifras['systemExceptionsTotal']:.0f}",
        *(f"{suma(nombre):.0f}" for nombre in contadas),
        f"{1000 * suma('transaction_seconds') / mensajes:.2f}" if mensajes else "-",
    ]
