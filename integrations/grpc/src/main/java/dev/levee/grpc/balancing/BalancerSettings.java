package dev.levee.grpc.balancing;

import dev.levee.core.internal.Require;
import dev.levee.loadbalancing.HealthConfig;
import dev.levee.loadbalancing.strategy.BalancingStrategy;
import java.math.BigDecimal;
import java.time.Duration;
import java.util.Map;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * What a service config says of the policy. Equal for equal JSON, so that a channel keeps its balancer when the same
 * config comes again.
 *
 * @param strategyName the strategy as named in the config
 * @param hashHeader the metadata key whose value is the key of a call; null if there is none
 * @param ejection the part of the config about health; null if endpoints are not ejected
 */
record BalancerSettings(
        String strategyName,
        @Nullable String hashHeader,
        @Nullable Map<String, Object> ejection) {
    static final BalancerSettings DEFAULT = new BalancerSettings("least_time", null, Map.of());

    private static final Map<String, Supplier<BalancingStrategy>> STRATEGIES = Map.of(
            "least_time", BalancingStrategy::leastTime,
            "power_of_two_choices", BalancingStrategy::powerOfTwoChoices,
            "least_connections", BalancingStrategy::leastConnections,
            "round_robin", BalancingStrategy::roundRobin,
            "random", BalancingStrategy::random,
            "consistent_hash", BalancingStrategy::consistentHash,
            "rendezvous", BalancingStrategy::rendezvous);

    /**
     * Reads the config.
     *
     * @throws IllegalArgumentException with the name of the property, if one is unknown or wrong
     */
    static BalancerSettings parse(Map<String, ?> json) {
        String strategy = DEFAULT.strategyName;
        String header = null;
        Map<String, Object> ejection = DEFAULT.ejection;
        for (Map.Entry<String, ?> each : json.entrySet()) {
            Object value = each.getValue();
            switch (each.getKey()) {
                case "strategy" -> strategy = text("strategy", value);
                case "hashHeader" -> header = text("hashHeader", value);
                case "ejection" -> ejection = ejection(value);
                default ->
                    throw new IllegalArgumentException("property \"" + each.getKey()
                            + "\" is unknown; there are strategy, hashHeader and ejection");
            }
        }
        if (!STRATEGIES.containsKey(strategy)) {
            throw new IllegalArgumentException(
                    "strategy must be one of " + new TreeSet<>(STRATEGIES.keySet()) + ", but was \"" + strategy + "\"");
        }
        BalancerSettings settings = new BalancerSettings(strategy, header, ejection);
        if (header != null) {
            requireKeyName(header);
        }
        settings.health(); // throws what is wrong
        return settings;
    }

    private static void requireKeyName(String header) {
        if (header.endsWith("-bin")) {
            throw new IllegalArgumentException("hashHeader must not be binary, but was \"" + header + "\"");
        }
        try {
            io.grpc.Metadata.Key.of(header, io.grpc.Metadata.ASCII_STRING_MARSHALLER);
        } catch (IllegalArgumentException wrong) {
            throw new IllegalArgumentException("hashHeader must be a metadata key, but was \"" + header + "\"", wrong);
        }
    }

    private static @Nullable Map<String, Object> ejection(@Nullable Object value) {
        if (Boolean.FALSE.equals(value)) {
            return null;
        }
        if (value instanceof Map<?, ?> map) {
            Map<String, Object> known = new TreeMap<>();
            map.forEach(
                    (key, each) -> known.put(String.valueOf(key), Require.nonNull("ejection." + key, (Object) each)));
            return known;
        }
        throw new IllegalArgumentException("ejection must be an object or false, but was " + value);
    }

    BalancingStrategy strategy() {
        Supplier<BalancingStrategy> known = STRATEGIES.get(strategyName);
        return known == null ? BalancingStrategy.leastTime() : known.get();
    }

    /** Returns the settings of health; null if it is not watched. */
    @Nullable HealthConfig<ChannelEndpoint> health() {
        if (ejection == null) {
            return null;
        }
        HealthConfig.Builder<ChannelEndpoint> builder = HealthConfig.builder();
        Duration ejectFor = Duration.ofSeconds(30);
        Duration maxEjectFor = Duration.ofMinutes(5);
        boolean times = false;
        for (Map.Entry<String, Object> each : ejection.entrySet()) {
            String name = "ejection." + each.getKey();
            Object value = each.getValue();
            switch (each.getKey()) {
                case "consecutiveFailures" -> builder.consecutiveFailures(whole(name, value));
                case "maxEjected" -> builder.maxEjected(number(name, value));
                case "panicBelow" -> builder.panicBelow(number(name, value));
                case "slowStart" -> builder.slowStart(duration(name, value));
                case "ejectFor" -> {
                    ejectFor = duration(name, value);
                    times = true;
                }
                case "maxEjectFor" -> {
                    maxEjectFor = duration(name, value);
                    times = true;
                }
                default ->
                    throw new IllegalArgumentException("property \"" + name + "\" is unknown; there are"
                            + " consecutiveFailures, ejectFor, maxEjectFor, maxEjected, panicBelow and slowStart");
            }
        }
        if (times) {
            builder.ejectFor(ejectFor, maxEjectFor);
        }
        return builder.build();
    }

    private static String text(String name, @Nullable Object value) {
        if (value instanceof String text && !text.isBlank()) {
            return text;
        }
        throw new IllegalArgumentException(name + " must be a text, but was " + value);
    }

    private static double number(String name, Object value) {
        if (value instanceof Number number) {
            return number.doubleValue();
        }
        throw new IllegalArgumentException(name + " must be a number, but was " + value);
    }

    private static int whole(String name, Object value) {
        double number = number(name, value);
        if (number != Math.rint(number) || Math.abs(number) > Integer.MAX_VALUE) {
            throw new IllegalArgumentException(name + " must be a whole number, but was " + value);
        }
        return (int) number;
    }

    /** Reads a duration as service configs write it: seconds with a unit, such as {@code "1.5s"}. */
    private static Duration duration(String name, Object value) {
        if (value instanceof String text && text.matches("[0-9]{1,12}(\\.[0-9]{1,9})?s")) {
            BigDecimal seconds = new BigDecimal(text.substring(0, text.length() - 1));
            return Duration.ofSeconds(seconds.longValue())
                    .plusNanos(
                            seconds.remainder(BigDecimal.ONE).movePointRight(9).longValue());
        }
        throw new IllegalArgumentException(
                name + " must be a text of seconds with their unit, such as \"30s\", but was " + value);
    }
}
