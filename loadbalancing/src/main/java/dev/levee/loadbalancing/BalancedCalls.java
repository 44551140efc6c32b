package dev.levee.loadbalancing;

import dev.levee.core.Operation;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.Function;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Sends calls to endpoints that a {@link LoadBalancer} picks.
 *
 * <p>The balancer itself sends calls without a key; {@link LoadBalancer#forKey(CharSequence)} and
 * {@link LoadBalancer#forKey(long)} return the same methods for the calls with one key.
 *
 * <p>Thread-safe. Nothing here locks, waits or, apart from what a method says, allocates.
 *
 * @param <A> the type of the addresses
 * @since 0.1
 */
public interface BalancedCalls<A> {
    /**
     * Calls an endpoint on the calling thread. Allocates nothing, unless two or more endpoints refuse.
     *
     * @param exchange what to do with the endpoint
     * @param <T> what it returns
     * @param <X> what it throws
     * @return what the exchange returned, which may be null
     * @throws X what the exchange threw, the same object
     * @throws NoEndpointException if there is no endpoint, or the gate of every one refused
     * @throws NullPointerException if the exchange is null
     */
    <T extends @Nullable Object, X extends Throwable> T call(Exchange<? super A, T, X> exchange) throws X;

    /**
     * Calls an endpoint asynchronously. Never blocks; what the exchange throws, and a {@link NoEndpointException},
     * completes the future.
     *
     * <p>The call counts as in flight until the stage has really ended. Cancelling the future cancels the stage, and is
     * no evidence about the endpoint. Allocates the future, a ticket and its lease.
     *
     * @param exchange starts the call and returns its stage
     * @param <T> the type of the stage's result
     * @return a future that completes as the stage does, with the failure of the stage itself, not wrapped
     * @throws NullPointerException if the exchange is null
     */
    <T extends @Nullable Object> CompletableFuture<T> callAsync(
            Function<? super A, ? extends CompletionStage<T>> exchange);

    /**
     * Returns one call that goes to another endpoint each time it is run, for a retry or a hedge.
     *
     * <p>It remembers the endpoints that it was sent to, and those that refused it, and goes to one of the others; runs
     * at the same time go to different ones. When none of the others is left, because all have been tried or refuse,
     * those tried before are allowed again and the memory starts anew. It is for one call: make a new one for the next.
     * Allocates this object of 32 bytes; the second and later runs allocate the memory of more than one endpoint.
     *
     * @param exchange what to do with the endpoint
     * @param <T> what it returns
     * @param <X> what it throws
     * @return the operation; thread-safe if the exchange is. It throws {@link NoEndpointException} as
     *     {@link #call(Exchange)} does
     * @throws NullPointerException if the exchange is null
     */
    <T extends @Nullable Object, X extends Throwable> Operation<T, X> operation(Exchange<? super A, T, X> exchange);

    /**
     * Returns one asynchronous call that goes to another endpoint each time it is started; see
     * {@link #operation(Exchange)} and {@link #callAsync(Function)}.
     *
     * @param exchange starts the call and returns its stage
     * @param <T> the type of the stage's result
     * @return what to hand to {@code callAsync} of a policy
     * @throws NullPointerException if the exchange is null
     */
    <T extends @Nullable Object> Supplier<CompletableFuture<T>> operationAsync(
            Function<? super A, ? extends CompletionStage<T>> exchange);

    /**
     * Picks an endpoint for a call that is made by other means. The ticket must be closed; see {@link Ticket}.
     * Allocates the ticket and its lease.
     *
     * @return the ticket
     * @throws NoEndpointException if there is no endpoint, or the gate of every one refused
     */
    Ticket<A> pick();

    /**
     * Picks as a call does and says why, but sends nothing and holds nothing: strategies that go round take a turn.
     * Gates are not asked. For diagnosis by a person; allocates.
     *
     * @return the endpoint, the reason and the state of every endpoint
     */
    Explanation<A> explain();
}
