"""Runs one instance of a Python function: started by Pulsar's functions worker, ended by a signal."""

import os
import sys
import threading
import time
import traceback
from argparse import Namespace
from queue import Empty, SimpleQueue
from signal import SIGHUP, SIGINT, SIGKILL, SIGTERM, signal
from types import FrameType
from typing import NoReturn

import instance_args
import instance_package
import log
from instance_runtime import Runtime

MINUTE = 60.0
PATIENCE = 8.0  # seconds from the signal to the end; the worker kills after 10
MISSED = 3  # health checks; then nobody is there who would stop this instance, or who has not begun another

# What ends the instance: a signal's number, or what ended the processing thread.
Ends = SimpleQueue[int | BaseException]  # unlike other queues it may be filled from a signal handler


def main() -> None:
    args = instance_args.parse(sys.argv[1:])
    start_log(args)
    ends: Ends = SimpleQueue()
    try:
        instance_package.unpack(args)
        runtime = Runtime(args, ends.put)
        runtime.start()
    except BaseException:
        fail("The instance could not start")

    def interrupted(number: int, frame: FrameType | None) -> None:
        ends.put(number)

    # Not earlier: before this a signal may end the process at once, wherever it waits.
    for number in (SIGTERM, SIGHUP, SIGINT):
        signal(number, interrupted)
    end = wait(ends, runtime, args.expected_healthcheck_interval)
    if isinstance(end, BaseException):
        fail("The processing thread ended; so does the instance, for the worker to start another", end)
    stop(runtime, end)


def start_log(args: Namespace) -> None:
    details = args.details
    folder = os.path.join(args.logging_directory, details.tenant, details.namespace, details.name)
    path = os.path.join(folder, f"{args.logging_file}-{args.instance_id}.log")
    log.init_logger(args.logging_level, path, args.logging_config_file)
    # Not all arguments: they hold credentials.
    log.Log.info("Starting instance %s of %s/%s/%s, version %s, id %s, package %s, ports %s and %s",
                 args.instance_id, details.tenant, details.namespace, details.name, args.function_version,
                 args.function_id, args.py, args.port, args.metrics_port)  # fmt: skip


def wait(ends: Ends, runtime: Runtime, interval: int) -> int | BaseException:
    """Sleep until something ends the instance; begin the minute's figures anew, and miss the worker."""
    now = runtime.control.last_check = time.monotonic()
    minute, health = now + MINUTE, now + interval
    while True:
        if now >= minute:
            runtime.stats.new_minute()
            minute += MINUTE
        if interval > 0 and now >= health:
            if now - runtime.control.last_check > interval * MISSED:
                log.Log.critical("No health check for %d x %d s: the worker is gone", MISSED, interval)
                os.kill(os.getpid(), SIGKILL)
            health += interval
        try:
            return ends.get(timeout=max(0.0, (min(minute, health) if interval > 0 else minute) - now))
        except Empty:
            now = time.monotonic()


def stop(runtime: Runtime, number: int) -> NoReturn:
    """End with 0; but don't wait for ever for a function, for its threads, or for a broker that is away."""
    log.Log.info("Interrupted by %d, shutting down", number)
    guard = threading.Timer(PATIENCE, fail, [f"Not ended {PATIENCE} s after the signal: leaving"])
    guard.daemon = True
    guard.start()
    runtime.stop()
    log.Log.info("Closed")
    sys.exit(0)


def fail(why: str, error: BaseException | None = None) -> NoReturn:
    """Say it in the log file and on the real stderr, which is the worker's; then end with 1."""
    error = error or sys.exception()
    log.Log.critical(why, exc_info=error)
    print(why, file=sys.__stderr__)
    if error:
        traceback.print_exception(error, file=sys.__stderr__)
    os._exit(1)  # not sys.exit: this may be any thread, and others may hang


if __name__ == "__main__":
    main()
