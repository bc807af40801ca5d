import java.util.List;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import org.apache.pulsar.functions.proto.Function.FunctionDetails;
import org.apache.pulsar.functions.proto.Function.FunctionMetaData;
import org.apache.pulsar.functions.proto.Function.FunctionState;
import org.apache.pulsar.functions.proto.Function.Instance;
import org.apache.pulsar.functions.worker.FunctionRuntimeInfo;
import org.apache.pulsar.functions.worker.FunctionRuntimeManager;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Starts instances again whose start failed, say because the broker, which has the packages, died meanwhile. Upstream's
 * worker tries once: until somebody restarts it or the function, nothing takes the function's messages.
 */
final class RetriesStarts implements Runnable {
    private static final Logger LOG = LoggerFactory.getLogger(RetriesStarts.class);
    private static final long FIRST = 2;
    private static final long LONGEST = 60;

    private final ScheduledExecutorService timer = Executors.newSingleThreadScheduledExecutor(work -> {
        Thread thread = new Thread(work, "retries-starts");
        thread.setDaemon(true);
        return thread;
    });
    private final FunctionRuntimeManager functions;
    /** Seconds until the next look; longer each time while a start goes on failing: each has a long stack trace. */
    private long pause = FIRST;

    RetriesStarts(FunctionRuntimeManager functions) {
        this.functions = functions;
    }

    void begin() {
        timer.schedule(this, pause, TimeUnit.SECONDS);
    }

    @Override
    public void run() {
        boolean failed = false;
        try {
            for (FunctionRuntimeInfo info : List.copyOf(functions.getFunctionRuntimeInfos().values())) {
                failed |= shouldRun(info) && !startAgain(info);
            }
        } catch (Exception problem) {
            failed = true;
            LOG.error("Could not look for failed starts", problem);
        } finally {
            pause = failed ? Math.min(2 * pause, LONGEST) : FIRST;
            begin();
        }
    }

    private static boolean shouldRun(FunctionRuntimeInfo info) {
        Instance instance = info.getFunctionInstance();
        FunctionMetaData function = instance.getFunctionMetaData();
        return info.getStartupException() != null
                && function.getInstanceStatesOrDefault(instance.getInstanceId(), FunctionState.RUNNING)
                        == FunctionState.RUNNING;
    }

    private boolean startAgain(FunctionRuntimeInfo info) throws Exception {
        Instance instance = info.getFunctionInstance();
        FunctionDetails function = instance.getFunctionMetaData().getFunctionDetails();
        LOG.warn("Starting {} again: {}", function.getName(), info.getStartupException().toString());
        info.setStartupException(null);
        functions.restartFunctionInstance(
                function.getTenant(), function.getNamespace(), function.getName(), instance.getInstanceId(), null);
        return info.getStartupException() == null;
    }
}
