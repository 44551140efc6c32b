package dev.levee.cache.writebehind;

import dev.levee.cache.Loader;
import dev.levee.core.Policy;
import dev.levee.core.internal.Require;
import java.util.List;
import java.util.Map;

/**
 * A store that takes several writes in one call, such as one batch of SQL statements.
 *
 * <p>A write-behind calls it from its workers, with one batch of a key at a time, and never under a lock. Writing is at
 * least once: after a failure, or from a journal after a crash, a write comes again, by the same key and sequence. Must
 * be thread-safe. Guard it with a timeout, since nothing else bounds how long a call takes.
 *
 * @param <K> the keys
 * @param <V> the values
 * @since 0.1
 */
public interface BatchStore<K, V> extends Loader<K, V> {
    /**
     * Writes a batch: saves the writes that have a value, and deletes the keys of the others. When it returns,
     * {@link #load} must see those that are not in the result.
     *
     * @param batch at least one, no two of the same key, oldest first; not modifiable
     * @return the failure of each key that was not written, or of which it is not known; empty if all were. A result
     *     that is null, or that has a key which is not in the batch, counts as a batch that failed
     * @throws Exception if it is not known which were written. The batch is tried again in halves then, so that a row
     *     that cannot be written does not stop the others
     */
    Map<K, ? extends Throwable> write(List<PendingWrite<K, V>> batch) throws Exception;

    /**
     * Returns this store with a policy around each of its calls. A result that has failures is no failure of the call,
     * unless a rule of the policy says so.
     *
     * @param policy such as a breaker, a limiter, a bulkhead, or a pipeline of them
     * @return the guarded store; what the policy refuses is thrown as it is
     * @throws NullPointerException if the policy is null
     */
    @Override
    default BatchStore<K, V> guardedBy(Policy policy) {
        return new GuardedBatchStore<>(this, Require.nonNull("policy", policy));
    }
}
