package dev.levee.http.server;

import dev.levee.core.Environment;
import dev.levee.core.NanoClock;
import dev.levee.core.internal.Require;
import dev.levee.core.internal.SafeLog;
import dev.levee.core.internal.Text;
import dev.levee.ratelimit.KeyedRateLimiter;
import dev.levee.ratelimit.http.HeaderStyle;
import dev.levee.ratelimit.http.QuotaPolicy;
import dev.levee.ratelimit.http.RetryAfterField;
import dev.levee.ratelimit.http.ServiceLimit;
import java.time.Instant;
import java.time.InstantSource;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Consumer;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What all servers have in common: the decision on a request, and the headers of its response. See ADR 95 and ADR 96.
 *
 * @param <R> the request of a server
 */
final class RequestLimit<R> {
    /** The decision on a request that goes on; any other is the status to answer. */
    static final int ADMITTED = 0;

    static final int TOO_MANY_REQUESTS = 429;
    static final int SERVICE_UNAVAILABLE = 503;

    private static final Logger LOG = LoggerFactory.getLogger(RequestLimit.class);
    private static final long NANOS_BETWEEN_LOGS = TimeUnit.MINUTES.toNanos(1);
    private static final long MAX_INTEGER = 999_999_999_999_999L;
    private static final String DEFAULT_NAME = "default";

    private final Decider<R> decider;
    private final String name;
    private final RequestLimitConfig config;
    private final HeaderStyle style;
    private final @Nullable QuotaPolicy policy;
    private final InstantSource wallClock;
    private final NanoClock clock;
    private final AtomicLong lastLog;

    private <K> RequestLimit(
            KeyedRateLimiter<K> limiter,
            Function<? super R, ? extends K> key,
            RequestLimitConfig config,
            Environment environment) {
        name = limiter.name();
        decider = new KeyDecider<>(limiter, key, config.tellsAdmitted() && config.headers() != HeaderStyle.NONE);
        this.config = config;
        style = config.headers();
        policy = config.policy().orElse(null);
        wallClock = config.wallClock().orElse(InstantSource.fixed(Instant.EPOCH));
        clock = environment.clock();
        lastLog = new AtomicLong(clock.nanoTime() - NANOS_BETWEEN_LOGS);
    }

    static <R, K> RequestLimit<R> of(
            KeyedRateLimiter<K> limiter,
            Function<? super R, ? extends K> key,
            Consumer<? super RequestLimitConfig.Builder> configure,
            Environment environment) {
        Require.nonNull("limiter", limiter);
        Require.nonNull("key", key);
        Require.nonNull("environment", environment);
        RequestLimitConfig config = Require.configured(
                "limiter", limiter.name(), RequestLimitConfig.builder(), configure, RequestLimitConfig.Builder::build);
        return new RequestLimit<>(limiter, key, config, environment);
    }

    /**
     * Decides on a request, and writes the headers of its response. Throws no exception, only errors.
     *
     * @return {@link #ADMITTED}, or the status to answer
     */
    int decide(R request, ResponseHeaders headers) {
        long decision;
        try {
            decision = decider.decide(request);
        } catch (Exception failure) {
            log(
                    config.admitsOnFailure()
                            ? "could not decide on a request, which was admitted"
                            : "could not decide on a request, which was refused",
                    failure);
            return config.admitsOnFailure() ? ADMITTED : SERVICE_UNAVAILABLE;
        }
        if (decision >= 0) {
            if (decider.tellsAdmitted()) {
                tell(Math.min(decision, MAX_INTEGER), secondsToNext(), headers);
            }
            return ADMITTED;
        }
        long wait = -decision;
        if (wait < KeyedRateLimiter.NEVER) {
            RetryAfterField after = RetryAfterField.ofNanos(wait);
            tell(0, after.seconds(), headers);
            headers.set(RetryAfterField.NAME, after.value());
        } else {
            tell(0, OptionalLong.empty(), headers);
        }
        return TOO_MANY_REQUESTS;
    }

    private void tell(long remaining, OptionalLong resetSeconds, ResponseHeaders headers) {
        ServiceLimit limit = new ServiceLimit(
                policy == null ? DEFAULT_NAME : policy.name(),
                remaining,
                resetSeconds,
                policy == null ? Optional.empty() : policy.partitionKey());
        // A list grows by the items of each limit that a request passes; what is one value is that of the last.
        try {
            style.write(policy, limit, wallClock, style == HeaderStyle.STRUCTURED ? headers::add : headers::set);
        } catch (Exception failure) { // of the clock, or of the server
            log("could not tell a client its limit", failure);
        }
    }

    /** Returns the time in which a permit comes back, the effective window of what is left, if the rate is known. */
    private OptionalLong secondsToNext() {
        if (policy == null || policy.windowSeconds().isEmpty() || policy.quota() == 0) {
            return OptionalLong.empty();
        }
        long window = policy.windowSeconds().getAsLong();
        return OptionalLong.of((window - 1) / policy.quota() + 1);
    }

    private void log(String what, Exception failure) {
        long now = clock.nanoTime();
        long last = lastLog.get();
        if (now - last >= NANOS_BETWEEN_LOGS && lastLog.compareAndSet(last, now)) {
            SafeLog.warn(
                    LOG,
                    "limiter \"{}\": {}; more failures are not logged for a minute",
                    Text.printable(name),
                    what,
                    failure);
        }
    }

    /** Returns the body of a refusal: nothing but what the status says. */
    static String body(int status) {
        return status == TOO_MANY_REQUESTS ? "Too Many Requests\n" : "Service Unavailable\n";
    }

    @Override
    public String toString() {
        return "limiter \"" + name + "\" on requests [" + style + "]";
    }

    /** Where headers of a response are written. */
    interface ResponseHeaders {
        void set(String name, String value);

        void add(String name, String value);
    }

    private interface Decider<R> {
        /** Returns how many permits are left, or how long to wait, negative. */
        long decide(R request);

        boolean tellsAdmitted();
    }

    private record KeyDecider<R, K>(
            KeyedRateLimiter<K> limiter, Function<? super R, ? extends K> key, boolean tellsAdmitted)
            implements Decider<R> {
        @Override
        public long decide(R request) {
            K one = Require.nonNull("key", key.apply(request));
            long wait = limiter.tryAcquireOrWaitNanos(one);
            if (wait > 0) {
                return -wait;
            }
            if (wait < 0) {
                throw new IllegalStateException("wait must be at least 0, but was " + wait);
            }
            return tellsAdmitted ? limiter.availablePermits(one) : 0;
        }
    }
}
