"""What the routes work with: the services that the application was created with, and how they answer."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol, TypeVar, cast

from flask import Response, current_app, g

from bff.access.shares import Shares
from bff.backends.read_models import ReadModels
from bff.backends.states import States
from bff.bodies import formats
from bff.following.followed import Followed
from bff.following.following import Following
from bff.following.followings import Followings
from functions.messages.ids import Id
from functions.messages.outgoing import Outgoing
from functions.telemetry.spans import Tracer

T = TypeVar("T")


class Publisher(Protocol):
    """Publishes commands, from any thread. backends.broker.Broker is one."""

    def publish(self, message: Outgoing) -> None:
        """Returns when the message is stored; raises BrokerUnavailable if that is not known."""

    def check(self) -> None:
        """Raises BrokerUnavailable if the broker does not answer."""


@dataclass(frozen=True, slots=True)
class Services:
    """What the routes need.

    Attributes:
      publisher: where commands go.
      read_models: where queries are answered from.
      max_cantidad: most units in one order.
      places: how many requests may wait for a saga, or follow one, at once.
      followings: follow what is waited for.
      states: whether the databases can be read.
      tracer: records spans; None records none.
    """

    publisher: Publisher
    read_models: ReadModels
    max_cantidad: int
    places: Shares
    followings: Followings
    states: States
    tracer: Tracer | None = None


def services() -> Services:
    """The services of the application that handles the current request."""
    return cast(Services, current_app.extensions["bff"])


def follow(following: Following[T], key: Id, *, at_once: bool) -> Followed[T]:
    """What has this id, followed for the current request's caller. Raises 429 or 503 if that is one too many; whoever
    gets it must `leave` it.
    """
    places, user = services().places, g.caller.name if g.caller else None
    places.take(user)
    return following.follow(key, at_once=at_once, on_leave=lambda: places.release(user))


def respond(data: object, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """An answer in the media type that the current request's Accept asks for."""
    return formats.response(data, g.media_type, status, headers)
