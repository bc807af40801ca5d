"""Makes a story of a seed."""

import random
from typing import Final

from deployment.databases.names import DATABASES
from tests.simulation.clock import HOUR, MINUTE, SECOND
from tests.simulation.steps import DEATH, FAILURE
from tests.simulation.story import MARGIN, Event, Orders, Story

FUNCTIONS: Final = (
    "crear-orden",
    "disminuir-stock",
    "asignar-conductor",
    "marcar-listo-despacho",
    "revertir-orden-creada",
    "revertir-disminuir-stock",
    "liberar-conductor",
    "verificar-orden",
    "proyectar-orden",
    "proyectar-producto",
    "registrar-saga",
)
ON_THE_WAY: Final = (
    "ordenes",
    "productos",
    "conductores",
    "broker",
    "disminuir-stock",
    "asignar-conductor",
    "marcar-listo-despacho",
)
"""What an order can't do without."""
HOSTS: Final = ("bff", "broker", *DATABASES, "functions-0", "functions-1")
"""Each has a clock. Instance n of a function is on host functions-<n>."""
SKIPPABLE: Final = ("disminuir-stock", "asignar-conductor", "marcar-listo-despacho")
"""What an operator may skip by mistake: the order's deadlines bring it again."""
GARBAGE_TOPICS: Final = ("ordenes/comando-crear-orden", "productos/comando-disminuir-stock", "ordenes/evento-orden")


def story(seed: int, may_be_big: bool = True) -> Story:
    """The story of a seed: short and full of faults, or, one in five if it may be, long and with many orders."""
    rng = random.Random(seed)
    is_big = rng.random() < 0.2 and may_be_big
    hours = rng.uniform(10, 50) if is_big else rng.uniform(0.5, 8)
    length = round(hours * HOUR)
    bursts = rng.randint(8, 20) if is_big else rng.randint(1, 8)
    size = 500 if is_big else 40
    orders = tuple(Orders(rng.randrange(length), rng.randint(1, size)) for _ in range(bursts))
    is_skewed = rng.random() < 0.6
    offsets = {host: round(rng.uniform(-5, 5) * MINUTE) if is_skewed and rng.random() < 0.5 else 0 for host in HOSTS}
    give_up = round(rng.choice([24, 24, 2, 0.5]) * HOUR)
    events = [_event(rng, length) for _ in range(rng.randint(0, 12))]
    if rng.random() < 0.7:
        events += [_outage(rng, orders, give_up) for _ in range(rng.randint(1, 2))]
    if rng.random() < 0.15:
        outage = _hopeless_outage(rng, length, give_up)
        ends = outage.at + outage.length
        orders += (
            Orders(outage.at + rng.randint(3, 300) * SECOND, rng.randint(1, size)),
            Orders(ends - round(rng.random() * 0.4 * give_up), rng.randint(1, size)),
        )
        events.append(outage)
    is_scarce = rng.random() < 0.3
    stock, drivers = (rng.choice([100, rng.randint(0, 90)]) if is_scarce else 100 for _ in range(2))
    if stock < 100 and rng.random() < 0.3:
        events.append(Event(rng.randrange(length), "deletion"))
    return Story(seed, give_up, stock, drivers, offsets, orders, tuple(events))


def _outage(rng: random.Random, orders: tuple[Orders, ...], give_up: int) -> Event:
    """It begins before, or while, some orders are on their way; three in ten outlast an order's patience."""
    target = rng.choice(ON_THE_WAY if rng.random() < 0.5 else (*DATABASES, "broker", *FUNCTIONS))
    earlier = rng.choice([0, 0, 0.2 * give_up])
    at = max(0, rng.choice(orders).at + rng.randrange(2 * SECOND) - SECOND - round(rng.random() * earlier))
    shortest, longest = (1.1, 3) if rng.random() < 0.4 else (0.01, 0.5)
    return Event(at, "outage", target, round(rng.uniform(shortest, longest) * give_up))


def _hopeless_outage(rng: random.Random, length: int, give_up: int) -> Event:
    """Orders that come soon after it began are given up before it ends; those that come before its end are not."""
    target = rng.choice(["productos", "conductores"])
    return Event(rng.randrange(length), "outage", target, give_up + MARGIN + round(rng.uniform(0.2, 2) * give_up))


def _event(rng: random.Random, length: int) -> Event:
    at, function = rng.randrange(length), rng.choice(FUNCTIONS)
    match rng.randrange(14):
        case 0 | 1 | 2:
            return Event(at, DEATH, function, count=_step(rng))
        case 3 | 4:
            return Event(at, FAILURE, function, count=_step(rng))
        case 5:
            return Event(at, "lost acks", function, count=rng.randint(1, 3))
        case 6:
            return Event(at, "unconfirmed", function, count=rng.randint(1, 3))
        case 7:
            return Event(at, "stored twice", function, count=rng.randint(1, 3))
        case 8:
            return Event(at, "shuffle", function, round(rng.uniform(1, 120) * MINUTE))
        case 9:
            return Event(at, "second instance", function, round(rng.uniform(1, 120) * MINUTE))
        case 10:
            return Event(at, "restart", function)
        case 11:
            return Event(at, "skip", rng.choice(SKIPPABLE))
        case 12 if rng.random() < 0.3:
            return Event(at, "suspension", length=round(rng.uniform(0.5, 30) * HOUR))
        case 12:
            return Event(at, rng.choice(["garbage", "redrive", "discard"]), rng.choice(GARBAGE_TOPICS))
        case _:
            return Event(at, "clock", rng.choice(HOSTS), round(rng.uniform(-180, 180) * SECOND))


def _step(rng: random.Random) -> int:
    return rng.randint(1, 12) if rng.random() < 0.8 else rng.randint(1, 500)
