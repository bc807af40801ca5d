"""Applies a plan: creates or updates what differs, waits until it really runs, and puts it back if it does not."""

import shutil
import sys
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NoReturn

import pulsar
from admin import ejecutar, url_functions
from deploy_history import Historia
from deploy_logs import Registros
from deploy_look import Vista, mirar
from deploy_plan import Accion, exigir_esquemas, orden, por_desplegar
from deploy_watch import listadas, vigilar

Configs = Mapping[str, dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Modo:
    """How to apply. `accion`: for the record; `segundos`: how long what runs is watched at least."""

    accion: str
    segundos: float = 0
    de_una_en_una: bool = False
    volver: bool = True


@dataclass(slots=True)
class Aplicacion:
    """`carpeta` has the packages, `commits` what each was made from. `hechas`: what was changed until now."""

    cliente: pulsar.Client
    configs: Configs
    commits: Mapping[str, str]
    carpeta: Path
    modo: Modo
    hechas: dict[str, Accion] = field(default_factory=dict)

    def aplicar(self) -> int:
        """The number of changes. Ends the program if what was deployed, or what was there, does not run."""
        acciones = por_desplegar(self.configs, self.carpeta)
        iguales = {nombre: config for nombre, config in self.configs.items() if nombre not in acciones}
        registros = Registros(self.configs.values())
        numero = self._cambiar(acciones, registros) if acciones else None
        if rotas := vigilar(self.cliente, iguales, {}, registros, 0):
            sys.exit(f"error: not running, and not changed by this:\n{listadas(rotas)}")
        print(f"deployed: {len(acciones)} changes, version {numero}" if acciones else "deployed: no changes")
        return len(acciones)

    @property
    def _previas(self) -> Path:
        """The folder with the packages that were deployed before."""
        return self.carpeta / "previous"

    def _cambiar(self, acciones: Mapping[str, Accion], registros: Registros) -> int:
        """The number that this deployment has on record."""
        cambian = {nombre: self.configs[nombre] for nombre in acciones}
        with ThreadPoolExecutor() as hilos:
            vistas = hilos.submit(
                mirar, {n: cambian[n] for n, accion in acciones.items() if accion.anterior is not None}
            )
            exigir_esquemas(cambian.values(), self.carpeta)
        antes = dict.fromkeys(cambian, Vista()) | vistas.result()
        self._previas.mkdir()
        for nombre, accion in acciones.items():
            if accion.anterior is not None:
                shutil.copy(self.carpeta / f"{nombre}.deployed", self._previas / f"{nombre}.zip")
        with Historia(self.cliente) as historia:
            self._anotar_lo_que_hay(historia, acciones)
            print(f"deploying {len(acciones)} functions: {', '.join(acciones)} …", flush=True)
            lotes = [[nombre] for nombre in acciones] if self.modo.de_una_en_una else [list(acciones)]
            for lote in lotes:
                if rotas := self._lote({n: acciones[n] for n in lote}, {n: antes[n] for n in lote}, registros):
                    self._fracasar(historia, rotas, registros)
            numero = self._anotar(historia, {})
            historia.podar()
        return numero

    def _lote(self, acciones: Mapping[str, Accion], antes: Mapping[str, Vista], registros: Registros) -> dict[str, str]:
        """What is wrong, if these functions don't run afterwards."""
        configs = {nombre: self.configs[nombre] for nombre in acciones}
        ordenes = [orden(accion.verbo, configs[nombre], self.carpeta) for nombre, accion in acciones.items()]
        rotas = {}
        for (nombre, accion), respuesta in zip(acciones.items(), ejecutar(ordenes, url_functions()), strict=True):
            if respuesta.fallo is not None:
                rotas[nombre] = f"pulsar-admin {respuesta.orden}\n    {respuesta.texto.strip()}"
                continue
            self.hechas[nombre] = accion
            print(f"  {nombre}: {accion.verbo}d", flush=True)
        if rotas:
            return rotas
        with ThreadPoolExecutor() as hilos:
            distintas = hilos.submit(por_desplegar, configs, self.carpeta)
            rotas = vigilar(self.cliente, configs, antes, registros, self.modo.segundos)
        if distintas.result():
            sys.exit(
                f"error: the functions worker says that it deployed {', '.join(distintas.result())}, and has something "
                "else.\n  With functionsWorkerEnablePackageManagement=true Pulsar ignores the package of `functions "
                "update`:\n  set it to false, or delete these functions (subscriptions stay, nothing is lost) and run "
                "this again."
            )
        return rotas

    def _fracasar(self, historia: Historia, rotas: Mapping[str, str], registros: Registros) -> NoReturn:
        print(f"error: the new versions do not run:\n{listadas(rotas)}", file=sys.stderr, flush=True)
        viejas = {n: dict(a.anterior) for n, a in self.hechas.items() if a.anterior is not None and self.modo.volver}
        juntas = dict.fromkeys(viejas, f"put back, as {', '.join(rotas)} did not run")
        self._anotar(historia, juntas | dict(rotas))
        mal = self._volver(viejas, registros) if viejas else {}
        nuevas = [nombre for nombre in self.hechas if nombre not in viejas]
        frases = []
        if viejas and not mal:
            frases.append(f"the versions before are back, and run: {', '.join(viejas)}")
        if mal:
            frases.append(f"the versions before do not run either:\n{listadas(mal)}")
        if nuevas:
            frases.append(f"left as they are: {', '.join(nuevas)}")
        frases.append("messages wait in their subscriptions; what was quarantined: dlq.py list, dlq.py redrive")
        sys.exit("\n".join(f"  {frase}" for frase in frases))

    def _volver(self, viejas: Configs, registros: Registros) -> dict[str, str]:
        """What is wrong with those that were there before, after they were put back."""
        print(f"  putting back {', '.join(viejas)} …", flush=True)
        antes = mirar(viejas)
        ordenes = [orden("update", config, self._previas) for config in viejas.values()]
        respuestas = zip(viejas, ejecutar(ordenes, url_functions()), strict=True)
        mal = {nombre: respuesta.texto.strip() for nombre, respuesta in respuestas if respuesta.fallo is not None}
        return mal or vigilar(self.cliente, viejas, antes, registros, 0)

    def _anotar(self, historia: Historia, fallos: Mapping[str, str]) -> int:
        que = {nombre: (self.configs[nombre], (self.carpeta / f"{nombre}.zip").read_bytes()) for nombre in self.hechas}
        return historia.anotar(self.modo.accion, self.commits, fallos, que)

    def _anotar_lo_que_hay(self, historia: Historia, acciones: Mapping[str, Accion]) -> None:
        """So that one can go back to it, however it was deployed."""
        hay = {nombre: accion.anterior for nombre, accion in acciones.items() if accion.anterior is not None}
        que = {
            nombre: (config, (self._previas / f"{nombre}.zip").read_bytes())
            for nombre, config in hay.items()
            if historia.falta(nombre, config)
        }
        if que:
            historia.anotar("found", {}, {}, que)
