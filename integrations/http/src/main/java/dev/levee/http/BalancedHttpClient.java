package dev.levee.http;

import dev.levee.core.CallContext;
import dev.levee.core.Deadline;
import dev.levee.core.Environment;
import dev.levee.core.Measured;
import dev.levee.core.Operation;
import dev.levee.core.Outcomes;
import dev.levee.core.internal.Require;
import dev.levee.http.internal.LogicalUris;
import dev.levee.loadbalancing.LoadBalancer;
import dev.levee.loadbalancing.discovery.EndpointSource;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandler;
import java.net.http.HttpResponse.PushPromiseHandler;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * A {@code java.net.http.HttpClient} that sends requests for a logical host to one of its endpoints, tries again
 * elsewhere, hedges, and stops calling an endpoint that fails. Requests for other hosts pass through.
 *
 * <pre>{@code
 * HttpClient client = BalancedHttpClient.of(
 *     HttpClient.newHttpClient(),
 *     "catalog",
 *     EndpointSource.ofAddresses(List.of(URI.create("http://10.0.0.1:8080"), URI.create("http://10.0.0.2:8080"))));
 * HttpRequest request = HttpRequest.newBuilder(URI.create("http://catalog/products/42")).build();
 * HttpResponse<String> product = client.send(request, BodyHandlers.ofString());
 * }</pre>
 *
 * <p>What is repeated, and when, is described at {@link Upstream}; what a status means at {@link HttpOutcomes}. In
 * addition:
 *
 * <p><b>Time.</b> {@code HttpRequest.timeout} bounds the whole call, all attempts together, until the body handler has
 * its result: the end of the body for {@code ofString}, the headers for {@code ofInputStream}. The deadline of
 * {@code CallContext} does so too. Each attempt gets the smaller of {@link UpstreamConfig.Builder#attemptTimeout} and
 * what is left as its timeout, and as {@link Deadline#HEADER} unless the request has less there. A body that falls
 * silent is cut off after {@link UpstreamConfig.Builder#idleTimeout}.
 *
 * <p><b>Bodies of requests.</b> Those of {@code BodyPublishers.ofString}, {@code ofByteArray}, {@code ofFile} and
 * {@code noBody} can be sent again; of others that is not known, so they are given out once, unless
 * {@link UpstreamConfig.Builder#alsoReplayable} says otherwise.
 *
 * <p><b>Bodies of responses.</b> The body handler is applied to the response that the caller gets, and to one whose
 * body broke off before; not to those that are repeated or came second.
 *
 * <p><b>Failures.</b> An endpoint's are thrown as the JDK's client throws them. A refusal, by breakers of all endpoints
 * or by a limit, is a {@link HttpRefusedException}; a deadline that passes a {@code HttpTimeoutException}. An interrupt
 * of {@code send} ends the exchange, and so does a cancel of what {@code sendAsync} returned, but not of a future
 * derived from it.
 *
 * <p><b>Names.</b> The path of an endpoint's URI is put in front of the request's, which must have no {@code ..} then,
 * in any encoding. An endpoint sees its own address as {@code Host}, and its certificate is checked against it: give
 * endpoints by the names that their certificates have. A request for {@code https} is never sent to an endpoint with
 * {@code http}. Redirects are followed by the client inside, which does not know logical hosts: answer with relative
 * ones.
 *
 * <p><b>Pushes</b> (HTTP/2) go to the handler; a call with one has a single attempt, unless it was not sent. WebSockets
 * pass through.
 *
 * <p><b>The end.</b> {@link #close} ends this client and never the one inside.
 *
 * <p>Thread-safe. {@link #sendAsync} does not block, and does not bound how many exchanges, connections and threads the
 * client inside has at once: an executor of that client and a bulkhead in {@link UpstreamConfig.Builder#limits} do.
 *
 * @since 0.1
 */
public final class BalancedHttpClient extends ClientInFront implements Measured, AutoCloseable {
    private final Map<String, Upstream<URI, HttpRequest, HttpResponse<?>>> hosts = new LinkedHashMap<>();
    private final Environment environment;
    private final Shutdown shutdown;

    private BalancedHttpClient(Builder builder) {
        super(builder.client);
        environment = builder.environment;
        shutdown = new Shutdown(environment);
        builder.hosts.forEach((authority, host) -> {
            hosts.put(
                    authority,
                    Upstream.of(
                            authority,
                            new JdkTransport(authority, client, host.config, environment, shutdown::isAborted),
                            host.source,
                            host.config,
                            environment));
        });
    }

    /**
     * Returns a client for one logical host, with the defaults.
     *
     * @param client what sends
     * @param host the host as in requests, with a port only if it has one there: {@code catalog} for
     *     {@code http://catalog/}
     * @param source where its endpoints are: URIs with scheme, host and port, and a path if they have one in front of
     *     all others
     * @return the client
     */
    public static BalancedHttpClient of(HttpClient client, String host, EndpointSource<URI> source) {
        return of(client, host, source, config -> {});
    }

    /**
     * Returns a client for one logical host, with the defaults.
     *
     * @param client what sends
     * @param host the host as in requests
     * @param source where its endpoints are
     * @param environment where time, timers, threads and randomness come from
     * @return the client
     */
    public static BalancedHttpClient of(
            HttpClient client, String host, EndpointSource<URI> source, Environment environment) {
        return of(client, host, source, config -> {}, environment);
    }

    /**
     * Returns a client for one logical host.
     *
     * @param client what sends
     * @param host the host as in requests
     * @param source where its endpoints are
     * @param configure changes the defaults
     * @return the client
     */
    public static BalancedHttpClient of(
            HttpClient client,
            String host,
            EndpointSource<URI> source,
            Consumer<? super UpstreamConfig.Builder<URI, HttpRequest>> configure) {
        return builder(client).host(host, source, configure).build();
    }

    /**
     * Returns a client for one logical host.
     *
     * @param client what sends
     * @param host the host as in requests
     * @param source where its endpoints are
     * @param configure changes the defaults
     * @param environment where time, timers, threads and randomness come from
     * @return the client
     */
    public static BalancedHttpClient of(
            HttpClient client,
            String host,
            EndpointSource<URI> source,
            Consumer<? super UpstreamConfig.Builder<URI, HttpRequest>> configure,
            Environment environment) {
        return builder(client)
                .host(host, source, configure)
                .environment(environment)
                .build();
    }

    /**
     * Returns a builder of a client for several logical hosts.
     *
     * @param client what sends
     * @return a builder; not thread-safe
     */
    public static Builder builder(HttpClient client) {
        return new Builder(client);
    }

    /**
     * Returns the balancer of a logical host, for its snapshot.
     *
     * @param host as it was given to the builder
     * @return the balancer
     * @throws IllegalArgumentException if there is no such host
     */
    public LoadBalancer<URI> balancer(String host) {
        Upstream<URI, HttpRequest, HttpResponse<?>> upstream = hosts.get(LogicalUris.key(host));
        if (upstream == null) {
            throw new IllegalArgumentException("host must be one of " + hosts.keySet() + ", but was " + host);
        }
        return upstream.balancer();
    }

    @Override
    public <T> HttpResponse<T> send(HttpRequest request, BodyHandler<T> responseBodyHandler)
            throws IOException, InterruptedException {
        Upstream<URI, HttpRequest, HttpResponse<?>> host = hostOf(request);
        if (host != null && host.mayHedge(request)) {
            return sendAndWait(host, request, responseBodyHandler);
        }
        Shutdown.BlockedThread call = shutdown.beginHere();
        try {
            return host == null
                    ? client.send(request, responseBodyHandler)
                    : sendNow(host, request, responseBodyHandler);
        } catch (InterruptedException interrupt) {
            throw call.own(interrupt);
        } finally {
            shutdown.endHere(call);
        }
    }

    private <T> HttpResponse<T> sendAndWait(
            Upstream<URI, HttpRequest, HttpResponse<?>> host, HttpRequest request, BodyHandler<T> responseBodyHandler)
            throws IOException, InterruptedException {
        CompletableFuture<HttpResponse<T>> future = begin(host, request, responseBodyHandler, null);
        try {
            return future.get();
        } catch (InterruptedException interrupt) {
            future.cancel(true);
            throw interrupt;
        } catch (CancellationException shutDown) {
            throw Shutdown.refusal(shutDown);
        } catch (ExecutionException failed) {
            throw JdkAnswers.asDeclared(Outcomes.unwrap(failed));
        }
    }

    /** All attempts on the thread of the caller. */
    private <T> HttpResponse<T> sendNow(
            Upstream<URI, HttpRequest, HttpResponse<?>> upstream, HttpRequest request, BodyHandler<T> handler)
            throws IOException, InterruptedException {
        JdkCall<T> call = callOf(upstream, request, handler, null);
        CallContext context = contextOf(request);
        if (!upstream.isRepeatable(call)) {
            context = context.withIdempotent(false);
        }
        HttpResponse<?> response;
        try {
            BlockingCall<T> blocking = new BlockingCall<>(upstream, (JdkTransport) upstream.transport, call);
            response = context.<HttpResponse<?>, Exception>call(blocking::send);
        } catch (Exception thrown) {
            throw JdkAnswers.asDeclared(JdkAnswers.asInTheJdk(thrown));
        }
        Throwable failure = response instanceof JdkResponse<?> ours ? ours.failure : null;
        if (failure != null) {
            throw JdkAnswers.asDeclared(failure);
        }
        return JdkAnswers.bodyOf(response);
    }

    @Override
    public <T> CompletableFuture<HttpResponse<T>> sendAsync(HttpRequest request, BodyHandler<T> responseBodyHandler) {
        Upstream<URI, HttpRequest, HttpResponse<?>> host = hostOf(request);
        return host == null
                ? pass(() -> client.sendAsync(request, responseBodyHandler))
                : begin(host, request, responseBodyHandler, null);
    }

    @Override
    public <T> CompletableFuture<HttpResponse<T>> sendAsync(
            HttpRequest request,
            BodyHandler<T> responseBodyHandler,
            @Nullable PushPromiseHandler<T> pushPromiseHandler) {
        Upstream<URI, HttpRequest, HttpResponse<?>> host = hostOf(request);
        return host == null
                ? pass(() -> client.sendAsync(request, responseBodyHandler, pushPromiseHandler))
                : begin(host, request, responseBodyHandler, pushPromiseHandler);
    }

    /** A call for another host. */
    private <T> CompletableFuture<T> pass(Supplier<CompletableFuture<T>> call) {
        try {
            shutdown.begin();
        } catch (IOException refused) {
            return CompletableFuture.failedFuture(refused);
        }
        try {
            return shutdown.track(call.get());
        } catch (Throwable thrown) {
            shutdown.end();
            throw thrown;
        }
    }

    private @Nullable Upstream<URI, HttpRequest, HttpResponse<?>> hostOf(HttpRequest request) {
        return Uris.find(hosts, Require.nonNull("request", request).uri());
    }

    private <T> CompletableFuture<HttpResponse<T>> begin(
            Upstream<URI, HttpRequest, HttpResponse<?>> upstream,
            HttpRequest request,
            BodyHandler<T> handler,
            @Nullable PushPromiseHandler<T> pushes) {
        JdkCall<T> call = callOf(upstream, request, handler, pushes);
        CallContext context =
                pushes == null ? contextOf(request) : contextOf(request).withIdempotent(false);
        Operation<CompletableFuture<HttpResponse<?>>, RuntimeException> sending = () -> upstream.send(call);
        return pass(() -> new JdkAnswers.ResponseFuture<T>().follow(context.call(sending)));
    }

    private CallContext contextOf(HttpRequest request) {
        CallContext context = CallContext.current();
        Duration timeout = request.timeout().orElse(null);
        return timeout == null ? context : context.withDeadline(Deadline.after(timeout, environment.clock()));
    }

    private static <T> JdkCall<T> callOf(
            Upstream<URI, HttpRequest, HttpResponse<?>> upstream,
            HttpRequest request,
            BodyHandler<T> handler,
            @Nullable PushPromiseHandler<T> pushes) {
        return new JdkCall<>(
                request, handler, pushes, upstream.config.alsoReplayable().test(request));
    }

    @Override
    public void measure(Sink sink) {
        hosts.values().forEach(upstream -> upstream.measure(sink));
    }

    /**
     * Ends this client in order: calls that have begun run to their end, waits between attempts included, and a call
     * that begins later fails with an {@code IOException}. Does not wait. As {@code HttpClient.shutdown} of JDK 21 and
     * later, on every JDK. The client that was handed in, which others may use, stays as it is.
     */
    public void shutdown() {
        shutdown.shutdown();
    }

    /**
     * Ends this client at once: as {@link #shutdown}, and cancels its calls that run, for other hosts too. A blocking
     * {@code send} is interrupted, and fails with an {@code IOException}; that interrupt does not stay with its thread.
     * An attempt that would begin later fails. The client that was handed in stays as it is.
     */
    public void shutdownNow() {
        shutdown.shutdownNow();
    }

    /** {@return whether this client was shut down and all its calls have ended} */
    public boolean isTerminated() {
        return shutdown.isTerminated();
    }

    /**
     * Waits until this client has been shut down and all its calls have ended.
     *
     * @param duration how long to wait at most
     * @return whether it has ended
     * @throws NullPointerException if an argument is null
     * @throws InterruptedException if the thread is interrupted while it waits
     */
    public boolean awaitTermination(Duration duration) throws InterruptedException {
        return shutdown.awaitTermination(Require.nonNull("duration", duration));
    }

    /**
     * Shuts down, waits for the calls that run, and stops watching the endpoints. An interrupt of the thread cancels
     * the calls and keeps waiting for their end. The client that was handed in stays open, on every JDK: it belongs to
     * the code that made it.
     */
    @Override
    public void close() {
        shutdown.shutdown();
        boolean interrupted = false;
        boolean ended = false;
        while (!ended) {
            try {
                shutdown.awaitTermination();
                ended = true;
            } catch (InterruptedException interrupt) {
                interrupted = true;
                shutdown.shutdownNow();
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
        hosts.values().forEach(Upstream::close);
    }

    @Override
    public String toString() {
        return "BalancedHttpClient" + hosts.values();
    }

    /**
     * Sets up a {@link BalancedHttpClient}.
     *
     * @since 0.1
     */
    public static final class Builder {
        private final HttpClient client;
        private final Map<String, Host> hosts = new LinkedHashMap<>();
        private Environment environment = Environment.system();

        private Builder(HttpClient client) {
            this.client = Require.nonNull("client", client);
        }

        /**
         * Adds a logical host.
         *
         * @param host the host as in requests, with a port only if it has one there; it is also the name of its
         *     policies
         * @param source where its endpoints are
         * @param configure changes the defaults
         * @return this
         * @throws NullPointerException if an argument is null
         * @throws IllegalArgumentException if the host is blank or was added before, or a setting is out of its range
         */
        public Builder host(
                String host,
                EndpointSource<URI> source,
                Consumer<? super UpstreamConfig.Builder<URI, HttpRequest>> configure) {
            UpstreamConfig.Builder<URI, HttpRequest> builder = UpstreamConfig.builder(HttpOutcomes.rule());
            Require.nonNull("configure", configure).accept(builder);
            return host(host, source, builder.build());
        }

        /**
         * Adds a logical host.
         *
         * @param host the host as in requests, with a port only if requests have one; it is also the name of its
         *     policies
         * @param source where its endpoints are
         * @param config its settings
         * @return this
         * @throws NullPointerException if an argument is null
         * @throws IllegalArgumentException if the host is blank, or was added before
         */
        public Builder host(String host, EndpointSource<URI> source, UpstreamConfig<URI, HttpRequest> config) {
            Host added = new Host(Require.nonNull("source", source), Require.nonNull("config", config));
            if (hosts.putIfAbsent(LogicalUris.key(host), added) != null) {
                throw new IllegalArgumentException("host must be added once, but was again: " + host);
            }
            return this;
        }

        /**
         * Sets where time, timers, threads and randomness come from. Default: {@link Environment#system()}.
         *
         * @param value the environment, for all hosts
         * @return this
         * @throws NullPointerException if an argument is null
         */
        public Builder environment(Environment value) {
            environment = Require.nonNull("environment", value);
            return this;
        }

        /**
         * Returns the client.
         *
         * @return the client
         */
        public BalancedHttpClient build() {
            return new BalancedHttpClient(this);
        }

        private record Host(EndpointSource<URI> source, UpstreamConfig<URI, HttpRequest> config) {}
    }
}
