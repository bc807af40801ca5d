"""The ids of what a request asks for: random, or with an Idempotency-Key the same ones for each repetition.

Nothing is stored here: the ids are derived from the key, and the functions' receipts and natural keys let only the
first message with an id have effects.
"""

import json
import re
from collections.abc import Callable, Mapping
from typing import Any, Final
from uuid import UUID, uuid5

from flask import Request
from werkzeug.exceptions import BadRequest, UnprocessableEntity

from bff.access.tokens import Caller
from bff.bodies.texts import to_text
from functions.messages.ids import Id, new

_NAMESPACE: Final = UUID("0f5d5cf2-6d5b-4f0e-8f0a-3b6a0c1c9a57")
_KEY: Final = re.compile(r'"?([\x21\x23-\x7e]{1,255})"?', re.ASCII)


class Ids:
    """The ids derived from one request.

    Without an Idempotency-Key they are random. With one they are UUIDs of version 5 of the method, the path, the key
    and the caller: another caller, or another operation, may use the same key for something else.

    Parameters:
      request: the request; 400 if it has an Idempotency-Key that can't be one.
      caller: who sends it; None if the API asks for no tokens.
    """

    def __init__(self, request: Request, caller: Caller | None) -> None:
        header = request.headers.get("Idempotency-Key")
        self._namespace = None if header is None else _namespace(request, header, caller)

    def new(self, what: str) -> Id:
        """The id of one thing that the request creates. `what` tells it from the request's other ids."""
        return new() if self._namespace is None else Id(str(uuid5(self._namespace, what)))

    def message(self, fields: Mapping[str, Any]) -> Id:
        """The command's id, which depends on the body too.

        The same body again is the same message, so that its receipt lets it pass. Another body under the same key is
        another message, about something that exists by then: the function refuses it.
        """
        return new() if self._namespace is None else self.new(json.dumps(fields, default=to_text, sort_keys=True))

    def require_same(
        self, find: Callable[[Id], Mapping[str, Any] | None], created_id: Id, fields: Mapping[str, Any]
    ) -> bool:
        """Whether the key was used for the same thing before. Raises 422 if it was used for something else.

        `find` reads what was created under `created_id`, and `fields` are what the request asks for. What the read
        model does not show, or not yet, is not noticed.
        """
        created = None if self._namespace is None else find(created_id)
        if created is None:
            return False
        differing = [name for name, value in fields.items() if created.get(name, value) != value]
        if differing:
            raise UnprocessableEntity(
                f"this Idempotency-Key was used for a request with another {', '.join(differing)}: "
                "nothing was done; use a new key for a new request"
            )
        return True


def _namespace(request: Request, header: str, caller: Caller | None) -> UUID:
    match = _KEY.fullmatch(header)
    if match is None:
        raise BadRequest("Idempotency-Key must be 1 to 255 visible ASCII characters without spaces, such as a UUID")
    caller_suffix = "" if caller is None else f"\n{caller.name}"
    return uuid5(_NAMESPACE, f"{request.method} {request.path.rstrip('/')}\n{match[1]}{caller_suffix}")
