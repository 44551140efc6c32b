package dev.levee.ratelimit.http;

import dev.levee.core.internal.Require;
import java.time.Instant;
import java.time.InstantSource;
import java.util.function.BiConsumer;
import org.jspecify.annotations.Nullable;

/**
 * Which headers tell a client its limit, and how much of it is left.
 *
 * <p>{@link #STRUCTURED} is the current draft and the one to choose for new clients; the others are for clients that
 * know an older form. {@link QuotaFields} reads each. Whether a client may come back is not told by any of these but by
 * {@link RetryAfterField}, which takes precedence. See ADR 95.
 *
 * @since 0.1
 */
public enum HeaderStyle {
    /** {@link RateLimitPolicyField} and {@link RateLimitField}: the draft since its version 08. */
    STRUCTURED,

    /** {@code RateLimit: limit=100, remaining=50, reset=30} and {@code RateLimit-Policy: 100;w=60}: draft 07. */
    COMBINED,

    /** {@code RateLimit-Limit}, {@code RateLimit-Remaining} and {@code RateLimit-Reset} in seconds: drafts 00 to 06. */
    SEPARATE,

    /** {@code X-RateLimit-Limit}, {@code X-RateLimit-Remaining}, and {@code X-RateLimit-Reset} in seconds from now. */
    X_DELTA,

    /**
     * {@code X-RateLimit-Limit}, {@code X-RateLimit-Remaining}, and {@code X-RateLimit-Reset} as a time, in seconds
     * since 1970. Only where clients expect it: their clocks must agree with that of the server.
     */
    X_EPOCH,

    /** No header. */
    NONE;

    /**
     * Writes the headers of a response. A part that is not known has no header.
     *
     * @param policy how much a client may use; null if that is not told
     * @param limit how much it has left
     * @param clock the time of day; only {@link #X_EPOCH} asks it
     * @param headers receives each name with its value, of printable ASCII
     * @throws NullPointerException if another argument than the policy is null
     */
    public void write(
            @Nullable QuotaPolicy policy,
            ServiceLimit limit,
            InstantSource clock,
            BiConsumer<? super String, ? super String> headers) {
        Require.nonNull("limit", limit);
        Require.nonNull("clock", clock);
        Require.nonNull("headers", headers);
        switch (this) {
            case STRUCTURED -> writeStructured(policy, limit, headers);
            case COMBINED -> writeCombined(policy, limit, headers);
            case SEPARATE -> writeThree("RateLimit-", policy, limit, 0, headers);
            case X_DELTA -> writeThree("X-RateLimit-", policy, limit, 0, headers);
            case X_EPOCH -> writeThree("X-RateLimit-", policy, limit, epochSecondsUp(clock.instant()), headers);
            case NONE -> {} // nothing is told
        }
    }

    private static void writeStructured(
            @Nullable QuotaPolicy policy, ServiceLimit limit, BiConsumer<? super String, ? super String> headers) {
        if (policy != null) {
            headers.accept(RateLimitPolicyField.NAME, policy.toString());
        }
        headers.accept(RateLimitField.NAME, limit.toString());
    }

    private static void writeCombined(
            @Nullable QuotaPolicy policy, ServiceLimit limit, BiConsumer<? super String, ? super String> headers) {
        StringBuilder combined = new StringBuilder();
        if (policy != null) {
            StringBuilder old = new StringBuilder().append(policy.quota());
            policy.windowSeconds().ifPresent(it -> old.append(";w=").append(it));
            headers.accept(RateLimitPolicyField.NAME, old.toString());
            combined.append("limit=").append(policy.quota()).append(", ");
        }
        combined.append("remaining=").append(limit.remaining());
        limit.resetSeconds().ifPresent(it -> combined.append(", reset=").append(it));
        headers.accept(RateLimitField.NAME, combined.toString());
    }

    private static void writeThree(
            String prefix,
            @Nullable QuotaPolicy policy,
            ServiceLimit limit,
            long base,
            BiConsumer<? super String, ? super String> headers) {
        if (policy != null) {
            headers.accept(prefix + QuotaFields.LIMIT, Long.toString(policy.quota()));
        }
        headers.accept(prefix + QuotaFields.REMAINING, Long.toString(limit.remaining()));
        limit.resetSeconds()
                .ifPresent(it -> headers.accept(
                        prefix + QuotaFields.RESET, Long.toString(Math.min(base + it, Fields.MAX_INTEGER))));
    }

    /** A client that comes at a whole second must not come before the time. */
    private static long epochSecondsUp(Instant now) {
        return Math.max(0, now.getEpochSecond() + (now.getNano() > 0 ? 1 : 0));
    }
}
