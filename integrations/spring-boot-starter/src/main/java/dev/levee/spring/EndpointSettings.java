package dev.levee.spring;

import dev.levee.core.internal.Text;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.locks.ReentrantLock;
import org.springframework.boot.context.properties.source.ConfigurationPropertyName;
import org.springframework.core.env.ConfigurableEnvironment;
import org.springframework.core.env.MapPropertySource;

/**
 * Settings that were changed through the endpoint: a source of properties before all others, which has only settings of
 * policies that exist. Names of classes and expressions do not come in this way. A change that fails is taken back.
 * Thread-safe.
 */
final class EndpointSettings {
    /** The name of the source. */
    static final String SOURCE = "leveeEndpoint";

    private final ConfigurableEnvironment environment;
    private final PolicyRegistry policies;
    private final ReentrantLock changing = new ReentrantLock();

    EndpointSettings(ConfigurableEnvironment environment, PolicyRegistry policies) {
        this.environment = environment;
        this.policies = policies;
    }

    /**
     * Changes a setting.
     *
     * @param value an empty text removes it from this source
     * @throws IllegalArgumentException if it must not be changed from outside
     * @throws LeveeConfigurationException if it is wrong or needs a restart; all is as it was then
     */
    void set(String policy, String property, String value) {
        if (!property.matches("[A-Za-z0-9.-]{1,100}")) {
            throw new IllegalArgumentException("property must be the name of a setting, such as failure-rate");
        }
        String uniform = Settings.uniform(property);
        if (uniform.startsWith("outcomes")
                || uniform.startsWith("inject")
                || uniform.equals("type")
                || uniform.equals("when")) {
            throw new IllegalArgumentException(
                    "property \"" + property + "\" names classes, and cannot be changed from outside");
        }
        if (value.contains("${") || value.contains("#{") || value.length() > Text.MAX_SHOWN) {
            throw new IllegalArgumentException("value must be plain text of at most 200 characters");
        }
        changing.lock();
        try {
            Map<String, Object> before = current();
            Map<String, Object> after = new LinkedHashMap<>(before);
            String name = policies.plan().policies().get(policy) == null ? policy : nameOf(policy);
            String written = name + '.' + property;
            after.keySet().removeIf(each -> isSame(each, written)); // "openFor" was "open-for", perhaps
            if (!value.isEmpty()) {
                after.put(written, value);
            }
            replace(after);
            try {
                policies.reload();
            } catch (RuntimeException | Error wrong) {
                replace(before);
                throw wrong;
            }
        } finally {
            changing.unlock();
        }
    }

    private static boolean isSame(String one, String other) {
        return ConfigurationPropertyName.adapt(one, '.').equals(ConfigurationPropertyName.adapt(other, '.'));
    }

    private static String nameOf(String policy) {
        return "levee.policies." + (policy.matches("[a-z0-9-]+") ? policy : '[' + policy + ']');
    }

    private Map<String, Object> current() {
        return environment.getPropertySources().get(SOURCE) instanceof MapPropertySource source
                ? source.getSource()
                : Map.of();
    }

    private void replace(Map<String, Object> properties) {
        environment.getPropertySources().remove(SOURCE);
        if (!properties.isEmpty()) {
            environment.getPropertySources().addFirst(new MapPropertySource(SOURCE, properties));
        }
    }
}
