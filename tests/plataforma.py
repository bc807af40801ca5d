"""A whole platform for tests: free ports, a data folder of its own, gone at the end."""

import json
import os
import random
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from email.message import Message
from pathlib import Path
from typing import Any, TypeVar
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import psutil
import sqlalchemy as sa

RAIZ = Path(__file__).parents[1]
BASES = ("ordenes", "ordenes_lectura", "productos", "productos_lectura", "conductores", "saga")
PUERTOS = ("PULSAR_PORT", "PULSAR_HTTP_PORT", "BOOKIE_PORT", "FUNCTIONS_PORT", "POSTGRES_PORT", "BFF_PORT")
T = TypeVar("T")


def esperar(que: str, condicion: Callable[[], T], plazo: float = 30.0) -> T:
    """The first true value of `condicion`."""
    limite = time.monotonic() + plazo
    while not (valor := condicion()):
        assert time.monotonic() < limite, f"not within {plazo} s: {que}; last seen: {valor!r}"
        time.sleep(0.02)
    return valor


def libres(cuantos: int) -> list[int]:
    """Ports that nobody listens on, below those that the kernel gives to outgoing connections."""
    puertos: list[int] = []
    for puerto in random.sample(range(20_000, 32_000), 12_000):
        with socket.socket() as enchufe, suppress(OSError):
            enchufe.bind(("127.0.0.1", puerto))
            puertos.append(puerto)
        if len(puertos) == cuantos:
            break
    return puertos


class Plataforma:
    """Runs the commands that people run, in a data folder of its own. Ports are chosen once, free ones."""

    def __init__(self, data: Path) -> None:
        self.data = data
        puertos = dict(zip(PUERTOS, map(str, libres(len(PUERTOS))), strict=True))
        propias = ("PULSAR_", "DB_", "BFF_", "PLATFORM_")
        heredado = {clave: valor for clave, valor in os.environ.items() if not clave.startswith(propias)}
        self.entorno = heredado | puertos | {"PLATFORM_DATA": str(data)}
        self.service_url = f"pulsar://127.0.0.1:{puertos['PULSAR_PORT']}"
        self.admin_url = f"http://127.0.0.1:{puertos['PULSAR_HTTP_PORT']}"
        self.functions_url = f"http://127.0.0.1:{puertos['FUNCTIONS_PORT']}"
        self.bff_url = f"http://127.0.0.1:{puertos['BFF_PORT']}"
        self.puerto_postgres = int(puertos["POSTGRES_PORT"])

    def local(self, *argumentos: str) -> str:
        """python -m deployment.local …; its output, or an assertion with it."""
        return self._correr(sys.executable, "-m", "deployment.local", *argumentos)

    def con_entorno(self, *orden: str) -> str:
        """A command with the environment that `deployment.local run` gives."""
        return self.local("run", "--", *orden)

    def desplegar(self) -> str:
        """What `make deploy` does; what it printed."""
        ordenes = (
            ("-m", "deployment.databases"),
            ("pulsar-admin-scripts/provision.py",),
            ("pulsar-admin-scripts/deploy.py",),
        )
        return "".join(self.con_entorno(sys.executable, *orden) for orden in ordenes)

    def admin(self, *argumentos: str) -> str:
        """The real pulsar-admin."""
        return self._correr(str(self.data / "bin" / "pulsar-admin"), *argumentos)

    def clave(self, rol: str) -> str:
        claves: dict[str, str] = json.loads((self.data / "secrets.json").read_text())
        return claves[rol]

    def motor(self, base: str, rol: str = "postgres", clave: str | None = None) -> sa.Engine:
        """A connection pool to one database, the administrator's unless a role is named."""
        url = sa.URL.create("postgresql+pg8000", rol, clave or self.clave(rol), "127.0.0.1", self.puerto_postgres, base)
        return sa.create_engine(url, poolclass=sa.NullPool)

    def sql(self, base: str, consulta: str, **parametros: Any) -> list[tuple[Any, ...]]:
        with self.motor(base).begin() as conexion:
            resultado = conexion.execute(sa.text(consulta), parametros)
            return [tuple(fila) for fila in resultado] if resultado.returns_rows else []

    def vaciar(self) -> None:
        """Empties every table of the six databases."""
        for base in BASES:
            tablas = self.sql(base, "select tablename from pg_tables where schemaname = 'public'")
            nombres = ", ".join(nombre for (nombre,) in tablas if nombre != "alembic_version")
            self.sql(base, f"truncate {nombres}")

    def pedir(
        self, metodo: str, ruta: str, cuerpo: object = None, tipo: str = "application/json", **cabeceras: str
    ) -> tuple[int, Any, Message]:
        """Status, decoded JSON and headers of the BFF's answer. `cuerpo`: text as it is, or an object as JSON;
        `cabeceras` as Idempotency_Key="…".
        """
        texto = cuerpo if isinstance(cuerpo, str) else json.dumps(cuerpo)
        datos = None if cuerpo is None else texto.encode()
        dichas = {nombre.replace("_", "-"): valor for nombre, valor in cabeceras.items()}
        peticion = Request(self.bff_url + ruta, datos, {"Content-Type": tipo, **dichas}, method=metodo)
        try:
            with urlopen(peticion, timeout=30) as respuesta:
                return respuesta.status, json.load(respuesta), respuesta.headers
        except HTTPError as error:
            return error.code, json.load(error), error.headers

    def instancias(self, funcion: str) -> list[psutil.Process]:
        """The running instances of one of our functions."""
        paquete = f"{self.data}/functions-worker/download/"
        encontradas = []
        for proceso in psutil.process_iter(["cmdline"]):
            orden = " ".join(proceso.info["cmdline"] or ())
            if paquete in orden and f"/{funcion}/" in orden:
                encontradas.append(proceso)
        return encontradas

    def _correr(self, *orden: str) -> str:
        proceso = subprocess.run(
            orden, cwd=RAIZ, env=self.entorno, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=600
        )
        assert proceso.returncode == 0, f"{' '.join(orden)} ended with {proceso.returncode}:\n{proceso.stdout}"
        return proceso.stdout
