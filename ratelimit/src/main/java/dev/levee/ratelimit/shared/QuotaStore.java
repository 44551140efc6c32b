package dev.levee.ratelimit.shared;

import dev.levee.ratelimit.Limit;
import java.util.List;
import java.util.concurrent.CompletableFuture;

/**
 * Keeps how much of each limit all processes together have used, in a server that they share. For authors of
 * integrations; an application makes limiters of it by {@link SharedLimits}.
 *
 * <p>Each request is decided at the server, by the server's time, in one step that no other request interrupts; a batch
 * of requests is one round trip. Thread-safe; never blocks. {@code QuotaStoreContract} in the test sources of this
 * module checks the rules.
 *
 * <p><b>Rules.</b>
 *
 * <ol>
 *   <li><b>Bound.</b> What is taken of one limiter and key in any window {@code T} of the store's time is at most
 *       {@code capacity + rate * T}, in whole permits, rounded to the stricter side. {@code used} is counted first, and
 *       whatever is there: a debt is kept down to 64 capacities at least. What comes back ({@code used} below 0) is
 *       less by what time has given since it was taken: a bucket that would be full in {@code f} is then full in
 *       {@code f - max(0, -used / rate - max(0, time - request.takenNanos))}, at once if that is below 0. Otherwise a
 *       copy that comes late would mint permits. A sliding window takes back what was taken within the current window,
 *       and forgets the rest. A refusal takes nothing.
 *   <li><b>Once.</b> For each limiter and key a store remembers the last sequence of each node, and what it answered,
 *       for {@link #replayNanos} at least. A request with that sequence is answered the same again, and changes
 *       nothing. One with a lower sequence is a late copy: it changes nothing, and its answer has no permits.
 *   <li><b>Terms.</b> The first request of a limiter and key lays the terms down. A higher revision replaces them, and
 *       as many permits stay used as were; a lower one is decided by those that apply, and told them; another one of
 *       the same revision is a conflict. They are kept as long as permits count as used.
 *   <li><b>A store that forgets.</b> If a store may lose its state (a restart, a flush, a fail-over that loses writes)
 *       it keeps a mark of when it began to remember, and a key that is not there has been refilled since that mark
 *       from nothing: {@code min(capacity, rate * age of the mark)} permits. So a loss never admits more, and a key
 *       that is new is full once the mark is older than the limit takes to fill.
 *   <li><b>Time.</b> For each limiter and key it keeps two readings: {@code time}, which only grows and by which it
 *       decides, and {@code server}, the clock of the server when it last looked:
 *       <pre>{@code
 * passed = max(0, clock - server)                             // a clock that was set back: goes on from there
 * time   = max(time, min(time + passed, request.latestNanos)) // a clock that was set ahead: as much as has passed
 * server = clock
 *
 * }</pre>
 *       A request that changes nothing else need not write them, unless the clock was set back. A new key begins with
 *       {@code time = clock}. A clock that is set ahead then mints no more than the permits of a few round trips; only
 *       where the next request is the first one of a new process, which knows of no earlier time, it may fill the
 *       limit, unless the store has a bound of its own for that.
 *   <li><b>Failures of one key.</b> Where only what is stored for one limiter and key cannot be used (a value of
 *       another program or version), that request is answered by {@link QuotaGrant#failed}, and the others are decided:
 *       a batch that fails is an outage of all limiters.
 * </ol>
 *
 * @since 0.1
 */
public interface QuotaStore {
    /**
     * Takes permits for several requests in one round trip, each for itself, in their order.
     *
     * <p>If it is not known whether a batch was carried out (no answer in time, a lost connection), the same batch may
     * be sent again: what was carried out of it is answered again and not taken twice.
     *
     * @param batch the requests
     * @return as many answers as requests, in their order; fails if the server cannot be asked, or answers something
     *     else than this store understands. It is completed on any thread, and may be cancelled; one that is never
     *     completed is no harm, as the caller has a time-out of its own.
     */
    CompletableFuture<List<QuotaGrant>> take(QuotaBatch batch);

    /**
     * Checks whether the store can keep a limit.
     *
     * @param limit the limit of a limiter that is made, as the store is to enforce it
     * @throws IllegalArgumentException if its kind is not supported, or a value is out of the range of the store
     */
    void check(Limit limit);

    /**
     * Returns for how long an answer to a batch is remembered, so that the batch can be sent again.
     *
     * @return in nanoseconds, 0 if batches must not be sent again
     */
    long replayNanos();
}
