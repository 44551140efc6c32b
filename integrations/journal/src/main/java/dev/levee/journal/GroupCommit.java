package dev.levee.journal;

import dev.levee.core.internal.SafeLog;
import dev.levee.core.internal.StackRoom;
import dev.levee.core.internal.Text;
import dev.levee.core.internal.Unchecked;
import dev.levee.journal.JournalException.Reason;
import java.util.concurrent.CompletionException;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Callers that write at one time share a frame, and one wait for the device; one that comes alone waits for nothing
 * else. See ADR 110. (D. J. DeWitt et al., <i>Implementation Techniques for Main Memory Database Systems</i>, 1984.)
 */
final class GroupCommit {
    private static final Logger LOG = LoggerFactory.getLogger(GroupCommit.class);

    private final String journal;
    private final SegmentLog log;
    private final ReentrantLock lock = new ReentrantLock();
    private Batch open = new Batch(null);
    private @Nullable JournalException failure;
    private boolean closed;

    /** Adds to a batch; called under the lock, and has no code of users in it but equality of keys. */
    interface Joining {
        void join(Batch batch);
    }

    GroupCommit(String journal, SegmentLog log) {
        this.journal = journal;
        this.log = log;
    }

    /**
     * Adds records to a batch, and returns when it is committed.
     *
     * @param bytes how long they are
     * @param joining adds them
     */
    void commit(int bytes, Joining joining) throws JournalException {
        commit(bytes, joining, false);
    }

    private void commit(int bytes, Joining joining, boolean last) throws JournalException {
        StackRoom.require(); // a batch that nothing leads would let all later ones wait for ever
        Batch batch;
        boolean leads;
        Throwable thrown;
        lock.lock();
        try {
            check();
            closed = last;
            if (!open.hasRoomFor(bytes)) {
                open = new Batch(open);
            }
            batch = open;
            leads = batch.isEmpty();
            thrown = join(batch, joining);
        } finally {
            lock.unlock();
        }
        if (thrown != null) {
            batch.done.completeExceptionally(thrown);
            SafeLog.warn(LOG, "{}", failed().getMessage(), thrown);
            throw Unchecked.<RuntimeException>asDeclared(thrown);
        }
        if (leads) {
            lead(batch);
        }
        try {
            batch.awaitEnd();
        } catch (CompletionException failed) {
            throw failed();
        }
    }

    private void check() throws JournalException {
        if (failure != null) {
            throw failed();
        }
        if (closed) {
            throw new JournalException(Reason.CLOSED, "journal \"" + journal + "\": closed", null);
        }
    }

    /** What a failure leaves half done ends the journal: no later record may rely on it. */
    private @Nullable Throwable join(Batch batch, Joining joining) {
        try {
            joining.join(batch);
            return null;
        } catch (Throwable thrown) { // by an equality of keys, or for want of memory
            fail(thrown);
            return thrown;
        }
    }

    private void lead(Batch batch) {
        try {
            batch.awaitTurn();
            lock.lock();
            try {
                if (open == batch) {
                    open = new Batch(batch);
                }
                if (failure != null) {
                    throw failure;
                }
            } finally {
                lock.unlock();
            }
            log.write(batch);
            batch.done.complete(null);
            log.doChores();
        } catch (Throwable e) { // an Error too: those who wait must be told
            end(batch, e);
        }
    }

    /** Ends a batch that was not written, and the journal. */
    private void end(Batch batch, Throwable cause) {
        JournalException first = fail(cause);
        batch.done.completeExceptionally(cause);
        if (first != null) {
            SafeLog.warn(LOG, "{}", first.getMessage(), cause);
        }
    }

    /** Returns the failure if this is the first. */
    private @Nullable JournalException fail(Throwable cause) {
        lock.lock();
        try {
            if (failure != null) {
                return null;
            }
            Reason reason = cause instanceof JournalException known ? known.reason() : Reason.FAILED;
            failure = new JournalException(
                    reason,
                    "journal \"" + journal + "\": writing to " + log.path()
                            + " failed, and nothing is taken until it is opened again: " + Text.ofThrown(cause),
                    cause);
            return failure;
        } finally {
            lock.unlock();
        }
    }

    /** The first failure, with the stack trace of the caller that learns of it. */
    private JournalException failed() {
        lock.lock();
        try {
            JournalException first = failure;
            if (first == null) {
                throw new IllegalStateException("journal \"" + journal + "\": has not failed");
            }
            return new JournalException(first.reason(), String.valueOf(first.getMessage()), first.getCause());
        } finally {
            lock.unlock();
        }
    }

    /** Returns whether everything is refused because of a failure. */
    boolean hasFailed() {
        lock.lock();
        try {
            return failure != null;
        } finally {
            lock.unlock();
        }
    }

    /** Commits a last batch; what comes later is refused. */
    void close(int bytes, Joining joining) throws JournalException {
        commit(bytes, joining, true);
    }
}
