package dev.levee.core.policy;

import dev.levee.core.Environment;
import dev.levee.core.Measured;
import dev.levee.core.WaitingGate;
import dev.levee.core.internal.Require;
import java.util.function.Consumer;

/**
 * Bounds how many calls are in flight at once, so that one slow dependency cannot take every thread.
 *
 * <p>Use one per dependency, inside the timeout: its permit is then held until the work really ends. Not for bounding a
 * rate (that is a rate limiter), and not where the right bound changes by the hour (that is an adaptive limit).
 *
 * <p>By default a call that finds no permit is refused at once with {@link BulkheadFullException}. With a queue it
 * waits for its turn, first come first served, whether it was made by {@code call} (its thread is parked) or by
 * {@code callAsync} (no thread is held). When more calls come than can be served before their deadlines, those that
 * would not end in time are refused instead of begun ({@link BulkheadConfig.Builder#refuseWithoutTime}), and the newest
 * goes first ({@link BulkheadConfig.Builder#newestFirstWhenLate}). A permit that is handed to a waiter in the moment in
 * which it gives up is passed on to the next one: permits are neither lost nor made. With {@code callAsync} a call that
 * has waited runs on the environment's executor; if that runs tasks on the spot, a long queue is worked off without a
 * deep stack.
 *
 * <p><b>How exact.</b> There are never more calls in flight than the limit allows, and a call is refused only if there
 * was a moment, after it arrived, at which no permit was free or others waited: entering and leaving are linearizable.
 * (While the limit is being lowered, a permit that is just being withdrawn counts as taken.)
 *
 * <p><b>Cost.</b> Thread-safe, lock-free. The permitted path is two writes to one word, no lock, no clock, no
 * allocation. From 16 permits on, free permits are spread over words by thread, so that threads seldom meet on one. A
 * refusal writes nothing and reads each of the words twice, at most 16 reads. A waiter costs an object and an entry of
 * the queue, and giving up costs the same however long the queue is.
 *
 * <p>Metrics: {@code bulkhead.in.flight} (calls at present), {@code bulkhead.waiting} (calls in the queue at present),
 * {@code bulkhead.limit} (calls that may be in flight).
 *
 * @since 0.1
 */
public interface Bulkhead extends WaitingGate, Measured {
    /**
     * Makes a bulkhead without a queue, in {@link Environment#system()}.
     *
     * @param name for logs, metrics and refusals
     * @param maxConcurrent how many calls may be in flight, from 1
     * @return the bulkhead
     * @throws NullPointerException if an argument is null
     * @throws IllegalArgumentException if the name is blank or has a control character or the number is less than 1
     */
    static Bulkhead of(String name, int maxConcurrent) {
        return of(name, maxConcurrent, Environment.system());
    }

    /**
     * Makes a bulkhead without a queue.
     *
     * @param name for logs, metrics and refusals
     * @param maxConcurrent how many calls may be in flight, from 1
     * @param environment supplies time and threads
     * @return the bulkhead
     * @throws NullPointerException if an argument is null
     * @throws IllegalArgumentException if the name is blank or has a control character or the number is less than 1
     */
    static Bulkhead of(String name, int maxConcurrent, Environment environment) {
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
    static Bulkhead of(String name, Consumer<? super BulkheadConfig.Builder> configure) {
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
    static Bulkhead of(String name, Consumer<? super BulkheadConfig.Builder> configure, Environment environment) {
        BulkheadConfig config = Require.configured(
                Kind.BULKHEAD.label(), name, BulkheadConfig.builder(), configure, BulkheadConfig.Builder::build);
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
    static Bulkhead of(String name, BulkheadConfig config) {
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
    static Bulkhead of(String name, BulkheadConfig config, Environment environment) {
        return new StripedBulkhead(name, config, environment);
    }

    @Override
    default Kind kind() {
        return Kind.BULKHEAD;
    }

    /**
     * Changes how many calls may be in flight, for good. Never blocks. If it is more than before, calls in the queue
     * are admitted at once, in their order; if it is less, no call is admitted until as many calls have ended as there
     * are too many.
     *
     * <p>It changes the number only: whether and how long calls may wait stays as it is. Thread-safe; of two changes at
     * once one comes last.
     *
     * @param limit from 1
     * @throws IllegalArgumentException if it is less than 1
     */
    void setMaxConcurrent(int limit);

    /**
     * Returns how many calls may be in flight.
     *
     * @return from 1
     */
    int maxConcurrent();

    /**
     * Returns how many calls are in flight. Exact when no call enters or leaves at that moment.
     *
     * @return from 0 to the limit, and more only after the limit was lowered
     */
    int inFlight();

    /**
     * Returns how many calls wait for their turn.
     *
     * @return from 0 to the length of the queue
     */
    int waiting();
}
