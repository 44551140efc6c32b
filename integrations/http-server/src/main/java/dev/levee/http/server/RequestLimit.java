package dev.levee.http.server;

import dev.levee.core.Environment;
import dev.levee.core.NanoClock;
import dev.levee.core.internal.Require;
import dev.levee.core.internal.SafeLog;
import dev.levee.core.internal.Text;
import dev.levee.ratelimit.KeyedRateLimiter;
import dev.levee.ratelimit.Limit;
import dev.levee.ratelimit.RateDecision;
import dev.levee.ratelimit.RateLimiter;
import dev.levee.ratelimit.TokenBucketLimit;
import dev.levee.ratelimit.http.HeaderStyle;
import dev.levee.ratelimit.http.QuotaPolicy;
import dev.levee.ratelimit.http.RetryAfterField;
import dev.levee.ratelimit.http.ServiceLimit;
import java.math.BigDecimal;
import java.math.RoundingMode;
import java.time.Duration;
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

    private final String name;
    private final Function<? super R, RateDecision> decider;
    private final RequestLimitConfig config;
    private final HeaderStyle style;
    private final boolean tellsAdmitted;
    private final @Nullable QuotaPolicy fixedPolicy;
    private final @Nullable String policyName;
    private final InstantSource wallClock;
    private final NanoClock clock;
    private final AtomicLong lastLog;

    /** The policy that was told last: without limits per key always the same. */
    private volatile @Nullable PolicyOfLimit lastPolicy;

    private <K> RequestLimit(
            KeyedRateLimiter<K> limiter,
            Function<? super R, ? extends K> key,
            RequestLimitConfig config,
            Environment environment) {
        name = limiter.name();
        decider = request -> Require.nonNull("decision", limiter.decide(Require.nonNull("key", key.apply(request)), 1));
        this.config = config;
        style = config.headers();
        tellsAdmitted = config.tellsAdmitted() && style != HeaderStyle.NONE;
        fixedPolicy = config.policy().orElse(null);
        policyName = config.policyName().orElse(null);
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
        RateDecision decision;
        try {
            decision = decider.apply(request);
        } catch (Exception failure) {
            log(
                    config.admitsOnFailure()
                            ? "could not decide on a request, which was admitted"
                            : "could not decide on a request, which was refused",
                    failure);
            return config.admitsOnFailure() ? ADMITTED : SERVICE_UNAVAILABLE;
        }
        if (decision.isAdmitted()) {
            if (tellsAdmitted) {
                tell(decision, OptionalLong.of(secondsToNext(decision)), headers);
            }
            return ADMITTED;
        }
        if (decision.retryAfterNanos() < RateLimiter.NEVER) {
            RetryAfterField after = RetryAfterField.ofNanos(decision.retryAfterNanos());
            tell(decision, after.seconds(), headers);
            headers.set(RetryAfterField.NAME, after.value());
        } else {
            tell(decision, OptionalLong.empty(), headers);
        }
        return TOO_MANY_REQUESTS;
    }

    private void tell(RateDecision decision, OptionalLong resetSeconds, ResponseHeaders headers) {
        try {
            QuotaPolicy policy = policyOf(decision.limit());
            ServiceLimit limit = new ServiceLimit(
                    policy == null ? DEFAULT_NAME : policy.name(),
                    decision.isAdmitted() ? Math.min(decision.remaining(), MAX_INTEGER) : 0,
                    resetSeconds,
                    policy == null ? Optional.empty() : policy.partitionKey());
            // A list grows by the items of each limit that a request passes; what is one value is that of the last.
            style.write(policy, limit, wallClock, style == HeaderStyle.STRUCTURED ? headers::add : headers::set);
        } catch (Exception failure) { // of the clock, or of the server
            log("could not tell a client its limit", failure);
        }
    }

    private @Nullable QuotaPolicy policyOf(Limit limit) {
        if (policyName == null) {
            return fixedPolicy;
        }
        PolicyOfLimit last = lastPolicy;
        if (last == null || last.limit != limit) {
            last = new PolicyOfLimit(limit, QuotaPolicy.of(policyName, limit));
            lastPolicy = last;
        }
        return last.policy;
    }

    /** Returns the time in which what is left is all: of a bucket, until the next permit is surely there. */
    private static long secondsToNext(RateDecision decision) {
        long reset = decision.resetSeconds();
        if (!(decision.limit() instanceof TokenBucketLimit bucket)) {
            return reset;
        }
        BigDecimal permits = BigDecimal.valueOf(bucket.permits());
        Duration per = bucket.per();
        BigDecimal seconds = BigDecimal.valueOf(per.getNano(), 9).add(BigDecimal.valueOf(per.getSeconds()));
        return Math.min(reset, seconds.divide(permits, 0, RoundingMode.CEILING).longValueExact());
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

    private record PolicyOfLimit(Limit limit, QuotaPolicy policy) {}
}
