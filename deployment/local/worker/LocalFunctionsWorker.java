import java.lang.reflect.Field;
import org.apache.pulsar.broker.authentication.AuthenticationService;
import org.apache.pulsar.common.configuration.PulsarConfigurationLoader;
import org.apache.pulsar.functions.worker.ErrorNotifier;
import org.apache.pulsar.functions.worker.PulsarWorkerService;
import org.apache.pulsar.functions.worker.WorkerConfig;
import org.apache.pulsar.functions.worker.rest.WorkerServer;
import org.eclipse.jetty.server.ServerConnector;

/** Pulsar's functions worker as a process of its own, without ZooKeeper and on the loopback interface only. */
public final class LocalFunctionsWorker {
    public static void main(String[] args) {
        try {
            run(WorkerConfig.load(args[0]));
        } catch (Throwable problem) {
            problem.printStackTrace();
        }
        // Pulsar's threads would keep a failed worker half alive.
        System.exit(1);
    }

    private static void run(WorkerConfig config) throws Exception {
        PulsarWorkerService service = new UpdatesPackages();
        AuthenticationService open = new AuthenticationService(PulsarConfigurationLoader.convertFrom(config));
        ErrorNotifier errors = ErrorNotifier.getDefaultImpl();
        // Upstream's FunctionWorkerStarter opens a DistributedLog here, which needs ZooKeeper, even though the
        // packages go to the broker's package service: no URI, no log.
        service.init(config, null, true);
        service.start(open, null, errors);
        WorkerServer server = new WorkerServer(service, open);
        bindToLoopback(server);
        server.start();
        new RetriesStarts(service.getFunctionRuntimeManager()).begin();
        Runtime.getRuntime().addShutdownHook(new Thread(() -> {
            server.stop();
            service.stop();
        }));
        errors.waitForError();
    }

    /** The worker has no setting for its address; it would listen on every interface, without authentication. */
    private static void bindToLoopback(WorkerServer server) throws ReflectiveOperationException {
        Field connector = WorkerServer.class.getDeclaredField("httpConnector");
        connector.setAccessible(true);
        ((ServerConnector) connector.get(server)).setHost("127.0.0.1");
    }
}
