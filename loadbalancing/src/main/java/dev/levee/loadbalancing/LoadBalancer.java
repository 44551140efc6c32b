package dev.levee.loadbalancing;

import dev.levee.core.Environment;
import dev.levee.core.Measured;
import dev.levee.core.internal.Require;
import dev.levee.loadbalancing.discovery.Endpoint;
import dev.levee.loadbalancing.discovery.EndpointSource;
import dev.levee.loadbalancing.strategy.BalancingStrategy;
import java.util.List;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Sends each call to one of several endpoints.
 *
 * <pre>{@code
 * LoadBalancer<URI> nodes =
 *     LoadBalancer.of("catalog", BalancingStrategy.powerOfTwoChoices(), EndpointSource.ofAddresses(uris));
 * Product product = nodes.call(uri -> http.get(uri.resolve("/products/42")));
 * Product again = retry.call(nodes.operation(uri -> http.get(uri.resolve("/products/42"))));  // another host each time
 * Cart cart = nodes.call(user, uri -> http.get(uri.resolve("/cart")));                        // one host for each user
 * }</pre>
 *
 * <p>A call may carry a key: {@link #call(CharSequence, Exchange)} and {@link #forKey(CharSequence)}. Strategies that
 * use it, such as {@link BalancingStrategy#consistentHash()}, send calls with one key to one endpoint as long as they
 * can; the others ignore it at no cost. A number is taken as it is; a text is hashed by the strategy.
 *
 * <p>With a gate for each endpoint ({@link LoadBalancerConfig.Builder#gatePerEndpoint}) an endpoint that fails is left
 * out for as long as its gate refuses: the call goes to the next that the strategy names, until all have been asked
 * once.
 *
 * <p><b>Changes.</b> When the source publishes a new set, later calls see it whole; calls in flight end where they are.
 * An endpoint with the same id and an equal address is the same one: its calls in flight and its gate stay, its weight
 * may change. One with another address, or one that had left, starts afresh, with no calls in flight and a new gate.
 * Endpoints with the same id in one set are one, with the sum of their weights (at most {@link Endpoint#MAX_WEIGHT}),
 * the first of their priorities and the labels of all, of different values the first in the order of texts; a set in
 * which they have different addresses is refused with {@code IllegalArgumentException} and the old set stays. The order
 * in which a source names endpoints never matters.
 *
 * <p>With {@link LoadBalancerConfig.Builder#health} endpoints that fail checks or calls are left out for all calls, for
 * a time.
 *
 * <p>Thread-safe. Nothing here locks, waits or, apart from what a method says, allocates.
 *
 * @param <A> the type of the addresses
 * @since 0.1
 */
public interface LoadBalancer<A> extends BalancedCalls<A>, Measured, AutoCloseable {
    /**
     * Returns a balancer with the default settings, in {@link Environment#system()}.
     *
     * @param name the name in logs, metrics and refusals, not blank
     * @param strategy picks an endpoint for each call
     * @param source publishes the endpoints
     * @param <A> the type of the addresses
     * @return the balancer
     * @throws IllegalArgumentException if the name is blank or the first set is contradictory
     * @throws NullPointerException if an argument is null
     */
    static <A> LoadBalancer<A> of(String name, BalancingStrategy strategy, EndpointSource<A> source) {
        return of(name, strategy, source, Environment.system());
    }

    /**
     * Returns a balancer with the default settings.
     *
     * @param name the name in logs, metrics and refusals, not blank
     * @param strategy picks an endpoint for each call
     * @param source publishes the endpoints
     * @param environment the source of time, threads, randomness and the listener
     * @param <A> the type of the addresses
     * @return the balancer
     * @throws IllegalArgumentException if the name is blank or the first set is contradictory
     * @throws NullPointerException if an argument is null
     */
    static <A> LoadBalancer<A> of(
            String name, BalancingStrategy strategy, EndpointSource<A> source, Environment environment) {
        return of(name, strategy, source, LoadBalancerConfig.<A>builder().build(), environment);
    }

    /**
     * Returns a balancer in {@link Environment#system()}.
     *
     * @param name the name in logs, metrics and refusals, not blank
     * @param strategy picks an endpoint for each call
     * @param source publishes the endpoints
     * @param configure changes the default settings
     * @param <A> the type of the addresses
     * @return the balancer
     * @throws IllegalArgumentException if the name is blank or the first set is contradictory
     * @throws NullPointerException if an argument is null
     */
    static <A> LoadBalancer<A> of(
            String name,
            BalancingStrategy strategy,
            EndpointSource<A> source,
            Consumer<? super LoadBalancerConfig.Builder<A>> configure) {
        return of(name, strategy, source, configure, Environment.system());
    }

    /**
     * Returns a balancer.
     *
     * @param name the name in logs, metrics and refusals, not blank
     * @param strategy picks an endpoint for each call
     * @param source publishes the endpoints
     * @param configure changes the default settings
     * @param environment the source of time, threads, randomness and the listener; each gate has a clock of its own
     * @param <A> the type of the addresses
     * @return the balancer
     * @throws IllegalArgumentException if the name is blank or the first set is contradictory
     * @throws NullPointerException if an argument is null
     */
    static <A> LoadBalancer<A> of(
            String name,
            BalancingStrategy strategy,
            EndpointSource<A> source,
            Consumer<? super LoadBalancerConfig.Builder<A>> configure,
            Environment environment) {
        LoadBalancerConfig<A> config = Require.configured(
                "balancer", name, LoadBalancerConfig.<A>builder(), configure, LoadBalancerConfig.Builder<A>::build);
        return of(name, strategy, source, config, environment);
    }

    /**
     * Returns a balancer in {@link Environment#system()}.
     *
     * @param name the name in logs, metrics and refusals, not blank
     * @param strategy picks an endpoint for each call
     * @param source publishes the endpoints
     * @param config the settings
     * @param <A> the type of the addresses
     * @return the balancer
     * @throws IllegalArgumentException if the name is blank or the first set is contradictory
     * @throws NullPointerException if an argument is null
     */
    static <A> LoadBalancer<A> of(
            String name, BalancingStrategy strategy, EndpointSource<A> source, LoadBalancerConfig<A> config) {
        return of(name, strategy, source, config, Environment.system());
    }

    /**
     * Returns a balancer.
     *
     * @param name the name in logs, metrics and refusals, not blank
     * @param strategy picks an endpoint for each call
     * @param source publishes the endpoints
     * @param config the settings
     * @param environment the source of time, threads, randomness and the listener; each gate has a clock of its own
     * @param <A> the type of the addresses
     * @return the balancer
     * @throws IllegalArgumentException if the name is blank or the first set is contradictory
     * @throws NullPointerException if an argument is null
     */
    static <A> LoadBalancer<A> of(
            String name,
            BalancingStrategy strategy,
            EndpointSource<A> source,
            LoadBalancerConfig<A> config,
            Environment environment) {
        return SnapshotBalancer.of(name, strategy, source, config, environment);
    }

    /**
     * Returns the name in logs, metrics and refusals.
     *
     * @return the name that it was built with
     */
    String name();

    /**
     * Calls an endpoint for a textual key, on the calling thread; see {@link #call(Exchange)}.
     *
     * <p>The same as {@code forKey(key).call(exchange)}, without the view: this one allocates nothing, however the JVM
     * compiles it.
     *
     * @param key what the call is for, such as a user or a document
     * @param exchange what to do with the endpoint
     * @param <T> what it returns
     * @param <X> what it throws
     * @return what the exchange returned, which may be null
     * @throws X what the exchange threw, the same object
     * @throws NoEndpointException if there is no endpoint, or the gate of every one refused
     * @throws NullPointerException if the key or the exchange is null
     */
    <T extends @Nullable Object, X extends Throwable> T call(CharSequence key, Exchange<? super A, T, X> exchange)
            throws X;

    /**
     * Calls an endpoint for a numeric key, on the calling thread; see {@link #call(CharSequence, Exchange)}.
     *
     * @param key what the call is for, such as a user or a document
     * @param exchange what to do with the endpoint
     * @param <T> what it returns
     * @param <X> what it throws
     * @return what the exchange returned, which may be null
     * @throws X what the exchange threw, the same object
     * @throws NoEndpointException if there is no endpoint, or the gate of every one refused
     * @throws NullPointerException if the exchange is null
     */
    <T extends @Nullable Object, X extends Throwable> T call(long key, Exchange<? super A, T, X> exchange) throws X;

    /**
     * Returns the calls of a textual key. The strategy hashes the key, here and once; strategies without keys ignore
     * it.
     *
     * <p>The view is an object of 24 bytes, which the JVM removes only where it inlines the call, so the blocking call
     * has a form without it. A view may also be kept, for any number of calls.
     *
     * @param key what the calls are for, such as a user or a document
     * @return the calls of the key; thread-safe
     * @throws NullPointerException if the key is null
     */
    BalancedCalls<A> forKey(CharSequence key);

    /**
     * Returns the calls of a numeric key; see {@link #forKey(CharSequence)}.
     *
     * @param key what the calls are for, such as a user or a document
     * @return the calls of the key; thread-safe
     */
    BalancedCalls<A> forKey(long key);

    /**
     * Returns the state of every endpoint. Allocates the list.
     *
     * @return all endpoints, drained ones too, in the order of their ids
     */
    List<EndpointState<A>> snapshot();

    /**
     * Returns how many endpoints are neither drained nor left out for their health; all of them if every one is
     * drained. For code that asks at each call, such as whether there is another endpoint to try: allocates nothing,
     * and costs the same however many there are.
     *
     * @return 0 or more
     */
    int usableEndpoints();

    /**
     * Writes figures to a sink. Under the name of the balancer: {@code balancer.endpoints}, {@code balancer.candidates}
     * (those that are neither drained nor left out for their health) and {@code balancer.expired} (tickets that were
     * not closed within their lease). Under the name, a slash and the id of each endpoint: {@code endpoint.in.flight}
     * and, if they are counted, {@code endpoint.picks}; and what the gates and the strategy measure themselves.
     *
     * <p>Where health is watched, under the name of the balancer: {@code balancer.healthy}, {@code .warming},
     * {@code .ejected}, {@code .unhealthy}, {@code .draining} (endpoints in each state), {@code balancer.panic} and
     * {@code balancer.ejection.suspended} (1 or 0), {@code balancer.ejections} and {@code balancer.stalls} (totals; a
     * stall is a pause of this process). Where draining has a deadline: {@code balancer.drains} (those that have not
     * ended).
     *
     * @throws NullPointerException if the sink is null
     */
    @Override
    void measure(Sink sink);

    /**
     * Unsubscribes from the source, and stops checks and all timers but those of tickets. Later calls use the last
     * known endpoints with their last known health; endpoints that are still draining are closed.
     */
    @Override
    void close();
}
