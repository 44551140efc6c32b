package dev.levee.cache.writebehind;

import dev.levee.core.internal.SafeLog;
import dev.levee.core.internal.Text;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The journal of a write-behind, if it has one, and whether it has failed. Once it has, it is not called any more but
 * to be closed. Nothing here is called under a lock. Thread-safe.
 */
final class JournalKeeper<K, V> {
    private static final Logger LOG = LoggerFactory.getLogger(WriteBehind.class);

    private final String name;
    private final @Nullable WriteJournal<K, V> journal;
    private volatile @Nullable Throwable failure;
    private volatile boolean closed;

    JournalKeeper(String name, @Nullable WriteJournal<K, V> journal) {
        this.name = name;
        this.journal = journal;
    }

    /** A call of the journal. */
    @FunctionalInterface
    private interface JournalCall<K, V> {
        void on(WriteJournal<K, V> journal) throws Exception;
    }

    boolean isThere() {
        return journal != null;
    }

    boolean hasFailed() {
        return failure != null;
    }

    /** Whether what it was given is in it. */
    boolean keeps() {
        return journal != null && failure == null;
    }

    WriteJournal.Recovered<K, V> open() {
        if (journal == null) {
            return new WriteJournal.Recovered<>(List.of(), List.of(), 0);
        }
        try {
            return journal.open();
        } catch (IOException cause) {
            throw new UncheckedIOException(
                    WriteRefusedException.label(name) + ": its journal could not be opened: "
                            + Text.printable(cause.getMessage()),
                    cause);
        }
    }

    /** Throws if nothing may be accepted because the journal has failed. */
    void require() {
        Throwable why = failure;
        if (why != null) {
            throw WriteRefusedException.of(name, WriteRefusedException.Reason.JOURNAL, why);
        }
    }

    /**
     * Appends; throws a refusal of which it is not known whether the write will come back.
     *
     * @throws WriteRefusedException if the journal has failed
     * @throws RuntimeException what the journal threw because it cannot take this write, such as one that its codec
     *     refuses; it has changed nothing then, and goes on with others
     */
    void append(PendingWrite<K, V> write) {
        require();
        orRefuse(attemptOne(it -> it.append(write)));
    }

    /** Makes a dead letter a pending write again; throws as {@link #append} does. */
    void replay(DeadWrite<K, V> letter, PendingWrite<K, V> write) {
        require();
        orRefuse(attemptOne(it -> it.replay(letter, write)));
    }

    void discard(DeadWrite<K, V> letter) {
        require();
        orRefuse(attempt(it -> it.discard(List.of(letter))));
    }

    /** Throws the refusal of a step of which it is not known whether it took effect. */
    private void orRefuse(@Nullable Throwable thrown) {
        if (thrown != null) {
            throw WriteRefusedException.of(name, WriteRefusedException.Reason.JOURNAL, thrown)
                    .detachedAfterRun();
        }
    }

    /** Forgets what the store has. If that fails the writes come again after a restart, which is allowed. */
    void forget(List<PendingWrite<K, V>> writes) {
        if (journal != null && !writes.isEmpty()) {
            attempt(it -> it.remove(writes));
        }
    }

    void forget(@Nullable PendingWrite<K, V> write) {
        if (write != null) {
            forget(List.of(write));
        }
    }

    /**
     * Makes a write a dead letter; if the journal fails it is pending again after a restart.
     *
     * @throws RuntimeException what the journal threw because it cannot take this letter: it is still pending there
     */
    void bury(DeadWrite<K, V> letter) {
        attemptOne(it -> it.bury(letter));
    }

    private @Nullable Throwable attempt(JournalCall<K, V> step) {
        try {
            return attemptOne(step);
        } catch (StackOverflowError ofCaller) {
            return ofCaller;
        } catch (RuntimeException | Error broken) {
            return failed(broken);
        }
    }

    /** A step that the journal may refuse, as that of a write which its codec refuses: that is thrown. */
    private @Nullable Throwable attemptOne(JournalCall<K, V> step) {
        if (journal == null || failure != null) {
            return failure;
        }
        try {
            step.on(journal);
            return null;
        } catch (UncheckedIOException | IllegalStateException failed) {
            return failed(failed);
        } catch (RuntimeException | StackOverflowError unfit) { // a stack that has ended is that of this caller
            throw unfit;
        } catch (VirtualMachineError failed) {
            return failed(failed);
        } catch (Error unfit) { // of a codec; a journal that has failed refuses the next step
            throw unfit;
        } catch (Throwable failed) {
            return failed(failed);
        }
    }

    private Throwable failed(Throwable thrown) {
        if (closed) {
            return thrown;
        }
        failure = thrown;
        SafeLog.warn(
                LOG,
                "{}: its journal has failed. New writes are refused; those that were accepted still go to the store",
                WriteRefusedException.label(name),
                thrown);
        return thrown;
    }

    void close() {
        if (journal == null || closed) {
            return;
        }
        closed = true;
        try {
            journal.close();
        } catch (Throwable thrown) {
            SafeLog.warn(
                    LOG,
                    "{}: its journal could not be closed properly; what was acknowledged is kept",
                    WriteRefusedException.label(name),
                    thrown);
        }
    }
}
