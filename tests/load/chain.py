"""An order that goes well, without platform: the real decisions about it, and what they have sent and stored."""

import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Final, TypeVar
from uuid import NAMESPACE_OID, uuid5

import yaml

from functions.conductores import decisions as conductores
from functions.conductores.states import ASIGNADO, Changes
from functions.engine.batch import Outputs, add_to_last
from functions.engine.handler import BATCH_SIZE
from functions.messages import trace
from functions.messages.envelope import now
from functions.messages.ids import Id, derived, new, parse
from functions.messages.outgoing import Outgoing, to_outgoing
from functions.messages.payloads import (
    ComandoAsignarConductor,
    ComandoCrearOrden,
    ComandoDisminuirStock,
    ComandoMarcarListoDespacho,
    ComandoVerificarOrden,
    Conductor,
    EventoConductor,
    Payload,
)
from functions.ordenes import decisions as ordenes
from functions.ordenes.deadlines import merge_checks, plazos
from functions.ordenes.states import Orden
from functions.productos import decisions as productos
from functions.productos.movimientos import Producto, gather
from tests.load import seeding
from tests.support.platform import ROOT

TRANSACTION_ID: Final = parse(str(uuid5(NAMESPACE_OID, "techo")))
IDS_PRODUCTO: Final = [derived(TRANSACTION_ID, str(number)) for number in range(seeding.PRODUCTOS)]
DIRECCION_ENTREGA: Final = "Calle 45 # 13-40, techo"
"""Of these orders only: that is how they are found afterwards."""
PLAZOS: Final = plazos(yaml.safe_load((ROOT / "deployment/functions/crear-orden.yaml").read_text())["userConfig"])
D = TypeVar("D", bound=Payload)


@dataclass(frozen=True, slots=True)
class Chain:
    """The commands in their order, and each state that is stored."""

    comandos: tuple[ComandoCrearOrden, ComandoDisminuirStock, ComandoAsignarConductor, ComandoMarcarListoDespacho]
    verificar: ComandoVerificarOrden
    creada: Orden
    iniciada: Orden
    reduced: Producto
    reserva: productos.Reserva
    asignacion: conductores.Asignacion
    conductor: Conductor

    def outputs(self) -> dict[tuple[str, str], tuple[Payload, ...]]:
        """What each sender, of a service, says."""
        crear, disminuir, asignar, marcar = self.comandos
        return {
            ("bff", "bff"): (crear,),
            ("ordenes", "crear-orden"): (disminuir, self.creada, self.verificar),
            ("productos", "disminuir-stock"): (asignar, self.reduced),
            ("conductores", "asignar-conductor"): (
                marcar,
                EventoConductor(self.conductor.id_conductor, [self.conductor]),
            ),
            ("ordenes", "marcar-listo-despacho"): (self.iniciada,),
        }

    def outgoing_messages(self) -> dict[str, list[Outgoing]]:
        """By sender."""
        return {function: _publish(service, messages) for (service, function), messages in self.outputs().items()}


def initial_productos() -> dict[Id, Producto]:
    """The products, before any order."""
    moment = now()
    return {
        i: Producto(i, f"Producto {number}", seeding.STOCK, moment, moment, False, 1)
        for number, i in enumerate(IDS_PRODUCTO)
    }


def make_chains(count: int) -> Iterator[Chain]:
    """One after the other, of all products in turn."""
    estados = initial_productos()
    for number in range(count):
        one = _one(estados[IDS_PRODUCTO[number % len(IDS_PRODUCTO)]], number)
        estados[one.reduced.id_producto] = one.reduced
        yield one


def _one(producto: Producto, number: int) -> Chain:
    client, moment = f"cliente-{number % 1000}", now()
    crear = ComandoCrearOrden(new(), producto.id_producto, client, moment, 1, DIRECCION_ENTREGA, TRANSACTION_ID)
    creada, outputs = ordenes.crear(None, crear, moment, PLAZOS)
    disminuir = _pick(ComandoDisminuirStock, outputs)
    reduced, reserva, stock_requests = productos.disminuir(producto, None, disminuir, moment)
    assert reduced is not None
    assert reserva is not None
    asignar = _pick(ComandoAsignarConductor, stock_requests)
    libre = new()
    asignacion, conductor_requests = conductores.asignar(None, libre, asignar, moment)
    assert asignacion is not None
    conductor = Conductor(libre, "Ana", ASIGNADO, asignar.id_orden, moment, 2)
    marcar = _pick(ComandoMarcarListoDespacho, conductor_requests)
    iniciada, _ = ordenes.marcar_listo(creada, marcar, moment)
    comandos = (crear, disminuir, asignar, marcar)
    verificar = _pick(ComandoVerificarOrden, outputs)
    return Chain(comandos, verificar, creada, iniciada, reduced, reserva, asignacion, conductor)


def _pick(payload_type: type[D], payloads: Iterable[Payload]) -> D:
    return next(payload for payload in payloads if isinstance(payload, payload_type))


def outgoing_by_topic(sample: Sequence[Chain]) -> dict[str, list[Outgoing]]:
    """All that these orders lead to, in full batches: what functions say once for a whole batch is there once."""
    ordered: dict[str, list[Outgoing]] = {}
    for since in range(0, len(sample), BATCH_SIZE):
        for (service, _), lists in _batch_outputs(sample[since : since + BATCH_SIZE]).items():
            for outgoing in _publish(service, list(chain(*lists))):
                ordered.setdefault(outgoing.topic, []).append(outgoing)
    return ordered


def _batch_outputs(batch: Sequence[Chain]) -> dict[tuple[str, str], Outputs]:
    messages: dict[tuple[str, str], Outputs] = {}
    for one in batch:
        for who, payload in one.outputs().items():
            messages.setdefault(who, []).append(list(payload))
    crear, disminuir = ("ordenes", "crear-orden"), ("productos", "disminuir-stock")
    asignar, changes = ("conductores", "asignar-conductor"), Changes(now())
    changes.put([one.conductor for one in batch])
    marked = [[one for one in group if not isinstance(one, EventoConductor)] for group in messages[asignar]]
    return messages | {
        asignar: add_to_last(marked, changes.events()),
        crear: merge_checks(messages[crear]),
        disminuir: gather(messages[disminuir]),
    }


def _publish(service: str, messages: Sequence[Payload]) -> list[Outgoing]:
    span, ingestion = trace.new(), time.time_ns() // 1_000_000
    return [to_outgoing(new(), ingestion, service, payload, span) for payload in messages]
