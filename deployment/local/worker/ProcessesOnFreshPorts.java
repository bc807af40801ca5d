import java.io.IOException;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Proxy;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.util.Optional;
import java.util.Random;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.pulsar.functions.auth.FunctionAuthProvider;
import org.apache.pulsar.functions.instance.AuthenticationConfig;
import org.apache.pulsar.functions.instance.InstanceConfig;
import org.apache.pulsar.functions.runtime.Runtime;
import org.apache.pulsar.functions.runtime.RuntimeCustomizer;
import org.apache.pulsar.functions.runtime.RuntimeFactory;
import org.apache.pulsar.functions.runtime.process.ProcessRuntimeFactory;
import org.apache.pulsar.functions.secretsproviderconfigurator.SecretsProviderConfigurator;
import org.apache.pulsar.functions.worker.ConnectorsManager;
import org.apache.pulsar.functions.worker.FunctionsManager;
import org.apache.pulsar.functions.worker.WorkerConfig;

/**
 * Function instances as processes, on new ports at each start. Upstream chooses an instance's two ports once, among
 * those that the kernel gives to everybody, long before the instance binds them; if one is taken by then, the instance
 * fails at each start, for ever.
 */
public final class ProcessesOnFreshPorts implements RuntimeFactory {
    /** Above what Linux gives to outgoing connections (32768 to 60999). */
    private static final int FIRST = 61000;
    private static final int COUNT = 65536 - FIRST;

    private final ProcessRuntimeFactory processes = new ProcessRuntimeFactory();
    /** Anywhere, so that two workers on one machine seldom meet. */
    private final AtomicInteger next = new AtomicInteger(new Random().nextInt(COUNT));

    @Override
    public void initialize(WorkerConfig config, AuthenticationConfig authentication, SecretsProviderConfigurator secrets,
            ConnectorsManager connectors, FunctionsManager functions, Optional<FunctionAuthProvider> provider,
            Optional<RuntimeCustomizer> customizer) {
        processes.initialize(config, authentication, secrets, connectors, functions, provider, customizer);
    }

    @Override
    public Runtime createContainer(InstanceConfig config, String code, String codeName, String transform,
            String transformName, Long healthCheckSeconds) throws Exception {
        Runtime[] current = new Runtime[1];
        return (Runtime) Proxy.newProxyInstance(getClass().getClassLoader(), new Class<?>[] {Runtime.class},
                (proxy, method, arguments) -> {
                    if (current[0] == null || method.getName().equals("start")) {
                        config.setPort(freePort());
                        config.setMetricsPort(freePort());
                        // The token that an instance gets goes through a field that all of them share.
                        synchronized (processes) {
                            current[0] = processes.createContainer(
                                    config, code, codeName, transform, transformName, healthCheckSeconds);
                        }
                    }
                    return call(method, current[0], arguments);
                });
    }

    private static Object call(Method method, Runtime runtime, Object[] arguments) throws Throwable {
        try {
            return method.invoke(runtime, arguments);
        } catch (InvocationTargetException problem) {
            throw problem.getCause();
        }
    }

    private int freePort() {
        for (int tried = 0; tried < COUNT; tried++) {
            int port = FIRST + Math.floorMod(next.getAndIncrement(), COUNT);
            try (ServerSocket probe = new ServerSocket(port, 1, InetAddress.getLoopbackAddress())) {
                return probe.getLocalPort();
            } catch (IOException taken) {
                // the next one
            }
        }
        throw new IllegalStateException("no free port from " + FIRST + " on");
    }

    @Override
    public Optional<FunctionAuthProvider> getAuthProvider() {
        return processes.getAuthProvider();
    }

    @Override
    public void close() {
        processes.close();
    }
}
