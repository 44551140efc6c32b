package dev.levee.okhttp;

import dev.levee.core.Environment;
import dev.levee.core.Measured;
import dev.levee.core.internal.Require;
import dev.levee.http.UpstreamConfig;
import dev.levee.http.blocking.BlockingHost;
import dev.levee.http.blocking.BlockingHosts;
import dev.levee.loadbalancing.LoadBalancer;
import dev.levee.loadbalancing.discovery.EndpointSource;
import java.io.IOException;
import java.net.URI;
import java.time.Duration;
import java.util.function.Consumer;
import okhttp3.Call;
import okhttp3.EventListener;
import okhttp3.HttpUrl;
import okhttp3.Interceptor;
import okhttp3.OkHttpClient;
import okhttp3.Request;
import okhttp3.Response;
import org.jspecify.annotations.Nullable;

/**
 * An OkHttp interceptor that sends requests for a logical host to one of its endpoints, tries again elsewhere, hedges,
 * and stops calling an endpoint that fails. Requests for other hosts, and web sockets, pass through.
 *
 * <pre>{@code
 * BalancedInterceptor catalog = BalancedInterceptor.of(
 *     new OkHttpClient(),
 *     "catalog",
 *     EndpointSource.ofAddresses(List.of(URI.create("http://10.0.0.1:8080"), URI.create("http://10.0.0.2:8080"))));
 * OkHttpClient client = catalog.client();
 * Request request = new Request.Builder().url("http://catalog/products/42").build();
 * try (Response product = client.newCall(request).execute()) { ... }
 * }</pre>
 *
 * <p>What is repeated, and when, is described at {@link dev.levee.http.Upstream}; what a status means at
 * {@link dev.levee.http.HttpOutcomes}. Each attempt is a call of its own, by the client that was handed in, with the
 * interceptors, connections and event listeners of that client. In addition:
 *
 * <p><b>What was not sent.</b> OkHttp's events say whether it began to write; a request of which it did not, and one
 * whose HTTP/2 stream was refused, goes elsewhere whatever its method. OkHttp's own {@code retryOnConnectionFailure} is
 * off for attempts, because it may send a POST a second time. See ADR 136.
 *
 * <p><b>Time.</b> {@code callTimeout} of the client that calls, and the deadline of {@code CallContext}, bound the
 * whole call with the body of the answer. Each attempt has {@link UpstreamConfig.Builder#attemptTimeout} until its
 * headers, and the smaller of the two in {@link dev.levee.core.Deadline#HEADER}. OkHttp's connect, read and write
 * timeouts hold inside; {@link UpstreamConfig.Builder#idleTimeout} does not apply: {@code readTimeout} is that.
 *
 * <p><b>Bodies.</b> A request body is sent again unless it is one-shot or duplex. The answer is handed out at its
 * headers; it counts as in flight at its endpoint, and keeps its permits, until its body is read to the end or closed:
 * close it, as always with OkHttp. See ADR 137.
 *
 * <p><b>Cancel</b> of the call ends all its attempts, and later its body.
 *
 * <p><b>Threads.</b> Attempts run on threads of the {@link Environment}, and not on OkHttp's dispatcher, so that its
 * limits hold for whole calls and never for an attempt that a call waits for. For asynchronous calls the dispatcher
 * takes all endpoints for one host, of which it lets 5 calls run at once unless told otherwise. A refusal is an
 * {@link dev.levee.http.HttpRefusedException}, which is an {@code IOException}.
 *
 * <p>Thread-safe. Needs OkHttp 5.5 or later.
 *
 * @since 0.1
 */
public final class BalancedInterceptor implements Interceptor, Measured, AutoCloseable {
    private final OkHttpClient client;
    private final BlockingHosts<Request, Response> hosts;

    private BalancedInterceptor(Builder builder) {
        client = builder.client;
        OkHttpClient attempts = SaneAnswers.only(
                        client.newBuilder().retryOnConnectionFailure(false).callTimeout(Duration.ZERO))
                .build();
        hosts = builder.hosts.build((name, environment) -> new OkTransport(name, attempts, environment));
    }

    /**
     * Returns an interceptor for one logical host, with the defaults.
     *
     * @param client what sends
     * @param host the host as in requests, with a port only if it has one there: {@code catalog} for
     *     {@code http://catalog/}
     * @param source where its endpoints are: URIs with scheme, host and port, and a path if they have one in front of
     *     all others
     * @return the interceptor
     * @throws NullPointerException if an argument is null
     * @throws IllegalArgumentException if the host is blank or no authority
     */
    public static BalancedInterceptor of(OkHttpClient client, String host, EndpointSource<URI> source) {
        return of(client, host, source, config -> {});
    }

    /**
     * Returns an interceptor for one logical host, with the defaults.
     *
     * @param client what sends
     * @param host the host as in requests
     * @param source where its endpoints are
     * @param environment where time, timers, threads and randomness come from
     * @return the interceptor
     * @throws NullPointerException if an argument is null
     * @throws IllegalArgumentException if the host is blank or no authority
     */
    public static BalancedInterceptor of(
            OkHttpClient client, String host, EndpointSource<URI> source, Environment environment) {
        return of(client, host, source, config -> {}, environment);
    }

    /**
     * Returns an interceptor for one logical host.
     *
     * @param client what sends
     * @param host the host as in requests
     * @param source where its endpoints are
     * @param configure changes the defaults
     * @return the interceptor
     * @throws NullPointerException if an argument is null
     * @throws IllegalArgumentException if the host is blank or no authority, or a setting is out of its range
     */
    public static BalancedInterceptor of(
            OkHttpClient client,
            String host,
            EndpointSource<URI> source,
            Consumer<? super UpstreamConfig.Builder<URI, Request>> configure) {
        return builder(client).host(host, source, configure).build();
    }

    /**
     * Returns an interceptor for one logical host.
     *
     * @param client what sends
     * @param host the host as in requests
     * @param source where its endpoints are
     * @param configure changes the defaults
     * @param environment where time, timers, threads and randomness come from
     * @return the interceptor
     * @throws NullPointerException if an argument is null
     * @throws IllegalArgumentException if the host is blank or no authority, or a setting is out of its range
     */
    public static BalancedInterceptor of(
            OkHttpClient client,
            String host,
            EndpointSource<URI> source,
            Consumer<? super UpstreamConfig.Builder<URI, Request>> configure,
            Environment environment) {
        return builder(client)
                .host(host, source, configure)
                .environment(environment)
                .build();
    }

    /**
     * Returns a builder of an interceptor for several logical hosts.
     *
     * @param client what sends
     * @return a builder; not thread-safe
     * @throws NullPointerException if an argument is null
     */
    public static Builder builder(OkHttpClient client) {
        return new Builder(client);
    }

    /**
     * Returns a client that has this interceptor in front of the ones that the client has which was handed in, and is
     * like that one in all else: it shares its connections, dispatcher and cache.
     *
     * @return a client
     */
    public OkHttpClient client() {
        OkHttpClient.Builder builder = client.newBuilder();
        builder.interceptors().add(0, this);
        return builder.build();
    }

    /**
     * Returns the balancer of a logical host, for its snapshot.
     *
     * @param host as it was given to the builder
     * @return the balancer
     * @throws IllegalArgumentException if there is no such host
     */
    public LoadBalancer<URI> balancer(String host) {
        return hosts.balancer(host);
    }

    @Override
    public Response intercept(Chain chain) throws IOException {
        Request request = chain.request();
        HttpUrl url = request.url();
        BlockingHost<Request, Response> host = hosts.find(url.scheme(), OkTransport.authority(url));
        if (host == null || "websocket".equalsIgnoreCase(request.header("Upgrade"))) {
            return chain.proceed(request);
        }
        if (chain.connection() != null) {
            throw new IllegalStateException("this interceptor must be added by addInterceptor, and not by"
                    + " addNetworkInterceptor, where an endpoint has been chosen already");
        }
        Call call = chain.call();
        CallCancels cancels = new CallCancels();
        call.addEventListener(cancels);
        return host.send(request, call.timeout().timeoutNanos(), cancel -> cancels.set(call, cancel));
    }

    @Override
    public void measure(Sink sink) {
        hosts.measure(sink);
    }

    /** Stops watching the endpoints. Later requests use those that are known. The client stays open. */
    @Override
    public void close() {
        hosts.close();
    }

    @Override
    public String toString() {
        return "BalancedInterceptor" + hosts;
    }

    /** Passes the cancel of a call on. */
    private static final class CallCancels extends EventListener {
        private volatile @Nullable Runnable cancel;

        void set(Call call, Runnable given) {
            cancel = given;
            if (call.isCanceled()) { // it may have come before there was anything to cancel
                given.run();
            }
        }

        @Override
        public void canceled(Call call) {
            Runnable given = cancel;
            if (given != null) {
                given.run();
            }
        }
    }

    /**
     * Sets up a {@link BalancedInterceptor}.
     *
     * @since 0.1
     */
    public static final class Builder {
        private final OkHttpClient client;
        private final BlockingHosts.Builder<Request> hosts = new BlockingHosts.Builder<>();

        private Builder(OkHttpClient client) {
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
         * @throws IllegalArgumentException if the host is blank, no authority, or was added before
         */
        public Builder host(
                String host,
                EndpointSource<URI> source,
                Consumer<? super UpstreamConfig.Builder<URI, Request>> configure) {
            hosts.host(host, source, configure);
            return this;
        }

        /**
         * Sets where time, timers, threads and randomness come from. Default: {@link Environment#system()}.
         *
         * @param value the environment, for all hosts
         * @return this
         * @throws NullPointerException if it is null
         */
        public Builder environment(Environment value) {
            hosts.environment(value);
            return this;
        }

        /**
         * Returns the interceptor.
         *
         * @return the interceptor
         * @throws IllegalArgumentException if a setting of a host is out of its range
         */
        public BalancedInterceptor build() {
            return new BalancedInterceptor(this);
        }
    }
}
