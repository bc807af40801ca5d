"""The gRPC service InstanceControl: the worker asks for health, status and metrics."""

import time
from concurrent import futures
from typing import Any

import grpc

from instance_stats import Failures, Stats
from instance_stubs import InstanceCommunication_pb2 as messages
from instance_stubs import InstanceCommunication_pb2_grpc as service


class InstanceControl(service.InstanceControlServicer):  # type: ignore[misc]  # generated, without types
    """Answers from the figures; remembers when the worker last asked for health. `running`: it consumes."""

    def __init__(self, stats: Stats, instance_id: str) -> None:
        self._stats = stats
        self._instance_id = instance_id
        self.running = False
        self.last_check = time.monotonic()

    def HealthCheck(self, request: Any, context: Any) -> Any:
        self.last_check = time.monotonic()
        return messages.HealthCheckResult(success=True)

    def GetFunctionStatus(self, request: Any, context: Any) -> Any:
        stats, total = self._stats, self._stats.total
        return messages.FunctionStatus(
            running=self.running,
            instanceId=self._instance_id,
            numReceived=total.received,
            numSuccessfullyProcessed=total.processed_successfully,
            numUserExceptions=total.user_exceptions,
            latestUserExceptions=_latest(stats.user_failures),
            numSystemExceptions=total.system_exceptions,
            latestSystemExceptions=_latest(stats.system_failures),
            averageLatency=total.average_latency,
            lastInvocationTime=int(stats.last_invocation),
        )

    def GetMetrics(self, request: Any, context: Any) -> Any:
        stats, total, minute = self._stats, self._stats.total, self._stats.minute
        return messages.MetricsData(
            receivedTotal=total.received,
            receivedTotal_1min=minute.received,
            processedSuccessfullyTotal=total.processed_successfully,
            processedSuccessfullyTotal_1min=minute.processed_successfully,
            systemExceptionsTotal=total.system_exceptions,
            systemExceptionsTotal_1min=minute.system_exceptions,
            userExceptionsTotal=total.user_exceptions,
            userExceptionsTotal_1min=minute.user_exceptions,
            avgProcessLatency=total.average_latency,
            avgProcessLatency_1min=minute.average_latency,
            lastInvocation=int(stats.last_invocation),
            userMetrics=stats.user_figures(),
        )

    def ResetMetrics(self, request: Any, context: Any) -> Any:
        self._stats.new_minute()
        self._stats.reset_user_metrics()
        return request

    def GetAndResetMetrics(self, request: Any, context: Any) -> Any:
        data = self.GetMetrics(request, context)
        self.ResetMetrics(request, context)
        return data


def serve(port: int, control: InstanceControl) -> Any:
    """Listen on loopback, where the worker connects. A port in use is an error, not shared."""
    server = grpc.server(futures.ThreadPoolExecutor(max_workers=2), options=[("grpc.so_reuseport", 0)])
    service.add_InstanceControlServicer_to_server(control, server)
    server.add_insecure_port(f"127.0.0.1:{port}")
    server.start()
    return server


def _latest(failures: Failures) -> list[Any]:
    information = messages.FunctionStatus.ExceptionInformation
    return [information(exceptionString=text, msSinceEpoch=ms) for text, ms in list(failures.latest)]
