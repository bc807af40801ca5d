"""What a function's configuration says that it publishes (PUBLICA, for the catalogue) is what it publishes."""

from functions.comun.codec import desempaquetar
from functions.comun.ids import nuevo
from functions.comun.mensajes import EliminarProducto, RegistrarConductor
from tests import motores
from tests.datos import un_producto, una_orden
from tests.mundo import FUNCIONES, Mundo
from tests.plataforma import Plataforma


def publicado(postgres: Plataforma, nombre: str) -> set[str]:
    """The topics in a function's receipts; a function without a table of receipts publishes nothing."""
    base = motores.configuracion(nombre)["userConfig"]["DB_NAME"]
    if not postgres.sql(base, "select 1 from pg_tables where tablename = 'recibos'"):
        return set()
    filas = postgres.sql(base, "select salidas from recibos where funcion = :f", f=nombre)
    return {salida.topic for (salidas,) in filas for salida in desempaquetar(bytes(salidas))}


def test_sagas_of_every_kind_publish_what_is_declared_and_nothing_else(postgres: Plataforma, mundo: Mundo) -> None:
    mundo.vaciar()
    hay, no_hay = un_producto(), un_producto(stock=0)
    mundo.broker.enviar(hay, no_hay, RegistrarConductor(nuevo(), None))
    mundo.correr()
    # one that goes well, one without a driver, one without stock; then one that is given up
    mundo.broker.enviar(*(una_orden(id_producto=p.id_producto) for p in (hay, hay, no_hay)))
    mundo.correr()
    mundo.broker.enviar(una_orden(id_producto=hay.id_producto), EliminarProducto(no_hay.id_producto))
    mundo.correr(sin=["disminuir-stock"])
    mundo.correr()
    declarado = {nombre: set(motores.configuracion(nombre)["userConfig"].get("PUBLICA", ())) for nombre in FUNCIONES}
    assert {nombre: publicado(postgres, nombre) for nombre in FUNCIONES} == declarado
