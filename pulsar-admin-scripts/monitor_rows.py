"""What people look at: rows of topics, subscriptions, functions, dead letters."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Suscripcion:
    """`atraso` and the others are messages; a batch counts as one. Times in s since 1970-01-01 UTC, None if never."""

    topic: str
    nombre: str
    funcion: str | None = None
    presente: bool = False
    durable: bool = True
    atraso: int = 0
    para_luego: int = 0
    """Of `atraso`, not due yet."""
    edad: float | None = None
    """Since the oldest unacknowledged message was due, in s; None if there is none, or none is due."""
    sin_acuse: int = 0
    """Handed out, and not acknowledged yet."""
    reentregas: float = 0.0
    """Messages a second that consumers ask for again."""
    consumidores: int = 0
    ultimo_acuse: float | None = None
    """By a consumer that is still there."""
    ultimo_consumo: float | None = None


@dataclass(frozen=True, slots=True)
class Topic:
    """`mensajes`: published since the broker loaded the topic; rates in messages a second; `guardado` in bytes."""

    nombre: str
    suscripciones: tuple[Suscripcion, ...]
    esperado: bool
    presente: bool = False
    ilegible: str = ""
    entrada: float = 0.0
    salida: float = 0.0
    mensajes: int = 0
    guardado: int = 0

    @property
    def atraso(self) -> int:
        return max((suscripcion.atraso for suscripcion in self.suscripciones), default=0)

    @property
    def edad(self) -> float | None:
        return max((s.edad for s in self.suscripciones if s.edad is not None), default=None)


@dataclass(frozen=True, slots=True)
class Funcion:
    nombre: str
    esperada: bool
    instancias: int
    """As configured."""
    presente: bool = False
    ilegible: str = ""
    corriendo: int = 0
    reinicios: int = 0
    reinicios_nuevos: int = 0
    """Since the earlier look that this one is compared with."""
    procesados: int = 0
    excepciones: int = 0
    ultimo_error: str = ""
    ultima_invocacion: float | None = None


@dataclass(frozen=True, slots=True)
class Cuadro:
    """One look, in rows. `topics` without those of dead letters, `cartas`: only those."""

    hora: float
    topics: tuple[Topic, ...]
    cartas: tuple[Topic, ...]
    funciones: tuple[Funcion, ...]
    sin_worker: str = ""

    @property
    def suscripciones(self) -> tuple[Suscripcion, ...]:
        return tuple(suscripcion for topic in self.topics for suscripcion in topic.suscripciones)
