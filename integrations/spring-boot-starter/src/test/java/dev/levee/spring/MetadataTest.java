package dev.levee.spring;

import static org.assertj.core.api.Assertions.assertThat;

import dev.levee.circuitbreaker.CircuitBreakerConfig;
import dev.levee.core.policy.BulkheadConfig;
import dev.levee.core.policy.HedgeConfig;
import dev.levee.core.policy.RetryConfig;
import dev.levee.core.signals.CallMeterConfig;
import dev.levee.ratelimit.RateLimiterConfig;
import dev.levee.ratelimit.concurrency.AdaptiveBulkheadConfig;
import dev.levee.ratelimit.concurrency.AdaptiveThrottleConfig;
import dev.levee.ratelimit.concurrency.PriorityShedderConfig;
import dev.levee.ratelimit.concurrency.SheddingBulkheadConfig;
import java.io.IOException;
import java.io.InputStream;
import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;

/** The metadata for IDEs has each property, and each setting of a policy has a property. */
class MetadataTest {
    /** Settings of builders that properties cannot say, with what says them. */
    private static final Map<String, String> IN_CODE = Map.of(
            "discard", "PolicyCustomizer",
            "outcomes", "outcomes.*, PolicyCustomizer",
            "budget", "budget.*",
            "backoff", "backoff.*",
            "throttledBackoff", "throttled-backoff.*",
            "limit", "the properties of the limit",
            "partition", "partitions.*",
            "share", "partitions.*");

    /** Setters of which the parameters are properties of other names. */
    private static final Map<String, List<String>> OTHER_NAMES = Map.of(
            "queue",
            List.of("max-waiting", "max-wait"),
            "ramp",
            List.of("ramp.step", "ramp.shares"),
            "objective",
            List.of("objective.target", "objective.within", "objective.burn-rate"),
            "delayBetween",
            List.of("min-delay", "max-delay"),
            "adaptive",
            List.of("adaptive.enabled", "adaptive.max-limit"));

    private static Map<String, Values.Declared> declared(PolicyKind<?> kind) {
        Values values = new Values("levee.defaults." + kind.label(), List.of(), true, new ArrayList<>());
        kind.read(values);
        return values.declared();
    }

    @Test
    void every_setting_of_every_builder_has_a_property() {
        Map<String, Class<?>> builders = new LinkedHashMap<>();
        builders.put("meter", CallMeterConfig.Builder.class);
        builders.put("retry", RetryConfig.Builder.class);
        builders.put("hedge", HedgeConfig.Builder.class);
        builders.put("bulkhead", BulkheadConfig.Builder.class);
        builders.put("breaker", CircuitBreakerConfig.Builder.class);
        builders.put("limiter", RateLimiterConfig.Builder.class);
        builders.put("adaptive-bulkhead", AdaptiveBulkheadConfig.Builder.class);
        builders.put("shedding-bulkhead", SheddingBulkheadConfig.Builder.class);
        builders.put("throttle", AdaptiveThrottleConfig.Builder.class);
        builders.put("shedder", PriorityShedderConfig.Builder.class);
        builders.forEach((label, builder) -> {
            Set<String> names = declared(PolicyKinds.BY_LABEL.get(label)).keySet();
            for (Method method : builder.getDeclaredMethods()) {
                if (method.getReturnType() != builder || !Modifier.isPublic(method.getModifiers())) {
                    continue;
                }
                String setter = method.getName();
                if (OTHER_NAMES.containsKey(setter)) {
                    assertThat(names).as(label + ' ' + setter).containsAll(OTHER_NAMES.get(setter));
                } else if (!IN_CODE.containsKey(setter)) {
                    assertThat(names).as(label).contains(kebab(setter));
                }
            }
        });
    }

    private static String kebab(String camel) {
        return camel.replaceAll("([A-Z])", "-$1").toLowerCase(java.util.Locale.ROOT);
    }

    @Test
    void the_metadata_has_each_property_with_type_description_and_default() throws IOException {
        String wanted = metadata();
        String write = System.getProperty("write-metadata");
        if (write != null) {
            Files.writeString(Path.of(write), wanted);
        }
        try (InputStream file =
                LeveePolicies.class.getResourceAsStream("/META-INF/spring-configuration-metadata.json")) {
            assertThat(file).isNotNull();
            assertThat(new String(file.readAllBytes(), StandardCharsets.UTF_8)).isEqualTo(wanted);
        }
    }

    @Test
    void every_property_has_a_description_that_is_a_sentence() {
        PolicyKinds.BY_LABEL
                .values()
                .forEach(kind -> declared(kind)
                        .values()
                        .forEach(each -> assertThat(each.description())
                                .as(kind.label() + ' ' + each.name())
                                .matches("(?s)[A-Za-z].*\\.")));
    }

    private static String metadata() {
        List<String> properties = new ArrayList<>();
        properties.add(property(
                "levee.policies",
                "java.util.Map<java.lang.String,java.util.Map<java.lang.String,java.lang.Object>>",
                "Policies by their names. Each has a kind, which may be what its name ends with, and the properties"
                        + " that levee.defaults has for that kind.",
                null));
        properties.add(property(
                "levee.pipelines",
                "java.util.Map<java.lang.String,java.util.List<java.lang.String>>",
                "Pipelines by their names: names of policies or kinds, outermost first.",
                null));
        properties.add(property(
                "levee.budgets",
                "java.util.Map<java.lang.String,java.util.Map<java.lang.String,java.lang.Object>>",
                "Budgets for retries and hedges that share one, by their names, with ratio, min-per-second and"
                        + " reserve.",
                null));
        properties.add(property(
                "levee.data-sources",
                "java.util.Map<java.lang.String,java.util.Map<java.lang.String,java.lang.String>>",
                "Data sources by the names of their beans, each with pipeline: the name of what guards it. Needs"
                        + " levee-jdbc.",
                null));
        Values guarded = new Values("levee.guarded", List.of(), true, new ArrayList<>());
        GuardedOrder.read(guarded);
        add(properties, "levee.guarded.", guarded.declared());
        Values health = new Values("levee.health", List.of(), true, new ArrayList<>());
        LeveeHealth.down(health);
        add(properties, "levee.health.", health.declared());
        Values page = new Values("levee.console", List.of(), true, new ArrayList<>());
        PageSettings.read(page);
        add(properties, "levee.console.", page.declared());
        PolicyKinds.BY_LABEL
                .values()
                .forEach(kind -> add(properties, "levee.defaults." + kind.label() + '.', declared(kind)));
        Set<String> kinds = new TreeSet<>(PolicyKinds.BY_LABEL.keySet());
        List<String> values = kinds.stream()
                .map(kind -> "        {\"value\": \"" + kind + "\"}")
                .toList();
        return "{\n  \"groups\": [\n    {\"name\": \"levee\", \"type\": \"dev.levee.spring.LeveePolicies\"}\n  ],\n"
                + "  \"properties\": [\n" + String.join(",\n", properties) + "\n  ],\n  \"hints\": [\n"
                + "    {\n      \"name\": \"levee.pipelines.values\",\n      \"values\": [\n"
                + String.join(",\n", values)
                + "\n      ],\n      \"providers\": [{\"name\": \"any\"}]\n    }\n  ]\n}\n";
    }

    private static void add(List<String> properties, String prefix, Map<String, Values.Declared> declared) {
        declared.values()
                .forEach(each -> properties.add(property(
                        prefix + each.name().replace(".*.", "[0].").replace(".*", ".share"),
                        each.type().replace("$", "."),
                        each.description(),
                        each.standard() == null ? null : each.standard().toString())));
    }

    private static String property(String name, String type, String text, String standard) {
        return "    {\n      \"name\": \"" + name + "\",\n      \"type\": \"" + type + "\",\n      \"description\": \""
                + text.replace("\"", "\\\"") + '"'
                + (standard == null ? "" : ",\n      \"defaultValue\": \"" + standard + '"')
                + "\n    }";
    }
}
