"""Dead letters: a message that can't be processed, as it came, with what is wrong with it."""

import time
import traceback
from typing import Any

from functions.comun.codec import Publicacion
from functions.comun.mensajes import MensajeInvalido


def carta(crudo: Any, funcion: str, error: Exception, intentos: int) -> Publicacion:
    """The client's message `crudo` for the topic "<namespace>/<function>-dlq"; `dlq-time` in ms since 1970."""
    traza = "" if isinstance(error, MensajeInvalido) else "".join(traceback.format_exception(error))
    propiedades = {
        **crudo.properties(),
        "dlq-function": funcion,
        "dlq-topic": crudo.topic_name(),
        "dlq-message-id": str(crudo.message_id()),
        "dlq-schema-version": str(crudo.int_schema_version()),
        "dlq-reason": f"{type(error).__name__}: {error}"[:1000],
        "dlq-traceback": traza[-8000:],
        "dlq-attempts": str(intentos),
        "dlq-time": str(time.time_ns() // 1_000_000),
    }
    return Publicacion(f"{funcion}-dlq", crudo.partition_key(), crudo.data(), propiedades)
