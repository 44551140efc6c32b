package dev.levee.ratelimit.http;

import dev.levee.core.internal.Require;
import dev.levee.ratelimit.Limit;
import java.math.BigInteger;
import java.time.Duration;
import java.util.Optional;
import java.util.OptionalLong;

/**
 * An item of {@link RateLimitPolicyField}: how much a client may use, and in which time.
 *
 * <pre>{@code
 * QuotaPolicy.of("per-client", Limit.perSecond(100).burst(200));   // "per-client";q=200;w=2
 * QuotaPolicy.of("upload", 1_000_000, Duration.ofMinutes(1)).unit("content-bytes");
 * }</pre>
 *
 * <p>Immutable.
 *
 * @param name of the policy, printable ASCII; sent to clients
 * @param quota how many units a client may use, from 0 to 999,999,999,999,999
 * @param windowSeconds the time in which it may, from 1 to 999,999,999,999,999; empty for none
 * @param unit what is counted, printable ASCII: {@code requests}, {@code content-bytes}, {@code concurrent-requests}
 * @param partitionKey the part of the capacity that the quota is for; empty for none
 * @since 0.1
 */
public record QuotaPolicy(
        String name, long quota, OptionalLong windowSeconds, String unit, Optional<PartitionKey> partitionKey) {
    /** The unit of a policy that names none. */
    public static final String REQUESTS = "requests";

    private static final BigInteger NANOS_PER_SECOND = BigInteger.valueOf(1_000_000_000L);

    /**
     * Makes a policy.
     *
     * @param name of the policy
     * @param quota how many units a client may use
     * @param windowSeconds the time in which it may
     * @param unit what is counted
     * @param partitionKey the part of the capacity that the quota is for
     * @throws NullPointerException if an argument is null
     * @throws IllegalArgumentException if a value is out of its range, or a text has other characters
     */
    public QuotaPolicy {
        Fields.string("name", name);
        Fields.integer("quota", quota, 0);
        Fields.integer("windowSeconds", windowSeconds, 1);
        Fields.string("unit", unit);
        Require.nonNull("partitionKey", partitionKey);
    }

    /**
     * Makes a policy of requests.
     *
     * @param name of the policy, printable ASCII
     * @param quota how many requests a client may send, from 0 to 999,999,999,999,999
     * @param window the time in which it may, more than zero; rounded up to whole seconds
     * @return the policy
     * @throws NullPointerException if an argument is null
     * @throws IllegalArgumentException if a value is out of its range, or the name has other characters
     */
    public static QuotaPolicy of(String name, long quota, Duration window) {
        Require.positive("window", window);
        return of(name, quota, window.getSeconds() + (window.getNano() > 0 ? 1 : 0));
    }

    /**
     * Makes the policy of a limit: as quota what can be taken at once, as window the time in which that comes back,
     * rounded up to whole seconds. The quotient of the two is the rate of the limit, or less. See ADR 95.
     *
     * @param name of the policy, printable ASCII
     * @param limit how much a limiter admits
     * @return the policy
     * @throws NullPointerException if an argument is null
     * @throws IllegalArgumentException if the capacity of the limit has more than 15 digits, or the name has other
     *     characters
     */
    public static QuotaPolicy of(String name, Limit limit) {
        Duration per = Require.nonNull("limit", limit).per();
        BigInteger nanos = BigInteger.valueOf(per.getSeconds())
                .multiply(NANOS_PER_SECOND)
                .add(BigInteger.valueOf(per.getNano()))
                .multiply(BigInteger.valueOf(limit.capacity()));
        BigInteger perSecond = BigInteger.valueOf(limit.permits()).multiply(NANOS_PER_SECOND);
        return of(
                name,
                limit.capacity(),
                nanos.add(perSecond).subtract(BigInteger.ONE).divide(perSecond).longValueExact());
    }

    private static QuotaPolicy of(String name, long quota, long windowSeconds) {
        return new QuotaPolicy(name, quota, OptionalLong.of(windowSeconds), REQUESTS, Optional.empty());
    }

    /**
     * Returns the same policy with another unit.
     *
     * @param unit what is counted, printable ASCII
     * @return the policy
     * @throws NullPointerException if it is null
     * @throws IllegalArgumentException if it has other characters
     */
    public QuotaPolicy unit(String unit) {
        return new QuotaPolicy(name, quota, windowSeconds, unit, partitionKey);
    }

    /**
     * Returns the same policy for a part of the capacity.
     *
     * @param key which part
     * @return the policy
     * @throws NullPointerException if it is null
     */
    public QuotaPolicy partitionKey(PartitionKey key) {
        return new QuotaPolicy(name, quota, windowSeconds, unit, Optional.of(key));
    }

    static QuotaPolicy read(FieldReader reader, FieldItem item) {
        Object unit = item.parameter("qu");
        if (unit != null && !(unit instanceof String)) {
            throw reader.malformed("a string as qu of the item", item.at());
        }
        return new QuotaPolicy(
                Fields.name(reader, item),
                Fields.required(reader, item, "q"),
                Fields.integer(reader, item, "w", 1),
                unit == null ? REQUESTS : (String) unit,
                Fields.partitionKey(reader, item));
    }

    void appendTo(StringBuilder to) {
        Fields.appendString(to, name);
        to.append(";q=").append(quota);
        if (!unit.equals(REQUESTS)) {
            Fields.appendString(to.append(";qu="), unit);
        }
        windowSeconds.ifPresent(it -> to.append(";w=").append(it));
        partitionKey.ifPresent(it -> it.appendTo(to));
    }

    /**
     * Returns the item as it stands in the header.
     *
     * @return such as {@code "per-client";q=200;w=2}
     */
    @Override
    public String toString() {
        StringBuilder text = new StringBuilder();
        appendTo(text);
        return text.toString();
    }
}
