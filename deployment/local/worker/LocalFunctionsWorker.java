import java.lang.reflect.Field;
import org.apache.pulsar.broker.ServiceConfiguration;
import org.apache.pulsar.broker.authentication.AuthenticationService;
import org.apache.pulsar.broker.authorization.AuthorizationService;
import org.apache.pulsar.broker.resources.PulsarResources;
import org.apache.pulsar.common.configuration.PulsarConfigurationLoader;
import org.apache.pulsar.functions.worker.ErrorNotifier;
import org.apache.pulsar.functions.worker.PulsarWorkerService;
import org.apache.pulsar.functions.worker.WorkerConfig;
import org.apache.pulsar.functions.worker.rest.WorkerServer;
import org.eclipse.jetty.server.ServerConnector;

/** Pulsar's functions worker as a process of its own, which listens on its own address only, and needs no ZooKeeper. */
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
        ServiceConfiguration security = PulsarConfigurationLoader.convertFrom(config);
        security.setClusterName(config.getPulsarFunctionsCluster());
        AuthenticationService authentication = new AuthenticationService(security);
        ErrorNotifier errors = ErrorNotifier.getDefaultImpl();
        if (config.getConfigurationMetadataStoreUrl() == null) {
            // Upstream's FunctionWorkerStarter opens a DistributedLog here, which needs ZooKeeper, even though the
            // packages go to the broker's package service: no URI, no log.
            service.init(config, null, true);
        } else {
            service.initAsStandalone(config);
        }
        service.start(authentication, authorization(config, security), errors);
        WorkerServer server = new WorkerServer(service, authentication);
        listenOnOwnAddress(server, config.getWorkerHostname());
        server.start();
        new RetriesStarts(service.getFunctionRuntimeManager()).begin();
        Runtime.getRuntime().addShutdownHook(new Thread(() -> {
            server.stop();
            service.stop();
        }));
        errors.waitForError();
    }

    /** Who may do what with functions, by the policies that the brokers keep; null where everybody may do everything. */
    private static AuthorizationService authorization(WorkerConfig config, ServiceConfiguration security)
            throws Exception {
        if (!config.isAuthorizationEnabled()) {
            return null;
        }
        var policies = PulsarResources.createConfigMetadataStore(config.getConfigurationMetadataStoreUrl(),
                (int) config.getMetadataStoreSessionTimeoutMillis(), false);
        return new AuthorizationService(security, new PulsarResources(null, policies));
    }

    /** The worker has no setting for its address; it would listen on every interface. */
    private static void listenOnOwnAddress(WorkerServer server, String address) throws ReflectiveOperationException {
        for (String name : new String[] {"httpConnector", "httpsConnector"}) {
            Field connector = WorkerServer.class.getDeclaredField(name);
            connector.setAccessible(true);
            if (connector.get(server) != null) {
                ((ServerConnector) connector.get(server)).setHost(address);
            }
        }
    }
}
