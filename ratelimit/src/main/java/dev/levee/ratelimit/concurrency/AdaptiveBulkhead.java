package dev.levee.ratelimit.concurrency;

import dev.levee.core.Environment;
import dev.levee.core.Gate;
import dev.levee.core.Measured;
import dev.levee.core.internal.Require;
import java.util.function.Consumer;

/**
 * Bounds how many calls are in flight at once, by a limit that it finds itself from how long calls take, how many
 * succeed, and which are dropped.
 *
 * <pre>{@code
 * AdaptiveBulkhead bulkhead = AdaptiveBulkhead.of("orders");
 * bulkhead.run(() -> orders.save(order));       // AdaptiveBulkheadFullException when the limit is reached
 * }</pre>
 *
 * <p>Use it where the right number is not known or changes: around a dependency whose capacity is shared, or around the
 * handlers of a server, so that it refuses what it could not serve in time. Inside the timeout and outside of whatever
 * retries. Where the number is known, a {@link dev.levee.core.policy.Bulkhead} is simpler, and can let calls wait; for
 * a quota of calls a second use a {@link dev.levee.ratelimit.RateLimiter}.
 *
 * <p><b>How exact.</b> The limit and the calls in flight are one word: a call is admitted only while fewer than the
 * limit are in flight, also while the limit changes. After the limit was lowered no call is admitted until as many have
 * ended as are too many. A call ends once: a second {@link Gate#exit} with the same stamp does nothing, whatever thread
 * it comes from and whatever was admitted since. The stamp is the permit of code that takes one by hand.
 *
 * <p><b>Permits that are held too long</b> are found by their age ({@link AdaptiveBulkheadConfig.Builder#heldTooLong}):
 * they are counted in a metric, and a line of the log says how many there are and how old. They are not taken away,
 * since their calls may still be under way.
 *
 * <p><b>Partitions</b> ({@link AdaptiveBulkheadConfig.Builder#partition}) split the limit into whole permits, at least
 * one each, that are the limit in sum: all partitions together never have more calls in flight than it allows. A call
 * that does not find a permit of its own partition takes one that another one has not needed lately.
 *
 * <p>Thread-safe and lock-free. A call that is admitted writes one word for the limit and one for its own place, twice
 * each; neither it nor a refusal allocates. It reads the clock itself, and only for the calls from which it learns: all
 * of them while there are few, one in two, four, eight ... while there are more than some hundred in a window. A call
 * that ends while another thread learns is not learnt from.
 *
 * <p>Metrics: {@code bulkhead.in.flight}, {@code bulkhead.limit}, {@code bulkhead.baseline.nanos} (how long calls take
 * without a queue, as far as it is known; else 0), {@code bulkhead.drops} (calls that were dropped so far),
 * {@code bulkhead.held.long} (permits that are held too long) and {@code bulkhead.held.longest.nanos} (the age of the
 * oldest permit); for each partition {@code bulkhead.in.flight} and {@code bulkhead.limit} of its own permits. A
 * listener receives {@code onRefused} for refused calls; a change of the limit is no change of state.
 *
 * @since 0.1
 */
public interface AdaptiveBulkhead extends Gate, Measured {
    /**
     * Makes a bulkhead with the defaults, in {@link Environment#system()}.
     *
     * @param name for logs, metrics and refusals
     * @return the bulkhead
     * @throws NullPointerException if the name is null
     * @throws IllegalArgumentException if the name is blank or has a control character
     */
    static AdaptiveBulkhead of(String name) {
        return of(name, Environment.system());
    }

    /**
     * Makes a bulkhead with the defaults.
     *
     * @param name for logs, metrics and refusals
     * @param environment supplies time and randomness
     * @return the bulkhead
     * @throws NullPointerException if an argument is null
     * @throws IllegalArgumentException if the name is blank or has a control character
     */
    static AdaptiveBulkhead of(String name, Environment environment) {
        return of(name, AdaptiveBulkheadConfig.builder().build(), environment);
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
    static AdaptiveBulkhead of(String name, Consumer<? super AdaptiveBulkheadConfig.Builder> configure) {
        return of(name, configure, Environment.system());
    }

    /**
     * Makes a bulkhead.
     *
     * @param name for logs, metrics and refusals
     * @param configure sets what differs from the defaults
     * @param environment supplies time and randomness
     * @return the bulkhead
     * @throws NullPointerException if an argument is null
     * @throws IllegalArgumentException if the name is blank or has a control character or a setting is out of its range
     */
    static AdaptiveBulkhead of(
            String name, Consumer<? super AdaptiveBulkheadConfig.Builder> configure, Environment environment) {
        AdaptiveBulkheadConfig config = Require.configured(
                Kind.BULKHEAD.label(),
                name,
                AdaptiveBulkheadConfig.builder(),
                configure,
                AdaptiveBulkheadConfig.Builder::build);
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
    static AdaptiveBulkhead of(String name, AdaptiveBulkheadConfig config) {
        return of(name, config, Environment.system());
    }

    /**
     * Makes a bulkhead.
     *
     * @param name for logs, metrics and refusals
     * @param config the settings
     * @param environment supplies time and randomness
     * @return the bulkhead
     * @throws NullPointerException if an argument is null
     * @throws IllegalArgumentException if the name is blank or has a control character
     */
    static AdaptiveBulkhead of(String name, AdaptiveBulkheadConfig config, Environment environment) {
        return new LearningBulkhead(name, config, environment);
    }

    @Override
    default Kind kind() {
        return Kind.BULKHEAD;
    }

    /**
     * Returns the gate of the calls of one partition: always the same one. A call that comes by the bulkhead itself is
     * of no partition, and takes only what is not kept for one.
     *
     * @param name as it was added
     * @return the gate; it is named after the bulkhead and the partition, with a dot between
     * @throws NullPointerException if the name is null
     * @throws IllegalArgumentException if there is no such partition
     */
    Gate partition(String name);

    /**
     * Returns the settings that it works by now.
     *
     * @return those it was made with, or of the last {@link #reconfigure}
     */
    AdaptiveBulkheadConfig config();

    /**
     * Replaces the settings, live. The limit goes on from where it is, within the new bounds, and what was learnt stays
     * unless the algorithm is another one. Calls in flight are not touched: where less may be in flight than are, none
     * is admitted until enough have ended, for each partition and in all. Never waits for a call.
     *
     * <p>Bounds, the algorithm, the shares of partitions and the age from which permits are held too long can be
     * changed; {@code initialLimit} has no effect any more. What is linked into pipelines must stay: the rule for
     * outcomes, and which partitions there are.
     *
     * @param config usually made by {@code bulkhead.config().toBuilder()}
     * @throws NullPointerException if it is null
     * @throws IllegalArgumentException if it changes what must stay
     */
    void reconfigure(AdaptiveBulkheadConfig config);

    /**
     * Returns how many calls may be in flight now.
     *
     * @return between the bounds of its settings
     */
    int limit();

    /**
     * Returns how many calls are in flight. Exact when no call enters or leaves at that moment.
     *
     * @return from 0 to the limit, and more only after the limit was lowered
     */
    int inFlight();

    /**
     * Returns how many permits are held too long now. Looks at the places of all permits.
     *
     * @return from 0
     */
    int heldTooLong();
}
