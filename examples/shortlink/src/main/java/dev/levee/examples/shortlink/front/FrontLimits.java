package dev.levee.examples.shortlink.front;

import dev.levee.core.Environment;
import dev.levee.core.Measured;
import dev.levee.examples.shortlink.Reply;
import dev.levee.examples.shortlink.UsageException;
import dev.levee.examples.shortlink.engines.RedisConnection;
import dev.levee.ratelimit.AddressKey;
import dev.levee.ratelimit.KeyedRateLimiter;
import dev.levee.ratelimit.Limit;
import dev.levee.ratelimit.Permits;
import dev.levee.ratelimit.PermitsDecision;
import dev.levee.ratelimit.TokenBucketLimit;
import dev.levee.ratelimit.http.HeaderStyle;
import dev.levee.ratelimit.http.QuotaPolicy;
import dev.levee.ratelimit.http.RetryAfterField;
import dev.levee.ratelimit.http.ServiceLimit;
import dev.levee.ratelimit.shared.OnOutage;
import dev.levee.ratelimit.shared.QuotaStore;
import dev.levee.ratelimit.shared.SharedLimits;
import dev.levee.redis.RedisQuotaStore;
import io.lettuce.core.RedisException;
import java.net.InetAddress;
import java.time.Duration;
import java.time.InstantSource;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * How much a client and a tenant may ask. They stand before everything else that is done for a request: a refusal costs
 * the front some microseconds, and the nodes nothing. See ADR 100, and ADR 165 for fronts that share them.
 */
final class FrontLimits implements Measured, AutoCloseable {
    /** More than a person needs, and enough for a page with dozens of links. */
    static final TokenBucketLimit PER_CLIENT = Limit.perSecond(15).burst(60);

    /** What one tenant may take of the nodes, however many clients it has: a fraction of what they can do. */
    static final TokenBucketLimit PER_TENANT = Limit.perSecond(150).burst(100);

    /**
     * What fronts that share their limits give a client out of Redis: two thirds. The last third is what they may give
     * it by themselves when they cannot ask, in equal parts: whichever of them are cut off, and for how long, all
     * together never give it more than {@link #PER_CLIENT}.
     */
    static final TokenBucketLimit SHARED_PER_CLIENT = Limit.perSecond(10).burst(40);

    /** The tenant of a request that names none. */
    static final String DEFAULT_TENANT = "public";

    /** The longest name of a tenant. */
    static final int MAX_TENANT_CHARS = 64;

    private static final String CLIENT = "client";
    private static final String TENANT = "tenant";

    /** Half of what Redis gives: the last third. */
    private static final double ALONE = 0.5;

    /** An answer that takes longer is an outage: a request has 190 ms after that. */
    private static final Duration ANSWER = Duration.ofMillis(50);

    private static final SharedLimits.Delivery ASKED = new SharedLimits.Delivery(ANSWER, 256, 4);

    private final Admission admission;
    private final TokenBucketLimit perClient;
    private final List<Measured> figures;
    private final Runnable close;

    private FrontLimits(Admission admission, TokenBucketLimit perClient, List<Measured> figures, Runnable close) {
        this.admission = admission;
        this.perClient = perClient;
        this.figures = figures;
        this.close = close;
    }

    /** Which limit has refused a request, and for how long. */
    private record Refused(String limiter, long retryAfterNanos) {}

    /** Takes a permit of both limits, or none. */
    @FunctionalInterface
    private interface Admission {
        /** Returns null if the request is admitted. */
        @Nullable Refused take(AddressKey client, String tenant);
    }

    /** The limits of the only front. What one client asks too much is not charged to its tenant. */
    static FrontLimits local(Environment environment) {
        KeyedRateLimiter<AddressKey> clients =
                KeyedRateLimiter.of(CLIENT, config -> config.limit(PER_CLIENT).totals(true), environment);
        KeyedRateLimiter<String> tenants =
                KeyedRateLimiter.of(TENANT, config -> config.limit(PER_TENANT).totals(true), environment);
        return new FrontLimits(
                (client, tenant) -> {
                    PermitsDecision decision = Permits.of(clients, client, 1)
                            .and(tenants, tenant, 1)
                            .tryAcquire();
                    return decision.isAdmitted() ? null : new Refused(decision.limiter(), decision.retryAfterNanos());
                },
                PER_CLIENT,
                List.of(clients, tenants),
                () -> {});
    }

    /**
     * The limits that several fronts share on Redis. Mostly a front decides by permits that it has taken ahead; else it
     * asks, and waits for {@link #ANSWER} at most.
     *
     * @param url the address of Redis
     * @param fronts how many fronts there are
     */
    static FrontLimits shared(String url, int fronts, Environment environment) throws UsageException {
        RedisConnection redis = RedisConnection.to(url);
        try {
            QuotaStore store = RedisQuotaStore.of(redis.client().connect(), config -> {}, environment);
            return shared(redis, store, fronts, environment);
        } catch (RedisException e) {
            redis.close();
            throw new UsageException("cannot reach Redis: " + e.getMessage());
        }
    }

    private static FrontLimits shared(RedisConnection redis, QuotaStore store, int fronts, Environment environment) {
        SharedLimits limits = SharedLimits.of("redis", store, ASKED, environment);
        KeyedRateLimiter<String> clients = limits.keyed(
                CLIENT,
                config -> config.limit(SHARED_PER_CLIENT)
                        .onOutage(OnOutage.localShare(ALONE / fronts))
                        .totals(true));
        // For fairness only: in an outage that begins with a burst a tenant may have its burst twice.
        KeyedRateLimiter<String> tenants = limits.keyed(
                TENANT,
                config -> config.limit(PER_TENANT)
                        .onOutage(OnOutage.localShare(1.0 / fronts))
                        .totals(true));
        return new FrontLimits(
                (client, tenant) -> takeShared(clients, client.toString(), tenants, tenant),
                SHARED_PER_CLIENT,
                List.of(limits),
                () -> {
                    limits.close();
                    redis.close();
                });
    }

    /** One after the other: permits at a server cannot be taken together. */
    private static @Nullable Refused takeShared(
            KeyedRateLimiter<String> clients, String client, KeyedRateLimiter<String> tenants, String tenant) {
        long wait = clients.tryAcquireOrWaitNanos(client);
        if (wait > 0) {
            return new Refused(CLIENT, wait);
        }
        wait = tenants.tryAcquireOrWaitNanos(tenant);
        if (wait > 0) {
            clients.settle(client, -1);
            return new Refused(TENANT, wait);
        }
        return null;
    }

    /**
     * Takes a permit of both, or none.
     *
     * @return null if the request is admitted, else the answer
     */
    @Nullable Reply refusal(InetAddress client, @Nullable String tenantOrNone) {
        String tenant = tenantOrNone == null ? DEFAULT_TENANT : tenantOrNone;
        if (tenant.isBlank() || tenant.length() > MAX_TENANT_CHARS) {
            return Reply.of(400, FrontServer.TENANT + " has 1 to " + MAX_TENANT_CHARS + " characters");
        }
        Refused refused = admission.take(AddressKey.of(client), tenant);
        return refused == null ? null : refusal(refused);
    }

    @Override
    public void measure(Sink sink) {
        figures.forEach(measured -> measured.measure(sink));
    }

    @Override
    public void close() {
        close.run();
    }

    private Reply refusal(Refused refused) {
        String name = refused.limiter();
        RetryAfterField retryAfter = RetryAfterField.ofNanos(refused.retryAfterNanos());
        Map<String, String> headers = new LinkedHashMap<>();
        headers.put(RetryAfterField.NAME, retryAfter.value());
        Limit limit = name.equals(CLIENT) ? perClient : PER_TENANT;
        // Until there is a permit again nothing is left.
        ServiceLimit left = new ServiceLimit(name, 0, retryAfter.seconds(), Optional.empty());
        HeaderStyle.STRUCTURED.write(QuotaPolicy.of(name, limit), left, InstantSource.system(), headers::put);
        return new Reply(429, headers, "too many requests of this " + name + "\n");
    }
}
