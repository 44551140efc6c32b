package dev.levee.cache.writebehind;

import dev.levee.cache.writebehind.WriteFates.Fate;
import dev.levee.core.Environment;
import dev.levee.core.Listener;
import dev.levee.core.Policy;
import dev.levee.core.internal.SafeLog;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Brings batches to the store, and decides what becomes of what it does not take. Called by the workers of all shards,
 * never under a lock.
 *
 * <p>A batch that throws is split, and each half is tried at once. If one half works, the other is split in turn, so
 * that a row that cannot be written is found in a few calls. If both fail it is likely the store: then all wait for
 * their backoff, and come again in smaller batches.
 */
final class StoreWriter<K, V> {
    private static final Logger LOG = LoggerFactory.getLogger(WriteBehind.class);

    /** How long a write waits if what decides about it has failed. */
    private static final long FALLBACK_NANOS = 1_000_000_000L;

    private final String name;
    private final StoreCalls<K, V> store;
    private final JournalKeeper<K, V> journal;
    private final DeadBox<K, V> box;
    private final WriteFates fates;
    private final Environment environment;
    private final Consumer<K> evicted;
    private final Runnable ended;
    private final boolean evicts;

    final LongAdder calls = new LongAdder();
    final LongAdder rowsSaved = new LongAdder();
    final LongAdder retries = new LongAdder();
    final LongAdder flushes = new LongAdder();

    StoreWriter(
            String name,
            StoreCalls<K, V> store,
            JournalKeeper<K, V> journal,
            DeadBox<K, V> box,
            WriteBehindConfig<K, V> config,
            Environment environment,
            Consumer<K> evicted,
            Runnable ended) {
        this.name = name;
        this.store = store;
        this.journal = journal;
        this.box = box;
        this.fates = new WriteFates(config, environment);
        this.environment = environment;
        this.evicted = evicted;
        this.ended = ended;
        this.evicts = config.whenDead() == DeadKey.EVICT;
    }

    /** Brings what is on its way to the store; afterwards nothing of it is. Throws nothing that the store threw. */
    void write(ShardExit<K, V> exit, List<WriteSlot<K, V>> batch) {
        flushes.increment();
        try {
            if (store.isBatching()) {
                Throwable thrown = attempt(exit, batch);
                if (thrown != null) {
                    split(exit, batch, thrown);
                }
            } else {
                for (WriteSlot<K, V> slot : batch) {
                    Throwable thrown = attempt(exit, List.of(slot));
                    if (thrown != null) {
                        decide(exit, slot, thrown);
                    }
                }
            }
        } finally {
            // Nothing is left on its way whatever has happened, with no memory for example.
            for (WriteSlot<K, V> slot : batch) {
                if (exit.flying(slot) != null) {
                    exit.failed(slot, environment.clock().nanoTime() + FALLBACK_NANOS);
                }
            }
            ended.run();
        }
    }

    /** Makes one call. Returns what it threw, or null: then each of the batch has ended or waits for its backoff. */
    private @Nullable Throwable attempt(ShardExit<K, V> exit, List<WriteSlot<K, V>> batch) {
        List<PendingWrite<K, V>> writes = new ArrayList<>(batch.size());
        for (WriteSlot<K, V> slot : batch) {
            WriteOp<K, V> op = exit.flying(slot);
            if (op == null) {
                return new IllegalStateException("a write has ended before its call");
            }
            writes.add(op.write());
        }
        @Nullable Throwable @Nullable [] failures;
        calls.increment();
        boolean interrupted = Thread.currentThread().isInterrupted();
        try {
            failures = call(List.copyOf(writes));
        } catch (Throwable thrown) {
            return thrown;
        } finally {
            if (!interrupted) {
                Thread.interrupted(); // what the store has left behind is not for the next call
            }
        }
        if (batch.size() > 1) {
            rowsSaved.add(batch.size() - 1L);
        }
        if (failures == null) {
            wrote(exit, batch);
        } else {
            sort(exit, batch, failures);
        }
        return null;
    }

    /** The store has all of these. */
    private void wrote(ShardExit<K, V> exit, List<WriteSlot<K, V>> written) {
        if (journal.isThere()) { // first, so that a close finds nothing that is still to be forgotten
            journal.forget(exit.settled(written));
        }
        exit.wrote(written);
        ended.run();
    }

    /** The store has those of a batch that have no failure. */
    private void sort(ShardExit<K, V> exit, List<WriteSlot<K, V>> batch, @Nullable Throwable[] failures) {
        List<WriteSlot<K, V>> written = new ArrayList<>(batch.size());
        for (int i = 0; i < failures.length; i++) {
            if (failures[i] == null) {
                written.add(batch.get(i));
            }
        }
        wrote(exit, written);
        for (int i = 0; i < failures.length; i++) {
            Throwable failure = failures[i];
            if (failure != null) {
                decide(exit, batch.get(i), failure);
            }
        }
    }

    /** Returns the failure of each write, or null for those that were written; null if all were. */
    private @Nullable Throwable @Nullable [] call(List<PendingWrite<K, V>> batch) throws Exception {
        Map<K, ? extends @Nullable Throwable> result = store.write(batch);
        if (result == null) {
            throw new IllegalStateException("the batch store returned null");
        }
        if (result.isEmpty()) {
            return null;
        }
        @Nullable Throwable[] failures = new @Nullable Throwable[batch.size()];
        Map<K, Integer> places = new HashMap<>();
        for (int i = 0; i < batch.size(); i++) {
            places.put(batch.get(i).key(), i);
        }
        for (Map.Entry<K, ? extends @Nullable Throwable> entry : result.entrySet()) {
            Integer place = places.get(entry.getKey());
            if (place == null) {
                throw new IllegalStateException("the batch store returned a key that was not in the batch");
            }
            Throwable failure = entry.getValue();
            failures[place] =
                    failure == null ? new IllegalStateException("the batch store gave no reason for a key") : failure;
        }
        return failures;
    }

    /** A call for these has failed. */
    private void split(ShardExit<K, V> exit, List<WriteSlot<K, V>> batch, Throwable thrown) {
        if (batch.size() == 1) {
            decide(exit, batch.get(0), thrown);
        } else if (!fates.isOfBatch(thrown)) {
            batch.forEach(slot -> again(exit, slot, thrown, Integer.MAX_VALUE));
        } else {
            int middle = batch.size() / 2;
            List<WriteSlot<K, V>> left = batch.subList(0, middle);
            List<WriteSlot<K, V>> right = batch.subList(middle, batch.size());
            Throwable ofLeft = attempt(exit, left);
            Throwable ofRight = attempt(exit, right);
            if (ofLeft != null && ofRight != null && batch.size() > 2) {
                int limit = Math.max((middle + 1) / 2, 1);
                left.forEach(slot -> again(exit, slot, ofLeft, limit));
                right.forEach(slot -> again(exit, slot, ofRight, limit));
            } else {
                if (ofLeft != null) {
                    split(exit, left, ofLeft);
                }
                if (ofRight != null) {
                    split(exit, right, ofRight);
                }
            }
        }
    }

    /** A write has failed by itself. If what decides about it fails in turn, it is tried again. */
    private void decide(ShardExit<K, V> exit, WriteSlot<K, V> slot, Throwable thrown) {
        try {
            decideOrThrow(exit, slot, thrown);
        } catch (Throwable broken) {
            if (exit.flying(slot) != null) {
                exit.failed(slot, environment.clock().nanoTime() + FALLBACK_NANOS);
            }
            SafeLog.warn(LOG, "{}: a failed write could not be judged", WriteRefusedException.label(name), broken);
        }
    }

    private void decideOrThrow(ShardExit<K, V> exit, WriteSlot<K, V> slot, Throwable thrown) {
        WriteOp<K, V> op = exit.flying(slot);
        if (op == null) {
            return;
        }
        Fate fate = fates.of(op, thrown);
        if (fate == Fate.WRITTEN) {
            wrote(exit, List.of(slot));
        } else if (fate == Fate.RETRY || !mayDie(exit, slot)) {
            wait(exit, slot, op, thrown);
        } else {
            bury(exit, slot, op, thrown);
        }
    }

    /** Whether a write may be given up, and there is a place for its letter, which is taken then. */
    private boolean mayDie(ShardExit<K, V> exit, WriteSlot<K, V> slot) {
        if (!box.reserve()) { // before its key is refused, which it must not be for nothing
            return false;
        }
        boolean mayDie = exit.mayDie(slot);
        if (!mayDie) {
            box.cancel();
        }
        return mayDie;
    }

    /** A write has failed together with others: that is no try of its own. */
    private void again(ShardExit<K, V> exit, WriteSlot<K, V> slot, Throwable thrown, int limit) {
        WriteOp<K, V> op = exit.flying(slot);
        if (op != null) {
            op.failures++;
            op.limit = Math.min(op.limit, limit);
            wait(exit, slot, op, thrown);
        }
    }

    private void wait(ShardExit<K, V> exit, WriteSlot<K, V> slot, WriteOp<K, V> op, Throwable thrown) {
        long delay = fates.delayNanos(op, thrown);
        int attempt = Math.max(op.failures, 1) + 1;
        op.delay = delay;
        retries.increment();
        exit.failed(slot, environment.clock().nanoTime() + delay); // from here on the write may become a newer one
        Listener listener = environment.listener();
        if (listener != Listener.NONE) {
            listener.onAttempt(Policy.Kind.QUEUE, name, attempt, delay);
        }
    }

    private void bury(ShardExit<K, V> exit, WriteSlot<K, V> slot, WriteOp<K, V> op, Throwable thrown) {
        boolean added = false;
        try {
            DeadWrite<K, V> letter = new DeadWrite<>(
                    op.write(),
                    fates.text(thrown),
                    Math.max(op.tries, 1),
                    environment.wallClock().instant(),
                    exit.blocks(slot));
            journal.bury(letter);
            added = exit.died(slot, letter);
        } catch (RuntimeException unfit) { // the journal has it as pending, so that is what it stays
            SafeLog.warn(
                    LOG,
                    "{}: a write was given up and is tried again, since its journal cannot take the dead letter ({})",
                    WriteRefusedException.label(name),
                    op.write(),
                    unfit);
            wait(exit, slot, op, thrown);
        } finally {
            if (!added) {
                box.cancel();
            }
        }
        if (added) {
            SafeLog.warn(
                    LOG,
                    "{}: a write was given up after {} tries and is a dead letter now ({}): {}",
                    WriteRefusedException.label(name),
                    Math.max(op.tries, 1),
                    op.write(),
                    fates.text(thrown));
            if (evicts) {
                evicted.accept(slot.key);
            }
        }
    }
}
