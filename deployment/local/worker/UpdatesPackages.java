import java.io.File;
import java.io.IOException;
import java.io.InputStream;
import org.apache.pulsar.client.admin.PulsarAdminException;
import org.apache.pulsar.functions.proto.Function.FunctionDetails.ComponentType;
import org.apache.pulsar.functions.worker.PulsarWorkerService;
import org.apache.pulsar.functions.worker.WorkerUtils;
import org.apache.pulsar.functions.worker.rest.api.FunctionsImpl;
import org.apache.pulsar.functions.worker.service.api.Functions;

/**
 * `functions update` takes the package that came with it. Where packages are kept in the broker's package service,
 * upstream's takes the present package again, says "Updated successfully", and the code is the old one.
 */
public final class UpdatesPackages extends PulsarWorkerService {
    private final Functions<PulsarWorkerService> functions = new FunctionsImpl(() -> this) {
        @Override
        protected File getPackageFile(ComponentType type, String url, String present, InputStream uploaded)
                throws IOException, PulsarAdminException {
            return uploaded != null ? WorkerUtils.dumpToTmpFile(uploaded) : super.getPackageFile(type, url, present, null);
        }
    };

    @Override
    public Functions<PulsarWorkerService> getFunctions() {
        return functions;
    }
}
