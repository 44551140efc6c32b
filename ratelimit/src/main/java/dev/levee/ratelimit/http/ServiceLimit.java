package dev.levee.ratelimit.http;

import dev.levee.core.internal.Require;
import java.util.Optional;
import java.util.OptionalLong;

/**
 * An item of {@link RateLimitField}: how much of a policy a client has left, and until when that is all.
 *
 * <p>Immutable.
 *
 * @param name of the policy, printable ASCII; sent to clients
 * @param remaining how many units are left, from 0 to 999,999,999,999,999
 * @param resetSeconds the effective window: the time in which the client can use no more than that, from 0 to
 *     999,999,999,999,999; empty if it is not known
 * @param partitionKey the part of the capacity that it is about; empty for none
 * @since 0.1
 */
public record ServiceLimit(
        String name, long remaining, OptionalLong resetSeconds, Optional<PartitionKey> partitionKey) {
    /**
     * Makes an item.
     *
     * @param name of the policy
     * @param remaining how many units are left
     * @param resetSeconds the time in which the client can use no more
     * @param partitionKey the part of the capacity that it is about
     * @throws NullPointerException if an argument is null
     * @throws IllegalArgumentException if a value is out of its range, or the name has other characters
     */
    public ServiceLimit {
        Fields.string("name", name);
        Fields.integer("remaining", remaining, 0);
        Fields.integer("resetSeconds", resetSeconds, 0);
        Require.nonNull("partitionKey", partitionKey);
    }

    /**
     * Makes an item without a partition key.
     *
     * @param name of the policy, printable ASCII
     * @param remaining how many units are left, from 0 to 999,999,999,999,999
     * @param resetSeconds the time in which the client can use no more, from 0 to 999,999,999,999,999
     * @return the item
     * @throws NullPointerException if the name is null
     * @throws IllegalArgumentException if a value is out of its range, or the name has other characters
     */
    public static ServiceLimit of(String name, long remaining, long resetSeconds) {
        return new ServiceLimit(name, remaining, OptionalLong.of(resetSeconds), Optional.empty());
    }

    /**
     * Returns the same item for a part of the capacity.
     *
     * @param key which part
     * @return the item
     * @throws NullPointerException if it is null
     */
    public ServiceLimit partitionKey(PartitionKey key) {
        return new ServiceLimit(name, remaining, resetSeconds, Optional.of(key));
    }

    static ServiceLimit read(FieldReader reader, FieldItem item) {
        return new ServiceLimit(
                Fields.name(reader, item),
                Fields.required(reader, item, "r"),
                Fields.integer(reader, item, "t", 0),
                Fields.partitionKey(reader, item));
    }

    void appendTo(StringBuilder to) {
        Fields.appendString(to, name);
        to.append(";r=").append(remaining);
        resetSeconds.ifPresent(it -> to.append(";t=").append(it));
        partitionKey.ifPresent(it -> it.appendTo(to));
    }

    /**
     * Returns the item as it stands in the header.
     *
     * @return such as {@code "per-client";r=150;t=1}
     */
    @Override
    public String toString() {
        StringBuilder text = new StringBuilder();
        appendTo(text);
        return text.toString();
    }
}
