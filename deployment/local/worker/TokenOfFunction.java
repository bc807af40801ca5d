import io.kubernetes.client.openapi.apis.CoreV1Api;
import io.kubernetes.client.openapi.models.V1SecretVolumeSource;
import io.kubernetes.client.openapi.models.V1StatefulSet;
import io.kubernetes.client.openapi.models.V1Volume;
import io.kubernetes.client.openapi.models.V1VolumeMount;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Optional;
import org.apache.pulsar.broker.authentication.AuthenticationDataSource;
import org.apache.pulsar.client.impl.auth.AuthenticationToken;
import org.apache.pulsar.functions.auth.FunctionAuthData;
import org.apache.pulsar.functions.auth.KubernetesFunctionAuthProvider;
import org.apache.pulsar.functions.instance.AuthenticationConfig;
import org.apache.pulsar.functions.proto.Function.FunctionDetails;

/**
 * Each function has a role of its own, `function-NAME`, whoever deployed it: never the worker's, never the deployer's.
 * A canary, `NAME-canary`, does the work of its function, and has its role.
 *
 * Its token is a file, which the instance reads for each connection anew: so it is on no command line and in no topic,
 * and can be replaced without a restart. Where instances are processes it is `function-NAME.jwt` in the folder that the
 * worker's environment calls FUNCTION_TOKENS. Where they are Kubernetes pods, each has its secret `function-NAME` at
 * /etc/auth: the token is in `token`, and the authority of the brokers' certificates in `ca.crt`.
 */
public final class TokenOfFunction implements KubernetesFunctionAuthProvider {
    private static final String SECRET = "function-auth";
    private static final String MOUNTED = "/etc/auth";

    private boolean inPods;

    @Override
    public void initialize(CoreV1Api kubernetes) {
        inPods = true;
    }

    @Override
    public Optional<FunctionAuthData> cacheAuthData(FunctionDetails function, AuthenticationDataSource deployer) {
        String role = "function-" + function.getName().replaceFirst("-canary$", "");
        return Optional.of(FunctionAuthData.builder().data(role.getBytes(StandardCharsets.UTF_8)).build());
    }

    @Override
    public Optional<FunctionAuthData> updateAuthData(FunctionDetails function, Optional<FunctionAuthData> present,
            AuthenticationDataSource deployer) {
        return cacheAuthData(function, deployer);
    }

    /** The configuration is the worker's, and has the last function's token: each time all of it is set. */
    @Override
    public void configureAuthenticationConfig(AuthenticationConfig config, Optional<FunctionAuthData> data) {
        config.setClientAuthenticationPlugin(data.isPresent() ? AuthenticationToken.class.getName() : null);
        config.setClientAuthenticationParameters(data.map(known -> "file://" + token(role(known))).orElse(null));
        if (inPods && config.isUseTls()) {
            config.setTlsTrustCertsFilePath(MOUNTED + "/ca.crt");
        }
    }

    @Override
    public void configureAuthDataStatefulSet(V1StatefulSet pods, Optional<FunctionAuthData> data) {
        data.ifPresent(known -> {
            V1SecretVolumeSource secret = new V1SecretVolumeSource().secretName(role(known));
            var pod = pods.getSpec().getTemplate().getSpec();
            pod.addVolumesItem(new V1Volume().name(SECRET).secret(secret));
            pod.getContainers().forEach(container -> container.addVolumeMountsItem(
                    new V1VolumeMount().name(SECRET).mountPath(MOUNTED).readOnly(true)));
        });
    }

    @Override
    public void cleanUpAuthData(FunctionDetails function, Optional<FunctionAuthData> data) {
        // the token stays: a function that is created again has it again
    }

    private static String role(FunctionAuthData data) {
        return new String(data.getData(), StandardCharsets.UTF_8);
    }

    private String token(String role) {
        return inPods ? MOUNTED + "/token" : Path.of(System.getenv("FUNCTION_TOKENS"), role + ".jwt").toString();
    }
}
