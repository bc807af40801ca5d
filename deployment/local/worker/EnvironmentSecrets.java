import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import org.apache.pulsar.functions.proto.Function.FunctionDetails;
import org.apache.pulsar.functions.secretsproviderconfigurator.DefaultSecretsProviderConfigurator;

/** A function reads its secrets from its environment, which carries only those that its config names. */
public final class EnvironmentSecrets extends DefaultSecretsProviderConfigurator {
    @Override
    public String getSecretsProviderClassName(FunctionDetails details) {
        return details.getRuntime() == FunctionDetails.Runtime.PYTHON
                ? "secretsprovider.EnvironmentBasedSecretsProvider"
                : super.getSecretsProviderClassName(details);
    }

    @Override
    public void configureProcessRuntimeSecretsProvider(ProcessBuilder process, FunctionDetails details) {
        JsonObject named = details.getSecretsMap().isEmpty()
                ? new JsonObject()
                : JsonParser.parseString(details.getSecretsMap()).getAsJsonObject();
        process.environment().keySet().removeIf(name -> name.contains("PASSWORD") && !named.has(name));
    }
}
