package dev.levee.httpclient5;

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
import java.util.function.Consumer;
import org.apache.hc.client5.http.ClientProtocolException;
import org.apache.hc.client5.http.impl.ChainElement;
import org.apache.hc.client5.http.impl.classic.CloseableHttpClient;
import org.apache.hc.client5.http.impl.classic.CloseableHttpResponse;
import org.apache.hc.client5.http.impl.classic.HttpClientBuilder;
import org.apache.hc.client5.http.protocol.HttpClientContext;
import org.apache.hc.client5.http.routing.RoutingSupport;
import org.apache.hc.core5.concurrent.CancellableDependency;
import org.apache.hc.core5.http.ClassicHttpRequest;
import org.apache.hc.core5.http.ClassicHttpResponse;
import org.apache.hc.core5.http.HttpException;
import org.apache.hc.core5.http.HttpHost;
import org.apache.hc.core5.http.protocol.HttpContext;
import org.apache.hc.core5.io.CloseMode;
import org.jspecify.annotations.Nullable;

/**
 * An Apache HttpClient 5 (the classic, blocking one) that sends requests for a logical host to one of its endpoints,
 * tries again elsewhere, hedges, and stops calling an endpoint that fails. Requests for other hosts pass through.
 *
 * <pre>{@code
 * CloseableHttpClient client = BalancedApacheClient.of(
 *     HttpClients.custom(),
 *     "catalog",
 *     EndpointSource.ofAddresses(List.of(URI.create("http://10.0.0.1:8080"), URI.create("http://10.0.0.2:8080"))));
 * String product = client.execute(new HttpGet("http://catalog/products/42"), new BasicHttpClientResponseHandler());
 * }</pre>
 *
 * <p>What is repeated, and when, is described at {@link dev.levee.http.Upstream}; what a status means at
 * {@link dev.levee.http.HttpOutcomes}. Each attempt is an execution of its own by the client inside, which is built
 * from the builder that was handed in. In addition:
 *
 * <p><b>What was not sent.</b> A handler that stands where the connection is made says whether anything was written; a
 * request of which nothing was goes elsewhere whatever its method. The client's own automatic retries are switched off,
 * also for other hosts: they would multiply. See ADR 136.
 *
 * <p><b>Time.</b> The deadline of {@code CallContext} bounds the whole call with the body of the answer. Each attempt
 * has {@link UpstreamConfig.Builder#attemptTimeout} until its headers, and the smaller of the two in
 * {@link dev.levee.core.Deadline#HEADER}. Connect and response timeouts of the client hold inside;
 * {@link UpstreamConfig.Builder#idleTimeout} does not apply: {@code responseTimeout} is that.
 *
 * <p><b>Bodies.</b> A request body is sent again if its entity is repeatable. An answer is handed out at its headers;
 * it counts as in flight at its endpoint, and keeps its permits, until its body is read to the end or the response is
 * closed, as {@code execute} with a handler does by itself. See ADR 137.
 *
 * <p><b>Cancel</b> of a request ({@code HttpUriRequestBase.cancel}) ends all its attempts, and later its body.
 *
 * <p><b>Contexts.</b> An attempt has a context of its own with the settings of the caller's, because attempts may run
 * at the same time; the caller's context gets request, response, route and redirects of the answer. A refusal is an
 * {@link dev.levee.http.HttpRefusedException}, which is an {@code IOException}.
 *
 * <p>Thread-safe.
 *
 * @since 0.1
 */
public final class BalancedApacheClient extends CloseableHttpClient implements Measured {
    private final CloseableHttpClient client;
    private final BlockingHosts<ClassicHttpRequest, ClassicHttpResponse> hosts;

    private BalancedApacheClient(Builder builder) {
        client = builder.client
                .disableAutomaticRetries()
                .addExecInterceptorBefore(ChainElement.MAIN_TRANSPORT.name(), "levee-sent", ApacheExchange::sending)
                .build();
        hosts = builder.hosts.build((name, environment) -> new ApacheTransport(name, client, environment));
    }

    /**
     * Returns a client for one logical host, with the defaults.
     *
     * @param client builds the client that sends: its automatic retries are switched off, and it is to be used for
     *     nothing else
     * @param host the host as in requests, with a port only if it has one there: {@code catalog} for
     *     {@code http://catalog/}
     * @param source where its endpoints are: URIs with scheme, host and port, and a path if they have one in front of
     *     all others
     * @return the client
     * @throws NullPointerException if an argument is null
     * @throws IllegalArgumentException if the host is blank or no authority
     */
    public static BalancedApacheClient of(HttpClientBuilder client, String host, EndpointSource<URI> source) {
        return of(client, host, source, config -> {});
    }

    /**
     * Returns a client for one logical host, with the defaults.
     *
     * @param client builds the client that sends
     * @param host the host as in requests
     * @param source where its endpoints are
     * @param environment where time, timers, threads and randomness come from
     * @return the client
     * @throws NullPointerException if an argument is null
     * @throws IllegalArgumentException if the host is blank or no authority
     */
    public static BalancedApacheClient of(
            HttpClientBuilder client, String host, EndpointSource<URI> source, Environment environment) {
        return of(client, host, source, config -> {}, environment);
    }

    /**
     * Returns a client for one logical host.
     *
     * @param client builds the client that sends
     * @param host the host as in requests
     * @param source where its endpoints are
     * @param configure changes the defaults
     * @return the client
     * @throws NullPointerException if an argument is null
     * @throws IllegalArgumentException if the host is blank or no authority, or a setting is out of its range
     */
    public static BalancedApacheClient of(
            HttpClientBuilder client,
            String host,
            EndpointSource<URI> source,
            Consumer<? super UpstreamConfig.Builder<URI, ClassicHttpRequest>> configure) {
        return builder(client).host(host, source, configure).build();
    }

    /**
     * Returns a client for one logical host.
     *
     * @param client builds the client that sends
     * @param host the host as in requests
     * @param source where its endpoints are
     * @param configure changes the defaults
     * @param environment where time, timers, threads and randomness come from
     * @return the client
     * @throws NullPointerException if an argument is null
     * @throws IllegalArgumentException if the host is blank or no authority, or a setting is out of its range
     */
    public static BalancedApacheClient of(
            HttpClientBuilder client,
            String host,
            EndpointSource<URI> source,
            Consumer<? super UpstreamConfig.Builder<URI, ClassicHttpRequest>> configure,
            Environment environment) {
        return builder(client)
                .host(host, source, configure)
                .environment(environment)
                .build();
    }

    /**
     * Returns a builder of a client for several logical hosts.
     *
     * @param client builds the client that sends
     * @return a builder; not thread-safe
     * @throws NullPointerException if an argument is null
     */
    public static Builder builder(HttpClientBuilder client) {
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
        return hosts.balancer(host);
    }

    @Override
    protected CloseableHttpResponse doExecute(
            @Nullable HttpHost target, ClassicHttpRequest request, @Nullable HttpContext context) throws IOException {
        Require.nonNull("request", request);
        HttpHost named = target == null ? hostOf(request) : target;
        BlockingHost<ClassicHttpRequest, ClassicHttpResponse> host =
                hasUserInfo(request) ? null : hosts.find(named.getSchemeName(), named.toHostString());
        if (host == null) {
            return CloseableHttpResponse.adapt(client.executeOpen(target, request, context));
        }
        HttpClientContext given = HttpClientContext.castOrCreate(context);
        ClassicHttpResponse response =
                host.send(new ApacheCall(request, named, given), 0, cancel -> onCancel(request, cancel));
        if (response.getEntity() instanceof HeldEntity held) {
            held.exchange().copyTo(given);
        }
        return CloseableHttpResponse.adapt(response);
    }

    /** Such a request is for another host, as with the other clients; this client refuses it. */
    private static boolean hasUserInfo(ClassicHttpRequest request) {
        return request.getAuthority() != null && request.getAuthority().getUserInfo() != null;
    }

    private static HttpHost hostOf(ClassicHttpRequest request) throws ClientProtocolException {
        try {
            return RoutingSupport.determineHost(request);
        } catch (HttpException malformed) {
            throw new ClientProtocolException(malformed);
        }
    }

    private static void onCancel(ClassicHttpRequest request, Runnable cancel) {
        if (request instanceof CancellableDependency cancellable) {
            cancellable.setDependency(() -> {
                cancel.run();
                return true;
            });
        }
    }

    @Override
    public void measure(Sink sink) {
        hosts.measure(sink);
    }

    /** Stops watching the endpoints, and closes the client inside with its connections. */
    @Override
    public void close() throws IOException {
        hosts.close();
        client.close();
    }

    @Override
    public void close(CloseMode closeMode) {
        hosts.close();
        client.close(closeMode);
    }

    @Override
    public String toString() {
        return "BalancedApacheClient" + hosts;
    }

    /**
     * Sets up a {@link BalancedApacheClient}.
     *
     * @since 0.1
     */
    public static final class Builder {
        private final HttpClientBuilder client;
        private final BlockingHosts.Builder<ClassicHttpRequest> hosts = new BlockingHosts.Builder<>();

        private Builder(HttpClientBuilder client) {
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
                Consumer<? super UpstreamConfig.Builder<URI, ClassicHttpRequest>> configure) {
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
         * Returns the client.
         *
         * @return the client
         * @throws IllegalArgumentException if a setting of a host is out of its range
         */
        public BalancedApacheClient build() {
            return new BalancedApacheClient(this);
        }
    }
}
