package dev.levee.cache.writebehind;

import dev.levee.cache.Store;
import dev.levee.core.Deadline;
import dev.levee.core.Environment;
import dev.levee.core.Measured;
import dev.levee.core.internal.Require;
import java.time.Duration;
import java.util.List;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * A store in front of a store: it accepts a write and returns, and the store behind gets it later, in order for each
 * key, together with others, and again after failures.
 *
 * <pre>{@code
 * WriteBehind<String, Long> clicks = WriteBehind.of("clicks", table, c -> c.delay(ofSeconds(2)).journal(journal));
 * Cache<String, Long> cache = Cache.over("clicks", clicks, c -> c.writeThrough());
 * ...
 * WriteBehindReport<String, Long> report = clicks.close(ofSeconds(20)); // before the process ends
 * }</pre>
 *
 * <p>Use it where many writes go to few keys, or where the store is slower than its writers, and a write may reach the
 * store some seconds later. Not where another process must see a write at once, or where the caller must know that the
 * store has taken it: write through then.
 *
 * <h2>What is promised</h2>
 *
 * <ul>
 *   <li><b>Accepted once, ended once.</b> A write that was accepted ends in the store, is replaced by a newer one of
 *       its key, becomes a dead letter, or is in the report of the close. Only {@link WriteOverflow#DROP_OLDEST} gives
 *       one up for another. {@link #counts} adds up at any moment.
 *   <li><b>Order.</b> The store gets the writes of a key in the order in which they were accepted, one at a time,
 *       through retries too: an older value never comes after a newer one. Keys have no order among each other.
 *   <li><b>Coalescing.</b> Of the writes of a key that wait only the newest goes to the store. A save and then a delete
 *       is a delete.
 *   <li><b>Read your writes.</b> {@link #load} returns what is pending, then what is on its way, and only then asks the
 *       store, so a cache in front may drop a value at any time. A pending delete is an absent value, without a load.
 *   <li><b>At least once.</b> A write may come to the store again after a failure, or from the journal after a crash;
 *       key and sequence of a {@link PendingWrite} are the same then.
 * </ul>
 *
 * <p><b>What a crash loses.</b> Without a journal: everything that was accepted and that the store has not got, and the
 * dead letters. With one: nothing that was accepted, as far as {@link WriteJournal.Durability} goes; it was appended
 * before it was accepted. If the journal fails, new writes are refused with
 * {@link WriteRefusedException.Reason#JOURNAL}, and what was accepted still goes to the store.
 *
 * <p><b>Failures.</b> A write that fails waits for its backoff while others go on. A batch that fails is tried again in
 * halves. What the rule does not repeat, or has used up its tries, becomes a dead letter: it is listed, replayed or
 * discarded. If a newer write of the key waits already, an older one that fails is not tried again.
 *
 * <p>Thread-safe. Accepting a write takes the lock of one worker's keys for a moment and no other; it does not wait for
 * the store. With a journal it waits for that. The store is called on threads of the environment's executor, and by
 * {@link #load} and {@link WriteOverflow#WRITE_THROUGH} on that of the caller. A store call that is running at the end
 * of a close is not interrupted: guard the store with a timeout.
 *
 * <p>Metrics: {@code writebehind.pending}, {@code writebehind.in.flight}, {@code writebehind.bytes} (of both),
 * {@code writebehind.oldest.age.nanos} (since the oldest write that the store has not got was accepted; the one to
 * watch), {@code writebehind.accepted}, {@code writebehind.written}, {@code writebehind.coalesced},
 * {@code writebehind.dead}, {@code writebehind.dead.kept}, {@code writebehind.dropped}, {@code writebehind.returned},
 * {@code writebehind.refused}, {@code writebehind.retries}, {@code writebehind.flushes} (batches that were taken),
 * {@code writebehind.calls} (of the store), {@code writebehind.calls.saved} (by coalescing and batches),
 * {@code writebehind.journal.failed} (1 once it has). A listener receives {@code onRefused} and {@code onAttempt}, of
 * the kind {@code QUEUE}.
 *
 * @param <K> keys with {@code equals} and {@code hashCode}, immutable
 * @param <V> values, immutable: the store gets them later
 * @since 0.1
 */
public interface WriteBehind<K, V> extends Store<K, V>, Measured, AutoCloseable {
    /**
     * Makes a write-behind with the defaults, in the machine's time.
     *
     * @param name for logs, metrics and refusals
     * @param store gets the writes, one at a time from each worker
     * @param <K> the keys
     * @param <V> the values
     * @return the write-behind
     * @throws NullPointerException if an argument is null
     * @throws IllegalArgumentException if the name is blank or has a control character
     */
    static <K, V> WriteBehind<K, V> of(String name, Store<K, V> store) {
        return of(name, store, Environment.system());
    }

    /**
     * Makes a write-behind with the defaults.
     *
     * @param name for logs, metrics and refusals
     * @param store gets the writes, one at a time from each worker
     * @param environment the source of time, threads and jitter, and the listener
     * @param <K> the keys
     * @param <V> the values
     * @return the write-behind
     * @throws NullPointerException if an argument is null
     * @throws IllegalArgumentException if the name is blank or has a control character
     */
    static <K, V> WriteBehind<K, V> of(String name, Store<K, V> store, Environment environment) {
        return of(name, store, config -> {}, environment);
    }

    /**
     * Makes a write-behind in the machine's time.
     *
     * @param name for logs, metrics and refusals
     * @param store gets the writes, one at a time from each worker
     * @param configure sets what differs from the defaults
     * @param <K> the keys
     * @param <V> the values
     * @return the write-behind
     * @throws NullPointerException if an argument is null
     * @throws IllegalArgumentException if the name is blank or has a control character, or a setting is out of its
     *     range
     * @throws java.io.UncheckedIOException if the journal cannot be opened; the message says why
     */
    static <K, V> WriteBehind<K, V> of(
            String name, Store<K, V> store, Consumer<? super WriteBehindConfig.Builder<K, V>> configure) {
        return of(name, store, configure, Environment.system());
    }

    /**
     * Makes a write-behind.
     *
     * @param name for logs, metrics and refusals
     * @param store gets the writes, one at a time from each worker
     * @param configure sets what differs from the defaults
     * @param environment the source of time, threads and jitter, and the listener
     * @param <K> the keys
     * @param <V> the values
     * @return the write-behind
     * @throws NullPointerException if an argument is null
     * @throws IllegalArgumentException if the name is blank or has a control character, or a setting is out of its
     *     range
     * @throws java.io.UncheckedIOException if the journal cannot be opened; the message says why
     */
    static <K, V> WriteBehind<K, V> of(
            String name,
            Store<K, V> store,
            Consumer<? super WriteBehindConfig.Builder<K, V>> configure,
            Environment environment) {
        Require.nonNull("store", store);
        return of(name, store, QueuedWriteBehind.configured(name, configure), environment);
    }

    /**
     * Makes a write-behind.
     *
     * @param name for logs, metrics and refusals
     * @param store gets the writes, one at a time from each worker
     * @param config the settings
     * @param environment the source of time, threads and jitter, and the listener
     * @param <K> the keys
     * @param <V> the values
     * @return the write-behind
     * @throws NullPointerException if an argument is null
     * @throws IllegalArgumentException if the name is blank or has a control character
     * @throws java.io.UncheckedIOException if the journal cannot be opened; the message says why
     */
    static <K, V> WriteBehind<K, V> of(
            String name, Store<K, V> store, WriteBehindConfig<K, V> config, Environment environment) {
        return new QueuedWriteBehind<>(name, StoreCalls.of(Require.nonNull("store", store)), config, environment);
    }

    /**
     * Makes a write-behind that writes in batches, in the machine's time.
     *
     * @param name for logs, metrics and refusals
     * @param store gets the writes, one batch at a time from each worker
     * @param configure sets what differs from the defaults
     * @param <K> the keys
     * @param <V> the values
     * @return the write-behind
     * @throws NullPointerException if an argument is null
     * @throws IllegalArgumentException if the name is blank or has a control character, or a setting is out of its
     *     range
     * @throws java.io.UncheckedIOException if the journal cannot be opened; the message says why
     */
    static <K, V> WriteBehind<K, V> batching(
            String name, BatchStore<K, V> store, Consumer<? super WriteBehindConfig.Builder<K, V>> configure) {
        return batching(name, store, configure, Environment.system());
    }

    /**
     * Makes a write-behind that writes in batches.
     *
     * @param name for logs, metrics and refusals
     * @param store gets the writes, one batch at a time from each worker
     * @param configure sets what differs from the defaults
     * @param environment the source of time, threads and jitter, and the listener
     * @param <K> the keys
     * @param <V> the values
     * @return the write-behind
     * @throws NullPointerException if an argument is null
     * @throws IllegalArgumentException if the name is blank or has a control character, or a setting is out of its
     *     range
     * @throws java.io.UncheckedIOException if the journal cannot be opened; the message says why
     */
    static <K, V> WriteBehind<K, V> batching(
            String name,
            BatchStore<K, V> store,
            Consumer<? super WriteBehindConfig.Builder<K, V>> configure,
            Environment environment) {
        Require.nonNull("store", store);
        return batching(name, store, QueuedWriteBehind.configured(name, configure), environment);
    }

    /**
     * Makes a write-behind that writes in batches.
     *
     * @param name for logs, metrics and refusals
     * @param store gets the writes, one batch at a time from each worker
     * @param config the settings
     * @param environment the source of time, threads and jitter, and the listener
     * @param <K> the keys
     * @param <V> the values
     * @return the write-behind
     * @throws NullPointerException if an argument is null
     * @throws IllegalArgumentException if the name is blank or has a control character
     * @throws java.io.UncheckedIOException if the journal cannot be opened; the message says why
     */
    static <K, V> WriteBehind<K, V> batching(
            String name, BatchStore<K, V> store, WriteBehindConfig<K, V> config, Environment environment) {
        return new QueuedWriteBehind<>(name, StoreCalls.of(Require.nonNull("store", store)), config, environment);
    }

    /**
     * Returns the name in logs, metrics and refusals.
     *
     * @return the name that it was built with
     */
    String name();

    /**
     * Returns the value that was accepted last, or that of the store if nothing of the key is under way. Blocks only
     * while the store is asked.
     *
     * @param key not null
     * @return the value, or null if it was deleted or there is none
     * @throws Exception what the store threw
     */
    @Override
    @Nullable V load(K key) throws Exception;

    /**
     * Accepts a value; the store gets it later. Blocks as {@link WriteBehindConfig.Builder#whenFull} says, and while a
     * journal keeps it.
     *
     * @param key not null
     * @param value not null
     * @throws WriteRefusedException if it was not accepted
     * @throws dev.levee.core.InterruptedWaitException if the thread was interrupted while it waited for room or its
     *     turn; the write was not accepted, and the interrupt flag is set
     * @throws IllegalArgumentException if the weigher returned less than 0, or the journal cannot take this write,
     *     since its codec refuses it or it is too large: nothing has changed then
     * @throws Exception what the store threw, with {@link WriteOverflow#WRITE_THROUGH}
     */
    @Override
    void save(K key, V value) throws Exception;

    /**
     * Accepts that a key is to be deleted; the store gets it later. Blocks as {@link #save} does.
     *
     * @param key not null
     * @throws WriteRefusedException if it was not accepted
     * @throws dev.levee.core.InterruptedWaitException as for {@link #save}
     * @throws IllegalArgumentException if the weigher returned less than 0, or the journal cannot take this write,
     *     since its codec refuses it or it is too large: nothing has changed then
     * @throws Exception what the store threw, with {@link WriteOverflow#WRITE_THROUGH}
     */
    @Override
    void delete(K key) throws Exception;

    /**
     * Sends everything to the store that was accepted before the call, without its delay, and waits until it has ended:
     * it is in the store, was replaced by a newer write that is, or is a dead letter. Writes that have failed are tried
     * again after their backoff. An interrupt ends the wait, and its flag is set again.
     *
     * @param timeout how long to wait; zero only begins
     * @return whether all of it has ended
     * @throws NullPointerException if the timeout is null
     * @throws IllegalArgumentException if it is negative
     */
    boolean flush(Duration timeout);

    /**
     * Flushes by a deadline; see {@link #flush(Duration)}.
     *
     * @param deadline when the wait ends
     * @return whether all of it has ended
     * @throws NullPointerException if the deadline is null
     */
    default boolean flush(Deadline deadline) {
        return flush(Duration.ofNanos(Require.nonNull("deadline", deadline).remainingNanos()));
    }

    /**
     * Returns the dead letters that are kept.
     *
     * @return oldest first; not modifiable
     */
    List<DeadWrite<K, V>> deadWrites();

    /**
     * Accepts a dead letter again, as the newest write of its key: discard it instead if a newer one has come since.
     * Does not wait for room; waits for a journal.
     *
     * @param dead one of {@link #deadWrites}
     * @return whether it was accepted; false if it is not kept any more, or there is no room, or the write-behind is
     *     closed: nothing has changed then
     * @throws NullPointerException if it is null
     * @throws WriteRefusedException if the journal has failed
     * @throws IllegalArgumentException if the journal cannot take this write, see {@link #save}: nothing has changed
     *     then
     */
    boolean replay(DeadWrite<K, V> dead);

    /**
     * Replays the dead letters that are kept, the oldest first, as far as there is room. One that cannot be replayed
     * stays, and does not keep the others from it.
     *
     * @return how many were accepted
     * @throws WriteRefusedException if the journal has failed, or the write-behind was closed meanwhile
     * @throws IllegalArgumentException after all were tried, if the journal cannot take some of them: what was thrown
     *     for the first, the others suppressed; those that could be replayed were accepted, and {@link #deadWrites} are
     *     the rest
     */
    int replayAll();

    /**
     * Forgets a dead letter. Waits for a journal.
     *
     * @param dead one of {@link #deadWrites}
     * @return whether it was kept until now
     * @throws NullPointerException if it is null
     * @throws WriteRefusedException if the journal has failed
     */
    boolean discard(DeadWrite<K, V> dead);

    /**
     * Forgets the dead letters that are kept.
     *
     * @return how many were forgotten
     * @throws WriteRefusedException if the journal has failed
     */
    int discardAll();

    /**
     * Counts what has become of all writes. Takes the locks of the workers' keys for a moment, one after the other.
     *
     * @return the counts, which add up
     */
    WriteBehindCounts counts();

    /** Closes it within {@link WriteBehindConfig#closeWithin}; see {@link #close(Duration)}. */
    @Override
    void close();

    /**
     * Closes it: accepts nothing more, tries everything that waits at once, in a backoff too, goes on until the store
     * has everything or the time is up, and reports. Then the journal is closed. Blocks until then.
     *
     * <p>It ends before its time if nothing is on its way and everything that is left has failed again and waits for a
     * try after the deadline. An interrupt of the calling thread ends it as the deadline does, and its flag is set
     * again. A second call may make the deadline earlier, and gets the same report.
     *
     * @param timeout how long to wait; zero ends everything now
     * @return what has become of all writes
     * @throws NullPointerException if the timeout is null
     * @throws IllegalArgumentException if it is negative
     */
    WriteBehindReport<K, V> close(Duration timeout);

    /**
     * Closes it by a deadline; see {@link #close(Duration)}.
     *
     * @param deadline when the wait ends
     * @return what has become of all writes
     * @throws NullPointerException if the deadline is null
     */
    default WriteBehindReport<K, V> close(Deadline deadline) {
        return close(Duration.ofNanos(Require.nonNull("deadline", deadline).remainingNanos()));
    }
}
