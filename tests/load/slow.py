"""Connections that send, or read, a byte a second."""

import asyncio
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

from tests.load import requests

Address = tuple[str, int]


@contextmanager
def slow_connections(address: Address, count: int) -> Iterator[None]:
    """Opens them, and keeps them busy in a thread of their own."""
    loop = asyncio.new_event_loop()
    tasks: list[asyncio.Task[None]] = []

    async def run() -> None:
        tasks.extend(loop.create_task(_slow_connection(address, number % 2 == 0)) for number in range(count))
        await asyncio.gather(*tasks, return_exceptions=True)

    with ThreadPoolExecutor(1) as executor:
        done = executor.submit(loop.run_until_complete, run())
        time.sleep(2 if count else 0)
        yield
        loop.call_soon_threadsafe(lambda: [task.cancel() for task in tasks])
        done.result(60)
    loop.close()


async def _slow_connection(address: Address, sends: bool) -> None:
    """Comes again whenever it is cut off."""
    while True:
        reader, writer = await asyncio.open_connection(*address, limit=1)
        try:
            if sends:
                writer.write(requests.request("POST", "/orders", Content_Type=requests.JSON, Content_Length="400"))
            else:
                writer.write(requests.request("GET", "/openapi.json"))
            while not reader.at_eof():
                await asyncio.sleep(1)
                if sends:
                    writer.write(b" ")
                    await writer.drain()
                elif not await reader.read(1):
                    break
        except ConnectionError:
            pass
        finally:
            writer.close()
