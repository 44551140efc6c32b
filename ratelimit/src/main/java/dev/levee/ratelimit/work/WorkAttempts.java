package dev.levee.ratelimit.work;

import dev.levee.core.CallContext;
import dev.levee.core.Environment;
import dev.levee.core.Listener;
import dev.levee.core.OutcomeRule;
import dev.levee.core.Outcomes;
import dev.levee.core.Policy;
import dev.levee.core.RefusedException;
import dev.levee.core.Verdict;
import dev.levee.core.internal.HintSpread;
import dev.levee.core.internal.Nanos;
import dev.levee.core.internal.Require;
import dev.levee.core.internal.SafeLog;
import dev.levee.core.policy.RetryBudget;
import java.time.Duration;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.atomic.LongAdder;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The attempts of the items of a queue: takes an item, has it handled, and decides what becomes of it. Thread-safe.
 *
 * <p><b>Invariant.</b> An item that was taken into a slot leaves it exactly once, whatever handler, rule, backoff,
 * listener, log or scheduler throw: as done, as one that waits, as a dead letter, or given back. None of them is called
 * under the lock. What waits for credit of the budget: see ADR 116.
 *
 * @param <T> the items
 */
final class WorkAttempts<T> {
    private static final Logger LOG = LoggerFactory.getLogger(WorkQueue.class);
    private static final long STOP = -1;

    /** The wait after a backoff has thrown. */
    private static final long FALLBACK_NANOS = Duration.ofSeconds(1).toNanos();

    /** The shortest wait of an item for the budget. */
    private static final long BUDGET_NANOS = Duration.ofMillis(100).toNanos();

    private final String label;
    private final WorkQueueConfig<T> config;
    private final WorkHandler<? super T> handler;
    private final Environment environment;
    private final String name;
    private final OutcomeRule outcomes;
    private final long maxHintNanos;
    private final RetryBudget budget;
    private final @Nullable Listener listener;
    private final WorkRing ring;
    private final WorkBook<T> book;
    private final WorkWaiters waiters;
    private final WorkCrew<T> crew;
    private final WorkClosing<T> closing;
    private final LongAdder retried = new LongAdder();
    private final LongAdder postponed = new LongAdder();
    private volatile boolean warnedOfDead;
    private volatile boolean warnedOfDropped;
    private volatile boolean warnedOfBackoff;

    WorkAttempts(
            String name,
            WorkQueueConfig<T> config,
            WorkHandler<? super T> handler,
            Environment environment,
            WorkBook<T> book,
            WorkSlots slots,
            WorkWaiters waiters) {
        this.name = name;
        this.label = Policy.Kind.QUEUE.label() + " \"" + name + '"';
        this.config = config;
        this.handler = handler;
        this.environment = environment;
        this.outcomes = config.outcomes();
        this.maxHintNanos = config.maxHintNanos();
        RetryBudget given = config.budget();
        this.budget = given == null ? RetryBudget.of(name, environment) : given;
        this.listener = environment.listener() == Listener.NONE ? null : environment.listener();
        this.ring = book.ring;
        this.book = book;
        this.waiters = waiters;
        this.crew = new WorkCrew<>(label, config.workers(), environment, book, slots, this);
        this.closing = new WorkClosing<>(environment, book, slots, waiters, crew, this);
    }

    WorkCrew<T> crew() {
        return crew;
    }

    WorkClosing<T> closing() {
        return closing;
    }

    long retried() {
        return retried.sum();
    }

    /** How often the budget has not let an attempt through. */
    long postponed() {
        return postponed.sum();
    }

    /** Reads the clock; one that throws stands still. */
    long nowNanos() {
        try {
            return environment.clock().nanoTime();
        } catch (Throwable noTime) { // of a user
            return 0;
        }
    }

    /** Moves the next item that may be begun into a slot; false if there is none. */
    boolean take(WorkSlot slot) {
        if (crew.isPaused() || book.isStopped()) {
            return false;
        }
        if (!book.isNeeded()) {
            return ring.poll(slot);
        }
        book.lock.lock();
        try {
            return book.next(slot, this);
        } finally {
            book.lock.unlock();
        }
    }

    /**
     * Makes one attempt of the item in a slot. Never throws. Returns true if its stage goes on, and has the slot.
     *
     * @param ofWorker whether the item counts as that of a worker
     */
    boolean handle(WorkSlot slot, boolean ofWorker) {
        CallContext carrying = WorkEntry.contextIn(slot);
        if (carrying == null) {
            return attempt(slot, ofWorker);
        }
        boolean[] kept = {false};
        carrying.carry(() -> kept[0] = attempt(slot, ofWorker)).run();
        return kept[0];
    }

    private boolean attempt(WorkSlot slot, boolean ofWorker) {
        WorkEntry<T> entry = entryIfAny(slot);
        T item = itemOf(slot.taken());
        long start = listener == null ? 0 : nowNanos();
        Object result = null;
        Throwable error = null;
        try {
            if (entry == null || (entry.attempts == 0 && entry.refusals == 0)) {
                budget.onFirstAttempt();
            }
            result = handler.handle(item, entry == null ? 1 : entry.attempt());
            if (result instanceof CompletionStage<?> stage) {
                PendingWork<T> pending = new PendingWork<>(this, slot, stage, ofWorker, start);
                if (pending.follow()) {
                    return true;
                }
                result = pending.result;
                error = pending.error;
            }
        } catch (Throwable thrown) {
            error = thrown;
        }
        finish(slot, result, error, start);
        takeBackInterrupt(slot);
        return false;
    }

    /** The stage of an item has ended, on any thread. */
    void stageEnded(
            WorkSlot slot, @Nullable Object result, @Nullable Throwable error, long startNanos, boolean ofWorker) {
        finish(slot, result, error, startNanos);
        slot.release();
        if (ofWorker) {
            crew.leave();
        }
    }

    /** Decides what becomes of an item after an attempt. Never throws. */
    private void finish(WorkSlot slot, @Nullable Object result, @Nullable Throwable error, long startNanos) {
        try {
            Verdict verdict = Outcomes.judge(outcomes, result, error);
            if (listener != null) {
                listener.onOutcome(Policy.Kind.QUEUE, name, verdict, Math.max(nowNanos() - startNanos, 0));
            }
            if (verdict == Verdict.SUCCESS) {
                succeed(slot);
            } else {
                fail(slot, verdict, result, error == null ? null : Outcomes.unwrap(error));
            }
        } catch (Throwable noMemory) { // or an exception whose own methods throw
            buryAnyhow(slot, error == null ? noMemory : error);
        }
        afterEnd();
    }

    private void succeed(WorkSlot slot) {
        WorkEntry<T> entry = entryIfAny(slot);
        if (entry == null) {
            slot.clear();
            ring.end();
            return;
        }
        book.lock.lock();
        try {
            slot.clear();
            book.end(entry);
        } finally {
            book.lock.unlock();
        }
        entry.tellCaller();
    }

    private void fail(WorkSlot slot, Verdict verdict, @Nullable Object result, @Nullable Throwable error) {
        boolean refused = error instanceof RefusedException refusal && !refusal.mayHaveRun();
        boolean repeats = error instanceof RefusedException refusal
                ? Outcomes.mayBeRepeated(outcomes, refusal)
                : verdict.isFailure() || error instanceof InterruptedException;
        long hint = Outcomes.retryAfterNanos(outcomes, verdict, result, error);
        long now = nowNanos();
        WorkEntry<T> entry = entryOf(slot);
        entry.failed(now, verdict, error, refused);
        boolean again = repeats && (refused || entry.attempts < config.maxAttempts()) && hint <= maxHintNanos;
        long delay = again ? delayNanos(entry, hint) : STOP;
        if (again && !refused && !isPaid()) {
            entry.unpaid = true;
            delay = Math.max(delay, BUDGET_NANOS);
        }
        boolean dropped = false;
        boolean returned = false;
        boolean waits = false;
        book.lock.lock();
        try {
            slot.clear();
            if (delay == STOP || book.isStopped()) {
                delay = STOP;
                dropped = book.bury(entry);
            } else {
                book.later(entry, now + delay);
                if (book.isTooLate(entry.dueNanos)) {
                    returned = true;
                    book.giveBack(entry);
                } else if (delay == 0) {
                    book.due(entry);
                } else {
                    waits = true;
                }
            }
        } finally {
            book.lock.unlock();
        }
        if (delay == STOP) {
            warnOfDead(entry, dropped);
        } else if (!returned) {
            retried.increment();
            if (listener != null) {
                listener.onAttempt(Policy.Kind.QUEUE, name, entry.attempt(), delay);
            }
        }
        if (waits) {
            setTimer(entry, delay);
        } else {
            entry.tellCaller();
        }
    }

    private long delayNanos(WorkEntry<T> entry, long hint) {
        long delay;
        try {
            int number = Math.max(entry.refusals > 0 ? entry.refusals : entry.attempts, 1);
            delay = Require.range(
                    "backoff delay",
                    config.backoff().delayNanos(number, entry.delayNanos, environment.random()),
                    0,
                    Long.MAX_VALUE);
        } catch (Throwable thrown) { // of a user
            delay = FALLBACK_NANOS;
            warnOfBackoff("its backoff threw, an item waits " + Nanos.text(delay) + " instead", thrown);
        }
        entry.delayNanos = Math.min(delay, Nanos.NEVER);
        long spread = HintSpread.spread(hint, config.hintJitter(), Nanos.NEVER, environment.random());
        return Math.min(Math.max(delay, spread), Nanos.NEVER);
    }

    /** Pays for a further attempt; false if there is no credit for it. */
    private boolean isPaid() {
        boolean paid;
        try {
            paid = budget.tryWithdraw();
        } catch (Throwable thrown) { // of a user
            paid = true;
            warnOfBackoff("its budget threw, an item is tried again", thrown);
        }
        if (!paid) {
            postponed.increment();
        }
        return paid;
    }

    private void warnOfBackoff(String what, Throwable thrown) {
        if (!warnedOfBackoff) {
            warnedOfBackoff = true;
            SafeLog.warn(LOG, "{}: {}. Further failures of this are not logged", label, what, thrown);
        }
    }

    private void setTimer(WorkEntry<T> entry, long delay) {
        try {
            entry.timer(environment.schedule(entry, delay));
        } catch (Throwable noTimer) { // the environment was closed
            SafeLog.debug(LOG, "{}: an item cannot wait for its next attempt, and is a dead letter", label, noTimer);
            buryIfWaiting(entry);
        }
    }

    /** Makes an item that waits for its next attempt a dead letter; false if it does not wait any more. */
    boolean buryIfWaiting(WorkEntry<T> entry) {
        boolean dropped;
        book.lock.lock();
        try {
            if (entry.state != WorkEntry.BACKOFF) {
                return false;
            }
            book.leaveBackoff(entry);
            dropped = book.bury(entry);
        } finally {
            book.lock.unlock();
        }
        entry.cancelTimer();
        warnOfDead(entry, dropped);
        entry.tellCaller();
        afterEnd();
        return true;
    }

    /** Ends an item whose failure could not be dealt with. */
    private void buryAnyhow(WorkSlot slot, Throwable error) {
        if (slot.item() == null) {
            return; // it has been dealt with, and something later threw
        }
        WorkEntry<T> entry = entryIfAny(slot);
        book.lock.lock();
        try {
            slot.clear();
            if (entry == null) {
                book.buryUnseen();
            } else {
                entry.cause = error;
                book.bury(entry);
            }
        } finally {
            book.lock.unlock();
        }
        SafeLog.warn(LOG, "{}: an attempt could not be dealt with, its item is a dead letter", label, error);
        if (entry != null) {
            entry.tellCaller();
        }
    }

    /** The backoff of an item is over: called by its timer. */
    void due(WorkEntry<T> entry) {
        if (entry.unpaid) { // a budget may be one of a user, which the thread of the timers must not ask
            environment.handOver(() -> askBudget(entry));
        } else {
            ready(entry);
        }
    }

    private void askBudget(WorkEntry<T> entry) {
        entry.unpaid = entry.state == WorkEntry.BACKOFF && !isPaid();
        if (entry.unpaid) {
            postpone(entry);
        } else {
            ready(entry);
        }
    }

    private void ready(WorkEntry<T> entry) {
        boolean waited;
        book.lock.lock();
        try {
            waited = book.due(entry);
        } finally {
            book.lock.unlock();
        }
        if (waited) {
            entry.tellCaller();
            crew.wake();
        }
    }

    /** An item asks the budget again after its backoff. */
    private void postpone(WorkEntry<T> entry) {
        long delay = Math.max(entry.delayNanos, BUDGET_NANOS);
        long due = nowNanos() + delay;
        boolean waits;
        book.lock.lock();
        try {
            waits = book.postpone(entry, due);
        } finally {
            book.lock.unlock();
        }
        if (waits) {
            setTimer(entry, delay);
        } else {
            entry.tellCaller();
            afterEnd(); // it may have been given back
        }
    }

    private void warnOfDead(WorkEntry<T> entry, boolean dropped) {
        if (!warnedOfDead) {
            warnedOfDead = true;
            SafeLog.warn(
                    LOG,
                    "{}: an item is a dead letter after {} attempts. Further ones are counted and not logged",
                    label,
                    entry.attempts,
                    entry.cause);
        }
        if (dropped && !warnedOfDropped) {
            warnedOfDropped = true;
            SafeLog.warn(
                    LOG,
                    "{}: there are more than {} dead letters, the oldest was dropped. Further ones are counted and not"
                            + " logged",
                    label,
                    config.maxDeadLetters());
        }
    }

    /** Logs again what is logged once: the dead letters have been dealt with. */
    void logAgain() {
        warnedOfDead = false;
        warnedOfDropped = false;
    }

    /** Does what follows when an item has left its slot: a place may be free, and items may be ready. */
    private void afterEnd() {
        try {
            waiters.admit();
            crew.wake();
            closing.ended();
        } catch (Throwable noMemory) { // the next end does it again
            SafeLog.warn(LOG, "{}: what follows the end of an item is put off to the next one", label, noMemory);
        }
    }

    /** Takes back an interrupt of a close that came too late for the item here. Returns whether it may have. */
    boolean takeBackInterrupt(WorkSlot slot) {
        boolean interrupting = closing.isInterrupting();
        if (interrupting) {
            slot.takeBackInterrupt();
        }
        return interrupting;
    }

    private @Nullable WorkEntry<T> entryIfAny(WorkSlot slot) {
        return slot.item() instanceof WorkEntry<?> ? entryIn(slot) : null;
    }

    /** Returns the entry of an item, or makes one for it. */
    WorkEntry<T> entryOf(WorkSlot slot) {
        WorkEntry<T> entry = entryIfAny(slot);
        if (entry == null) {
            entry = new WorkEntry<>(this, itemOf(slot.taken()), null, null);
        }
        entry.position = slot.position();
        entry.acceptedNanos = slot.acceptedNanos();
        return entry;
    }

    @SuppressWarnings("unchecked") // the slots of this queue have its entries
    private static <T> WorkEntry<T> entryIn(WorkSlot slot) {
        return (WorkEntry<T>) slot.taken();
    }

    @SuppressWarnings("unchecked") // and its items
    T itemOf(Object taken) {
        return taken instanceof WorkEntry<?> entry ? (T) entry.item : (T) taken;
    }

    /** Runs code of the user that must not keep what follows from happening. */
    void shielded(Runnable code) {
        try {
            code.run();
        } catch (Throwable thrown) {
            SafeLog.warn(LOG, "{}: a stage, a thread or a timer that was to end threw", label, thrown);
        }
    }

    @Override
    public String toString() {
        return label;
    }
}
