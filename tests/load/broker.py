"""What the benchmark asks the broker's and the functions worker's admin API."""

import json
from typing import Any, Final
from urllib.request import Request, urlopen

from tests.chaos.deliveries import TENANT, topics
from tests.support.platform import Platform, wait_for

PREFIX: Final = f"persistent://{TENANT}/"
TIMEOUT: Final = ("ordenes/comando-verificar-orden", "verificar-orden")
"""Topic and subscription of what comes two minutes after each order."""
DELAYED: Final = (TIMEOUT, ("conductores/comando-revisar-espera", "revisar-espera"))
"""Those of all that comes later."""


def request(url: str, method: str = "GET", body: object = None) -> Any:
    """The decoded answer; `body` is sent as JSON."""
    data = None if body is None else json.dumps(body).encode()
    http_request = Request(url, data, {"Content-Type": "application/json"}, method=method)
    with urlopen(http_request, timeout=30) as response:
        raw = response.read()
    return json.loads(raw) if raw else None


def stop(platform: Platform, *functions: str) -> None:
    """Returns when no instance of the functions "<namespace>/<name>" runs any more."""
    for function in functions:
        request(f"{platform.functions_url}/admin/v3/functions/{TENANT}/{function}/stop", "POST")
    names = [function.partition("/")[2] for function in functions]
    wait_for(f"the end of {names}", lambda: not any(map(platform.instances, names)))


def start(platform: Platform, *functions: str) -> None:
    """Returns at once."""
    for function in functions:
        request(f"{platform.functions_url}/admin/v3/functions/{TENANT}/{function}/start", "POST")


def pending(platform: Platform) -> dict[tuple[str, str], int]:
    """Unacknowledged messages by topic and subscription, of functions only, those for later included."""
    return {
        (topic.removeprefix(PREFIX), name): figures["msgBacklog"]
        for topic, data in topics(platform).items()
        if not topic.endswith("-dlq")
        for name, figures in data["subscriptions"].items()
        if figures["msgBacklog"]
    }


def pending_checks(platform: Platform) -> int:
    """Orders whose check is still to come, in one cheap question."""
    topic, subscription = TIMEOUT
    data = request(f"{platform.admin_url}/admin/v2/persistent/{TENANT}/{topic}/stats")
    return int(data["subscriptions"][subscription]["msgBacklog"])


def stored_bytes(platform: Platform) -> int:
    """Bytes that all topics take."""
    return sum(int(data["storageSize"]) for data in topics(platform).values())


def quiesce(platform: Platform) -> None:
    """Waits until nothing is left to do; what is to come later is thrown away. For orders that have ended it does
    nothing, and in the next measurement it would be the work of others.
    """
    wait_for("a quiet broker", lambda: not set(pending(platform)) - set(DELAYED))
    for topic, subscription in DELAYED:
        url = f"{platform.admin_url}/admin/v2/persistent/{TENANT}/{topic}/subscription/{subscription}/skip_all"
        request(url, "POST")
