package dev.levee.examples.shortlink.front;

import com.sun.net.httpserver.HttpExchange;
import dev.levee.core.Environment;
import dev.levee.core.consistency.Session;
import dev.levee.examples.shortlink.Reply;
import dev.levee.examples.shortlink.Urls;
import dev.levee.examples.shortlink.UsageException;
import dev.levee.examples.shortlink.WebServer;
import dev.levee.examples.shortlink.Without;
import dev.levee.ratelimit.TokenBucketLimit;
import dev.levee.ratelimit.concurrency.ShedException;
import dev.levee.ratelimit.http.ClientAddresses;
import dev.levee.ratelimit.http.ForwardingHeader;
import dev.levee.ratelimit.http.RetryAfterField;
import java.io.IOException;
import java.net.InetAddress;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.Executor;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import org.jspecify.annotations.Nullable;

/** Passes requests on to the nodes. No thread waits for a node: the thread that completes the exchange answers it. */
public final class FrontServer {
    /** The header that says on behalf of which tenant a request comes. */
    public static final String TENANT = "X-Tenant";

    /** Threads that read requests, and as many that work on answers: neither waits, so that a few are enough. */
    private static final int THREADS = 4;

    /** Threads that read requests where they wait for Redis too: a slow answer must not hold up all the others. */
    private static final int THREADS_THAT_WAIT = 32;

    private static final Set<String> METHODS = Set.of("GET", "POST");
    private static final Set<String> PASSED_BACK =
            Set.of("Location", "Retry-After", "X-Cache", "X-Node", Reply.REPLAYED, Reply.COUNTED, Session.HEADER);

    /** Only a peer on this machine, such as a proxy or the smoke test, may name the address of a client. */
    private static final ClientAddresses CLIENTS =
            ClientAddresses.behind(ForwardingHeader.X_FORWARDED_FOR, "127.0.0.0/8", "::1");

    private final @Nullable FrontLimits limits;
    private final FrontGuards guards;
    private final Executor executor;

    private FrontServer(@Nullable FrontLimits limits, FrontGuards guards, Executor executor) {
        this.limits = limits;
        this.guards = guards;
        this.executor = executor;
    }

    /**
     * Returns how much a client may ask, for people who try it.
     *
     * @return the limit in words
     */
    public static String limitPerClient() {
        return FrontLimits.PER_CLIENT.toString();
    }

    /**
     * Returns how much a client may ask of all fronts together.
     *
     * @return the limit
     */
    public static TokenBucketLimit clientLimit() {
        return FrontLimits.PER_CLIENT;
    }

    /**
     * Returns how much of that fronts that share their limits give out of Redis.
     *
     * @return the limit, which is less
     */
    public static TokenBucketLimit sharedClientLimit() {
        return FrontLimits.SHARED_PER_CLIENT;
    }

    /**
     * Returns how many requests per second a tenant may send for long.
     *
     * @return the number
     */
    public static int tenantRate() {
        return Math.toIntExact(FrontLimits.PER_TENANT.permits());
    }

    /**
     * Starts the only front.
     *
     * @param port the port, 0 for any
     * @param nodes where the nodes are, each an address without a path
     * @param without what is taken out
     * @param environment for all policies
     * @return the server
     * @throws UsageException if the port is in use
     */
    public static WebServer start(int port, List<URI> nodes, Without without, Environment environment)
            throws UsageException {
        return start(port, nodes, without, null, 1, environment);
    }

    /**
     * Starts a front.
     *
     * @param port the port, 0 for any
     * @param nodes where the nodes are, each an address without a path
     * @param without what is taken out
     * @param redis the address of the Redis that the fronts share their limits on, or null for limits of this one
     * @param fronts how many of them there are
     * @param environment for all policies
     * @return the server
     * @throws UsageException if the port is in use
     */
    public static WebServer start(
            int port, List<URI> nodes, Without without, @Nullable String redis, int fronts, Environment environment)
            throws UsageException {
        // Left to themselves, the client and the policies start a thread for each task of a burst, and a machine with
        // two
        // cores does nothing else then: what is late is the front, and it takes the nodes for dead.
        ExecutorService workers = Executors.newFixedThreadPool(THREADS);
        HttpClient http = HttpClient.newBuilder()
                .version(HttpClient.Version.HTTP_1_1)
                .executor(workers)
                .build();
        FrontGuards guards = new FrontGuards(
                http, nodes, without, environment.toBuilder().executor(workers).build());
        FrontLimits limits = without == Without.RATELIMIT
                ? null
                : redis == null ? FrontLimits.local(environment) : FrontLimits.shared(redis, fronts, environment);
        FrontServer front = new FrontServer(limits, guards, workers);
        int threads = redis == null ? THREADS : THREADS_THAT_WAIT;
        return WebServer.start(port, threads, front::handle, () -> {
                    guards.close();
                    workers.shutdown();
                    if (limits != null) {
                        limits.close();
                    }
                })
                .measuredBy(sink -> {
                    if (limits != null) {
                        limits.measure(sink);
                    }
                    guards.measure(sink);
                });
    }

    private void handle(HttpExchange exchange) throws IOException {
        Reply refusal = limits == null
                ? null
                : limits.refusal(client(exchange), header(exchange, TENANT).orElse(null));
        if (refusal == null) {
            answer(exchange);
        } else {
            refusal.send(exchange);
        }
    }

    private void answer(HttpExchange exchange) throws IOException {
        String path = exchange.getRequestURI().getRawPath();
        byte[] body = exchange.getRequestBody().readNBytes(Urls.MAX_LENGTH + 1);
        if (body.length > Urls.MAX_LENGTH) {
            Reply.of(413, "a URL has at most " + Urls.MAX_LENGTH + " characters")
                    .send(exchange);
        } else if (!METHODS.contains(exchange.getRequestMethod())) {
            Reply.of(405, "there is GET and POST").with("Allow", "GET, POST").send(exchange);
        } else if (path == null || !path.startsWith("/")) {
            Reply.of(404, "no such link").send(exchange);
        } else {
            passOn(exchange, path, body);
        }
    }

    private void passOn(HttpExchange exchange, String path, byte[] body) {
        HttpRequest request;
        try {
            // Made before a node is chosen: a client's mistake is no evidence against a node.
            HttpRequest.Builder builder = guards.bounded(HttpRequest.newBuilder(FrontGuards.anyNode(path)));
            builder.method(exchange.getRequestMethod(), BodyPublishers.ofByteArray(body))
                    .header("X-Forwarded-Host", header(exchange, "Host").orElse("localhost"));
            for (String name : List.of(Reply.IDEMPOTENCY_KEY, Session.HEADER)) {
                header(exchange, name).ifPresent(value -> builder.header(name, value));
            }
            request = builder.build();
        } catch (IllegalArgumentException e) {
            Reply.of(400, String.valueOf(e.getMessage())).send(exchange);
            return;
        }
        guards.send(request)
                .whenCompleteAsync((response, error) -> reply(response, error).send(exchange), executor);
    }

    static Reply reply(@Nullable HttpResponse<String> response, @Nullable Throwable error) {
        if (error instanceof ShedException shed) {
            return Reply.of(503, "more requests than the nodes can take now")
                    .with(RetryAfterField.NAME, retryAfter(shed).value());
        }
        if (response == null) {
            return Reply.of(503, "no node can answer now: " + error).with("Retry-After", 1);
        }
        Map<String, String> headers = new LinkedHashMap<>();
        for (String name : PASSED_BACK) {
            response.headers().firstValue(name).ifPresent(value -> headers.put(name, value));
        }
        return new Reply(response.statusCode(), headers, response.body());
    }

    /** A second at least: what comes back earlier meets the same crowd. */
    private static RetryAfterField retryAfter(ShedException shed) {
        return RetryAfterField.ofNanos(Math.max(1, shed.retryAfterNanos()));
    }

    private static InetAddress client(HttpExchange exchange) {
        return CLIENTS.clientOf(exchange.getRemoteAddress().getAddress(), exchange.getRequestHeaders()::get);
    }

    private static Optional<String> header(HttpExchange exchange, String name) {
        return Optional.ofNullable(exchange.getRequestHeaders().getFirst(name));
    }
}
