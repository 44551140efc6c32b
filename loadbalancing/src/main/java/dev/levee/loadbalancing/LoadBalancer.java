package dev.levee.loadbalancing;

import dev.levee.core.Environment;
import dev.levee.core.Measured;
import dev.levee.core.Operation;
import dev.levee.core.internal.Require;
import dev.levee.loadbalancing.discovery.Endpoint;
import dev.levee.loadbalancing.discovery.EndpointSource;
import dev.levee.loadbalancing.strategy.BalancingStrategy;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Sends each call to one of several endpoints.
 *
 * <pre>{@code
 * LoadBalancer<URI> nodes = LoadBalancer.of("catalog", BalancingStrategy.powerOfTwoChoices(), EndpointSource.ofAddresses(uris));
 * Product product = nodes.call(uri -> http.get(uri.resolve("/products/42")));
 * Product again = retry.call(nodes.operation(uri -> http.get(uri.resolve("/products/42"))));   // another host each time
 * }</pre>
 *
 * <p>A call may carry a key. Strategies that care, such as {@link BalancingStrategy#consistentHash()}, send calls with one key to one
 * endpoint as long as they can; the others ignore it at no cost. A number is taken as it is; a text is hashed by the strategy.
 *
 * <p>With a gate for each endpoint ({@link LoadBalancerConfig.Builder#gatePerEndpoint}) an endpoint that fails is left out for as long
 * as its gate refuses: the call goes to the next that the strategy names, until all have been asked once.
 *
 * <p><b>Changes.</b> When the source tells a new set, calls that come later see it whole, calls in flight end where they are. An
 * endpoint with the same id and an equal address is the same one: its calls in flight and its gate stay, its weight may change. One
 * with another address, or one that had left, starts afresh, with no calls in flight and a new gate. Endpoints with the same id in
 * one set are one, with the sum of their weights (at most {@link Endpoint#MAXIMUM_WEIGHT}); a set in which they have different
 * addresses is refused with {@code IllegalArgumentException} and the old set stays. The order in which a source names endpoints
 * never matters.
 *
 * <p>With {@link LoadBalancerConfig.Builder#health} endpoints that fail checks or calls are left out for all calls, for a time.
 *
 * <p>Thread-safe. Nothing here locks, waits or, apart from what is said at a method, allocates.
 *
 * @param <A> the type of the addresses
 * @since 0.1
 */
public interface LoadBalancer<A> extends Measured, AutoCloseable {
    /**
     * A balancer without gates, in the machine's time.
     *
     * @param name what logs, metrics and refusals call it, not blank
     * @param strategy how it chooses
     * @param source among whom
     * @param <A> the type of the addresses
     * @return the balancer
     * @throws IllegalArgumentException if the name is blank or the first set is contradictory
     */
    static <A> LoadBalancer<A> of(String name, BalancingStrategy strategy, EndpointSource<A> source) {
        return of(name, strategy, source, LoadBalancerConfig.<A>builder().build(), Environment.system());
    }

    /**
     * A balancer in the machine's time.
     *
     * @param name what logs, metrics and refusals call it, not blank
     * @param strategy how it chooses
     * @param source among whom
     * @param configure changes the defaults
     * @param <A> the type of the addresses
     * @return the balancer
     * @throws IllegalArgumentException if the name is blank or the first set is contradictory
     */
    static <A> LoadBalancer<A> of(
            String name,
            BalancingStrategy strategy,
            EndpointSource<A> source,
            Consumer<? super LoadBalancerConfig.Builder<A>> configure) {
        return of(name, strategy, source, configure, Environment.system());
    }

    /**
     * A balancer.
     *
     * @param name what logs, metrics and refusals call it, not blank
     * @param strategy how it chooses
     * @param source among whom
     * @param configure changes the defaults
     * @param environment where randomness and the listener come from; each gate has a clock of its own
     * @param <A> the type of the addresses
     * @return the balancer
     * @throws IllegalArgumentException if the name is blank or the first set is contradictory
     */
    static <A> LoadBalancer<A> of(
            String name,
            BalancingStrategy strategy,
            EndpointSource<A> source,
            Consumer<? super LoadBalancerConfig.Builder<A>> configure,
            Environment environment) {
        LoadBalancerConfig.Builder<A> builder = LoadBalancerConfig.builder();
        Require.nonNull("configure", configure).accept(builder);
        return of(name, strategy, source, builder.build(), environment);
    }

    /**
     * A balancer.
     *
     * @param name what logs, metrics and refusals call it, not blank
     * @param strategy how it chooses
     * @param source among whom
     * @param config the configuration
     * @param environment where randomness and the listener come from; each gate has a clock of its own
     * @param <A> the type of the addresses
     * @return the balancer
     * @throws IllegalArgumentException if the name is blank or the first set is contradictory
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
     * What logs, metrics and refusals call it.
     *
     * @return the name that it was built with
     */
    String name();

    /**
     * Calls an endpoint on the calling thread. Allocates nothing, unless two or more endpoints refuse.
     *
     * @param exchange what to do with the endpoint
     * @param <T> what it returns
     * @param <X> what it throws
     * @return what the exchange returned, which may be null
     * @throws X what the exchange threw, the same object
     * @throws NoEndpointException if there is no endpoint, or the gate of every one refused
     */
    <T extends @Nullable Object, X extends Throwable> T call(Exchange<? super A, T, X> exchange) throws X;

    /**
     * Calls an endpoint for a textual key; see {@link #call(Exchange)}.
     *
     * @param key whom or what the call is for
     * @param exchange what to do with the endpoint
     * @param <T> what it returns
     * @param <X> what it throws
     * @return what the exchange returned, which may be null
     * @throws X what the exchange threw, the same object
     * @throws NoEndpointException if there is no endpoint, or the gate of every one refused
     */
    <T extends @Nullable Object, X extends Throwable> T call(CharSequence key, Exchange<? super A, T, X> exchange)
            throws X;

    /**
     * Calls an endpoint for a numeric key; see {@link #call(Exchange)}.
     *
     * @param key whom or what the call is for
     * @param exchange what to do with the endpoint
     * @param <T> what it returns
     * @param <X> what it throws
     * @return what the exchange returned, which may be null
     * @throws X what the exchange threw, the same object
     * @throws NoEndpointException if there is no endpoint, or the gate of every one refused
     */
    <T extends @Nullable Object, X extends Throwable> T call(long key, Exchange<? super A, T, X> exchange) throws X;

    /**
     * Calls an endpoint that answers later. Never blocks and never throws: what the exchange throws, or a
     * {@link NoEndpointException}, completes the future. The call counts as in flight until the stage has really ended; cancelling the
     * future cancels the stage, and is no evidence about the endpoint.
     *
     * @param exchange starts the call and returns its stage
     * @param <T> what the stage gives
     * @return a future that completes as the stage does, with what the stage failed with, not wrapped
     */
    <T extends @Nullable Object> CompletableFuture<T> callAsync(
            Function<? super A, ? extends CompletionStage<T>> exchange);

    /**
     * Calls an endpoint that answers later for a textual key; see {@link #callAsync(Function)}.
     *
     * @param key whom or what the call is for
     * @param exchange starts the call and returns its stage
     * @param <T> what the stage gives
     * @return a future that completes as the stage does, with what the stage failed with, not wrapped
     */
    <T extends @Nullable Object> CompletableFuture<T> callAsync(
            CharSequence key, Function<? super A, ? extends CompletionStage<T>> exchange);

    /**
     * Calls an endpoint that answers later for a numeric key; see {@link #callAsync(Function)}.
     *
     * @param key whom or what the call is for
     * @param exchange starts the call and returns its stage
     * @param <T> what the stage gives
     * @return a future that completes as the stage does, with what the stage failed with, not wrapped
     */
    <T extends @Nullable Object> CompletableFuture<T> callAsync(
            long key, Function<? super A, ? extends CompletionStage<T>> exchange);

    /**
     * One call that goes to another endpoint each time it is run: put it into a retry or a hedge.
     *
     * <p>It remembers the endpoints that it was sent to, and those that refused it, and goes to one of the others; runs at the same
     * time go to different ones. When none of the others is left, because all have been tried or refuse, those tried before are allowed
     * again and the memory starts anew. It is for one call: make a new one for the next. Allocates this object of 32 bytes; the second and later runs allocate what
     * remembers more than one endpoint.
     *
     * @param exchange what to do with the endpoint
     * @param <T> what it returns
     * @param <X> what it throws
     * @return the operation; thread-safe if the exchange is. It throws {@link NoEndpointException} as {@link #call(Exchange)} does
     */
    <T extends @Nullable Object, X extends Throwable> Operation<T, X> operation(Exchange<? super A, T, X> exchange);

    /**
     * One call for a textual key that goes to another endpoint each time it is run; see {@link #operation(Exchange)}.
     *
     * @param key whom or what the call is for
     * @param exchange what to do with the endpoint
     * @param <T> what it returns
     * @param <X> what it throws
     * @return the operation
     */
    <T extends @Nullable Object, X extends Throwable> Operation<T, X> operation(
            CharSequence key, Exchange<? super A, T, X> exchange);

    /**
     * One call for a numeric key that goes to another endpoint each time it is run; see {@link #operation(Exchange)}.
     *
     * @param key whom or what the call is for
     * @param exchange what to do with the endpoint
     * @param <T> what it returns
     * @param <X> what it throws
     * @return the operation
     */
    <T extends @Nullable Object, X extends Throwable> Operation<T, X> operation(
            long key, Exchange<? super A, T, X> exchange);

    /**
     * One call that answers later and goes to another endpoint each time it is started; see {@link #operation(Exchange)} and
     * {@link #callAsync(Function)}.
     *
     * @param exchange starts the call and returns its stage
     * @param <T> what the stage gives
     * @return what to hand to {@code callAsync} of a policy
     */
    <T extends @Nullable Object> Supplier<CompletableFuture<T>> operationAsync(
            Function<? super A, ? extends CompletionStage<T>> exchange);

    /**
     * One call for a textual key that answers later and goes to another endpoint each time; see {@link #operationAsync(Function)}.
     *
     * @param key whom or what the call is for
     * @param exchange starts the call and returns its stage
     * @param <T> what the stage gives
     * @return what to hand to {@code callAsync} of a policy
     */
    <T extends @Nullable Object> Supplier<CompletableFuture<T>> operationAsync(
            CharSequence key, Function<? super A, ? extends CompletionStage<T>> exchange);

    /**
     * One call for a numeric key that answers later and goes to another endpoint each time; see {@link #operationAsync(Function)}.
     *
     * @param key whom or what the call is for
     * @param exchange starts the call and returns its stage
     * @param <T> what the stage gives
     * @return what to hand to {@code callAsync} of a policy
     */
    <T extends @Nullable Object> Supplier<CompletableFuture<T>> operationAsync(
            long key, Function<? super A, ? extends CompletionStage<T>> exchange);

    /**
     * Picks an endpoint for a call that is made by other means. The ticket must be closed; see {@link Ticket}. Allocates the ticket and
     * its lease.
     *
     * @return the ticket
     * @throws NoEndpointException if there is no endpoint, or the gate of every one refused
     */
    Ticket<A> pick();

    /**
     * Picks an endpoint for a textual key; see {@link #pick()}.
     *
     * @param key whom or what the call is for
     * @return the ticket
     * @throws NoEndpointException if there is no endpoint, or the gate of every one refused
     */
    Ticket<A> pick(CharSequence key);

    /**
     * Picks an endpoint for a numeric key; see {@link #pick()}.
     *
     * @param key whom or what the call is for
     * @return the ticket
     * @throws NoEndpointException if there is no endpoint, or the gate of every one refused
     */
    Ticket<A> pick(long key);

    /**
     * Picks as a call does and says why, but sends nothing and holds nothing: strategies that go round take a turn. Gates are not asked.
     * For a person who looks; allocates.
     *
     * @return the endpoint, the reason and how all endpoints stand
     */
    Explanation<A> explain();

    /**
     * Says where a call with a textual key would go and why; see {@link #explain()}.
     *
     * @param key whom or what the call is for
     * @return the endpoint, the reason and how all endpoints stand
     */
    Explanation<A> explain(CharSequence key);

    /**
     * Says where a call with a numeric key would go and why; see {@link #explain()}.
     *
     * @param key whom or what the call is for
     * @return the endpoint, the reason and how all endpoints stand
     */
    Explanation<A> explain(long key);

    /**
     * Lists the endpoints and how they stand. Allocates the list.
     *
     * @return all endpoints, drained ones too, in the order of their ids
     */
    List<EndpointState<A>> snapshot();

    /**
     * Hands the figures out. Under the name of the balancer: {@code balancer.endpoints}, {@code balancer.candidates} (those that are
     * neither drained nor left out for their health) and {@code balancer.expired} (tickets that nobody closed). Under the name, a
     * slash and the id of each endpoint: {@code endpoint.in.flight} and, if they are counted, {@code endpoint.picks}. What the gates
     * measure themselves. Where health is watched, under the name of the balancer: {@code balancer.healthy}, {@code .warming},
     * {@code .ejected}, {@code .unhealthy}, {@code .draining} (endpoints in each state), {@code balancer.panic} and {@code
     * balancer.ejection.suspended} (1 or 0), {@code balancer.ejections} and {@code balancer.stalls} (in all). Where draining has a
     * deadline: {@code balancer.drains} (that go on).
     */
    @Override
    void measure(Sink sink);

    /**
     * Stops listening to the source, checking, and all timers but those of tickets. Calls go on with the endpoints that are known, as
     * healthy as they were last; what is still draining is closed.
     */
    @Override
    void close();
}
