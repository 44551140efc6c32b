package dev.levee.ratelimit.shared;

import dev.levee.core.Environment;
import dev.levee.core.internal.Require;
import dev.levee.core.policy.Bulkhead;
import java.util.function.Consumer;

/**
 * Bounds how many calls of all processes together are in flight at once.
 *
 * <pre>{@code
 * SharedBulkhead bulkhead = SharedBulkhead.of("payments", 20, RedisPermitStore.of(connection));
 * bulkhead.call(() -> payments.charge(order));
 * }</pre>
 *
 * <p>Use it where a dependency that many processes call can only take so many calls; where the bound may be divided by
 * the number of processes beforehand, a {@link Bulkhead} of each is simpler and asks no server.
 *
 * <p><b>How.</b> A process has a lease on some of the permits, for {@link SharedBulkheadConfig.Builder#lease}, and
 * renews it every third of that; it admits by a bulkhead of its own at the cost of one, which has as many permits. It
 * asks for what it has in flight and waiting, and for as many more; when others need permits it gives up what is beyond
 * its fair share (max-min) as soon as calls end. When it dies its permits come back after the life of the lease. It
 * starts without a lease: the first calls are refused, or wait if calls may wait, until the first answer is there.
 *
 * <p><b>How exact.</b> The leases are never more than the limit, and no call is begun without a permit of a lease. A
 * lease counts from before it was asked for, on the clock of the process, so a process that cannot renew, or was
 * frozen, admits nothing new before its permits go to others. <b>Calls that are still in flight when a lease ends</b>
 * cannot be taken back: they go on beyond the limit, are logged and counted ({@code bulkhead.overdue}). Let a timeout
 * inside the bulkhead be shorter than two thirds of the lease, and there are none.
 *
 * <p><b>When the store is gone</b> leases end one after the other, and then nothing is admitted, or as many calls in
 * each process as {@link SharedBulkheadConfig.Builder#outagePermits} says. Processes that contradict each other about
 * the limit are logged, and have no lease but for those that came first.
 *
 * <p><b>Cost.</b> That of a {@link Bulkhead} and one reading of the clock; no lock, no allocation, no round trip. A
 * renewal is one command for each process and third of a life, and more often while calls are refused or, where calls
 * may wait, other processes need permits too. Thread-safe.
 *
 * <p>Metrics: those of a {@link Bulkhead}, and {@link SharedBulkheadMetrics}. See ADR 148.
 *
 * @since 0.1
 */
public interface SharedBulkhead extends Bulkhead, AutoCloseable {
    /**
     * Makes a bulkhead without a queue, in {@link Environment#system()}.
     *
     * @param name for logs, metrics and refusals, and the same in all processes
     * @param maxConcurrent how many calls of all processes may be in flight, from 1
     * @param store keeps the leases
     * @return the bulkhead
     * @throws NullPointerException if an argument is null
     * @throws IllegalArgumentException if the name is blank or has a control character, or the number is less than 1
     */
    static SharedBulkhead of(String name, int maxConcurrent, PermitStore store) {
        return of(name, maxConcurrent, store, Environment.system());
    }

    /**
     * Makes a bulkhead without a queue.
     *
     * @param name for logs, metrics and refusals, and the same in all processes
     * @param maxConcurrent how many calls of all processes may be in flight, from 1
     * @param store keeps the leases
     * @param environment supplies time and threads
     * @return the bulkhead
     * @throws NullPointerException if an argument is null
     * @throws IllegalArgumentException if the name is blank or has a control character, or the number is less than 1
     */
    static SharedBulkhead of(String name, int maxConcurrent, PermitStore store, Environment environment) {
        return of(name, config -> config.maxConcurrent(maxConcurrent), store, environment);
    }

    /**
     * Makes a bulkhead in {@link Environment#system()}.
     *
     * @param name for logs, metrics and refusals, and the same in all processes
     * @param configure sets what differs from the defaults
     * @param store keeps the leases
     * @return the bulkhead
     * @throws NullPointerException if an argument is null
     * @throws IllegalArgumentException if the name is blank or has a control character, or a setting is out of its
     *     range
     */
    static SharedBulkhead of(String name, Consumer<? super SharedBulkheadConfig.Builder> configure, PermitStore store) {
        return of(name, configure, store, Environment.system());
    }

    /**
     * Makes a bulkhead.
     *
     * @param name for logs, metrics and refusals, and the same in all processes
     * @param configure sets what differs from the defaults
     * @param store keeps the leases
     * @param environment supplies time and threads
     * @return the bulkhead
     * @throws NullPointerException if an argument is null
     * @throws IllegalArgumentException if the name is blank or has a control character, or a setting is out of its
     *     range
     */
    static SharedBulkhead of(
            String name,
            Consumer<? super SharedBulkheadConfig.Builder> configure,
            PermitStore store,
            Environment environment) {
        SharedBulkheadConfig config = Require.configured(
                Kind.BULKHEAD.label(),
                name,
                SharedBulkheadConfig.builder(),
                configure,
                SharedBulkheadConfig.Builder::build);
        return of(name, config, store, environment);
    }

    /**
     * Makes a bulkhead.
     *
     * @param name for logs, metrics and refusals, and the same in all processes
     * @param config the settings, in limit and lease the same in all processes
     * @param store keeps the leases
     * @param environment supplies time and threads
     * @return the bulkhead
     * @throws NullPointerException if an argument is null
     * @throws IllegalArgumentException if the name is blank or has a control character
     */
    static SharedBulkhead of(String name, SharedBulkheadConfig config, PermitStore store, Environment environment) {
        LeasedBulkhead bulkhead = new LeasedBulkhead(name, config, store, environment);
        bulkhead.begin();
        return bulkhead;
    }

    /**
     * Changes how many calls of all processes may be in flight, for good: as a revision after the latest that is known
     * here, which the other processes take over with their next renewal. Never blocks. If it is less than before,
     * processes that have more than their share of it admit nothing until enough of their calls have ended. Two
     * processes that change it at the same time to different numbers contradict each other; the next change settles it.
     *
     * @param limit from 1
     * @throws IllegalArgumentException if it is less than 1
     */
    @Override
    void setMaxConcurrent(int limit);

    /**
     * Returns how many calls of all processes may be in flight, as far as this process knows.
     *
     * @return from 1
     */
    @Override
    int maxConcurrent();

    /**
     * Returns how many calls of this process are in flight.
     *
     * @return from 0
     */
    @Override
    int inFlight();

    /**
     * Returns how many permits this process has at present.
     *
     * @return from 0, which it is also when a lease has ended
     */
    int leased();

    /**
     * Refuses calls from now on, and gives the permits back: those of calls in flight when they have ended. Does not
     * block.
     */
    @Override
    void close();
}
