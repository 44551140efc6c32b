package dev.levee.ratelimit.concurrency;

import dev.levee.core.Environment;
import dev.levee.core.internal.Require;
import dev.levee.core.policy.Bulkhead;
import java.util.function.Consumer;

/**
 * A bulkhead whose queue sheds: the most critical calls are served first, waits are kept short, and what cannot be
 * served in time is refused early.
 *
 * <pre>{@code
 * SheddingBulkhead bulkhead = SheddingBulkhead.of("db", c -> c.maxConcurrent(25).maxWaiting(100));
 * CallContext.current().withCriticality(Criticality.SHEDDABLE).run(() -> bulkhead.run(this::prefetch));
 * }</pre>
 *
 * <p>Use it where requests arrive, in front of what they compete for, when they differ in
 * {@link dev.levee.core.Criticality}, or when more may come than can be served. Not where all calls are alike and have
 * deadlines, which core's {@link Bulkhead} serves as well and faster, and not to bound a rate.
 *
 * <p><b>Whose turn it is.</b> The most critical call, and of those the one that came first; while their queue is a
 * standing one, which has not been empty for the {@link SheddingBulkheadConfig.Builder#interval interval}, the one that
 * came last. The queue of a call is that of the calls which are at least as critical: the others do not count. <b>What
 * is refused:</b>
 *
 * <ul>
 *   <li>when the queue is full, the newest of its least critical calls if the call that comes is more critical, else
 *       that call;
 *   <li>a call that waits for longer than {@link WaitControl} allows;
 *   <li>a call whose deadline comes sooner than it could end, by the time that calls take lately.
 * </ul>
 *
 * <p>A {@link ShedException} says which of these it was, and how long the queue takes to be worked off. As in each
 * bulkhead a permit comes back exactly once, when the work has ended; a call that is interrupted, cancelled or late
 * gives its place up, at the same cost however long the queue is, and those behind it move up.
 *
 * <p><b>How many calls may be in flight</b> is a number, which {@link #setMaxConcurrent} changes at any time; or the
 * bulkhead finds it by itself, as an {@link AdaptiveBulkhead} does ({@link SheddingBulkheadConfig.Builder#adaptive}).
 * With that and a {@link PriorityShedder} outside of it, one decision admits each call: by the limit that is right now,
 * the most critical first. {@code setMaxConcurrent} then fixes the limit to a number, until {@link #reconfigure}.
 *
 * <p>Thread-safe. A call that finds a permit allocates nothing, takes no lock, reads no clock and writes one word
 * twice. A call that has to wait takes a lock for some steps, whose number does not depend on the length of the queue,
 * and allocates an object; no code of users runs under the lock. Asynchronous calls wait without a thread.
 *
 * <p>Metrics: {@code bulkhead.in.flight}, {@code bulkhead.waiting}, {@code bulkhead.limit}, and how many calls were
 * refused since the start, by reason: {@code bulkhead.refused.full}, {@code bulkhead.refused.displaced},
 * {@code bulkhead.refused.late}, {@code bulkhead.refused.waited}. One that finds its limit by itself has those of an
 * {@link AdaptiveBulkhead}, too, and its cost. See ADR 93 and ADR 114.
 *
 * @since 0.1
 */
public interface SheddingBulkhead extends Bulkhead {
    /**
     * Makes a bulkhead with the defaults but for the number of permits, in {@link Environment#system()}.
     *
     * @param name for logs, metrics and refusals
     * @param maxConcurrent how many calls may be in flight, from 1
     * @return the bulkhead
     * @throws NullPointerException if an argument is null
     * @throws IllegalArgumentException if the name is blank or has a control character or the number is less than 1
     */
    static SheddingBulkhead of(String name, int maxConcurrent) {
        return of(name, maxConcurrent, Environment.system());
    }

    /**
     * Makes a bulkhead with the defaults but for the number of permits.
     *
     * @param name for logs, metrics and refusals
     * @param maxConcurrent how many calls may be in flight, from 1
     * @param environment supplies time and threads
     * @return the bulkhead
     * @throws NullPointerException if an argument is null
     * @throws IllegalArgumentException if the name is blank or has a control character or the number is less than 1
     */
    static SheddingBulkhead of(String name, int maxConcurrent, Environment environment) {
        return of(name, config -> config.maxConcurrent(maxConcurrent), environment);
    }

    /**
     * Makes a bulkhead in {@link Environment#system()}.
     *
     * @param name for logs, metrics and refusals
     * @param configure sets what differs from the defaults
     * @return the bulkhead
     * @throws NullPointerException if an argument is null
     * @throws IllegalArgumentException if the name is blank or has a control character or a setting is out of its range
     */
    static SheddingBulkhead of(String name, Consumer<? super SheddingBulkheadConfig.Builder> configure) {
        return of(name, configure, Environment.system());
    }

    /**
     * Makes a bulkhead.
     *
     * @param name for logs, metrics and refusals
     * @param configure sets what differs from the defaults
     * @param environment supplies time and threads
     * @return the bulkhead
     * @throws NullPointerException if an argument is null
     * @throws IllegalArgumentException if the name is blank or has a control character or a setting is out of its range
     */
    static SheddingBulkhead of(
            String name, Consumer<? super SheddingBulkheadConfig.Builder> configure, Environment environment) {
        SheddingBulkheadConfig config = Require.configured(
                Kind.BULKHEAD.label(),
                name,
                SheddingBulkheadConfig.builder(),
                configure,
                SheddingBulkheadConfig.Builder::build);
        return of(name, config, environment);
    }

    /**
     * Makes a bulkhead in {@link Environment#system()}.
     *
     * @param name for logs, metrics and refusals
     * @param config the settings
     * @return the bulkhead
     * @throws NullPointerException if an argument is null
     * @throws IllegalArgumentException if the name is blank or has a control character
     */
    static SheddingBulkhead of(String name, SheddingBulkheadConfig config) {
        return of(name, config, Environment.system());
    }

    /**
     * Makes a bulkhead.
     *
     * @param name for logs, metrics and refusals
     * @param config the settings
     * @param environment supplies time and threads
     * @return the bulkhead
     * @throws NullPointerException if an argument is null
     * @throws IllegalArgumentException if the name is blank or has a control character
     */
    static SheddingBulkhead of(String name, SheddingBulkheadConfig config, Environment environment) {
        return new PriorityBulkhead(name, config, environment);
    }

    /**
     * Replaces the settings by which the bulkhead finds its limit, live, as {@link AdaptiveBulkhead#reconfigure}. Calls
     * that wait and may be in flight now begin at once.
     *
     * @param config the settings
     * @throws NullPointerException if it is null
     * @throws IllegalArgumentException if it has another rule for outcomes, or partitions
     * @throws IllegalStateException if the limit is not {@link SheddingBulkheadConfig.Builder#adaptive}
     */
    void reconfigure(AdaptiveBulkheadConfig config);

    /**
     * Returns how many calls were refused for a reason since this was made. A bare {@link #tryEnter} does not count,
     * because a call that it refuses may still wait.
     *
     * @param reason the reason
     * @return from 0
     * @throws NullPointerException if it is null
     */
    long refused(ShedReason reason);
}
