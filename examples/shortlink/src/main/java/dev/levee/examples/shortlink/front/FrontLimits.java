package dev.levee.examples.shortlink.front;

import dev.levee.core.Environment;
import dev.levee.core.Measured;
import dev.levee.examples.shortlink.Reply;
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
import java.net.InetAddress;
import java.time.InstantSource;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * How much a client and a tenant may ask. They stand before everything else that is done for a request: a refusal costs
 * the front some microseconds, and the nodes nothing. See ADR 100.
 */
final class FrontLimits implements Measured {
    /** More than a person needs, and enough for a page with dozens of links. */
    static final TokenBucketLimit PER_CLIENT = Limit.perSecond(15).burst(60);

    /** What one tenant may take of the nodes, however many clients it has: a fraction of what they can do. */
    static final TokenBucketLimit PER_TENANT = Limit.perSecond(150).burst(100);

    /** The tenant of a request that names none. */
    static final String DEFAULT_TENANT = "public";

    /** The longest name of a tenant. */
    static final int MAX_TENANT_CHARS = 64;

    private static final String CLIENT = "client";
    private static final String TENANT = "tenant";

    private final KeyedRateLimiter<AddressKey> clients;
    private final KeyedRateLimiter<String> tenants;

    FrontLimits(Environment environment) {
        clients = KeyedRateLimiter.of(CLIENT, config -> config.limit(PER_CLIENT).totals(true), environment);
        tenants = KeyedRateLimiter.of(TENANT, config -> config.limit(PER_TENANT).totals(true), environment);
    }

    /**
     * Takes a permit of both, or none: what one client asks too much is not charged to its tenant.
     *
     * @return null if the request is admitted, else the answer
     */
    @Nullable Reply refusal(InetAddress client, @Nullable String tenantOrNone) {
        String tenant = tenantOrNone == null ? DEFAULT_TENANT : tenantOrNone;
        if (tenant.isBlank() || tenant.length() > MAX_TENANT_CHARS) {
            return Reply.of(400, FrontServer.TENANT + " has 1 to " + MAX_TENANT_CHARS + " characters");
        }
        PermitsDecision decision = Permits.of(clients, AddressKey.of(client), 1)
                .and(tenants, tenant, 1)
                .tryAcquire();
        return decision.isAdmitted() ? null : refusal(decision);
    }

    @Override
    public void measure(Sink sink) {
        clients.measure(sink);
        tenants.measure(sink);
    }

    private static Reply refusal(PermitsDecision decision) {
        String name = decision.limiter();
        RetryAfterField retryAfter = RetryAfterField.ofNanos(decision.retryAfterNanos());
        Map<String, String> headers = new LinkedHashMap<>();
        headers.put(RetryAfterField.NAME, retryAfter.value());
        Limit limit = name.equals(CLIENT) ? PER_CLIENT : PER_TENANT;
        // Until there is a permit again nothing is left.
        ServiceLimit left = new ServiceLimit(name, 0, retryAfter.seconds(), Optional.empty());
        HeaderStyle.STRUCTURED.write(QuotaPolicy.of(name, limit), left, InstantSource.system(), headers::put);
        return new Reply(429, headers, "too many requests of this " + name + "\n");
    }
}
