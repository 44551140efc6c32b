package dev.levee.core.idempotency;

import dev.levee.core.CallContext;
import dev.levee.core.Deadline;
import dev.levee.core.Environment;
import dev.levee.core.InterruptedWaitException;
import dev.levee.core.InterruptibleOperation;
import dev.levee.core.Operation;
import dev.levee.core.OutcomeRule;
import dev.levee.core.Outcomes;
import dev.levee.core.Policy;
import dev.levee.core.RefusedException;
import dev.levee.core.Verdict;
import dev.levee.core.idempotency.IdempotencyRefusedException.Reason;
import dev.levee.core.idempotency.IdempotencyStore.Claim;
import dev.levee.core.internal.Interrupts;
import dev.levee.core.internal.Nanos;
import dev.levee.core.internal.Require;
import dev.levee.core.internal.SafeLog;
import dev.levee.core.internal.StackRoom;
import dev.levee.core.internal.Text;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The one implementation of {@link Idempotency}.
 *
 * <pre>{@code
 * call ----> a pending call with this key and fingerprint in this process?
 *              yes: wait until it ends; take its ending, or begin again if that is unusable
 *              no:  become the pending call, and claim the key in the store
 *
 * claim          IN_PROGRESS     wait, claim again
 *                RECORDED        ending: what is recorded
 *                MISMATCH, FULL  refused
 *                OWNED           run the operation, record its outcome
 *                OWNED_UNKNOWN   check ----> done:      record, ending
 *                                            not done:  renew the lease, run the operation, record its outcome
 *                                            unknown:   unknown again, refused
 * }</pre>
 *
 * <p><b>Invariants.</b> The store alone decides which call runs the operation; the table of pending calls only saves it
 * work, and is never asked for permission. An operation runs only between a claim or renewal that made its call the
 * owner and the record of its outcome. A pending call leaves the table and ends on every path, so no waiter is left
 * behind. Fingerprints are part of a {@link Slot}, so that no call is refused or answered because of a fingerprint that
 * the store has not seen. See ADR 34.
 */
final class StoredIdempotency<T extends @Nullable Object> implements Idempotency<T> {
    private static final Logger LOG = LoggerFactory.getLogger(Idempotency.class);

    final IdempotencyStore<T> store;
    final Environment environment;
    final ConcurrentMap<Slot, PendingCall<T>> pendingCalls = new ConcurrentHashMap<>();
    private final String name;
    private final IdempotencyConfig<T> config;
    private final String process = UUID.randomUUID().toString();
    private final AtomicLong owners = new AtomicLong();
    private final IdempotencyTotals totals = new IdempotencyTotals();

    /** Null if unknown outcomes are checked when they are repeated only. */
    private final @Nullable BackgroundChecks<T> background;

    StoredIdempotency(String name, IdempotencyStore<T> store, IdempotencyConfig<T> config, Environment environment) {
        this.name = Require.name(name);
        this.store = Require.nonNull("store", store);
        this.config = Require.nonNull("config", config);
        this.environment = Require.nonNull("environment", environment);
        OutcomeCheck<T> check = config.check();
        this.background = check == null || config.checkAfterNanos() == Nanos.NEVER
                ? null
                : new BackgroundChecks<>(this, check, config.checkAfterNanos());
    }

    /** What makes calls of this process repeats of each other. */
    record Slot(String key, String fingerprint) {
        Slot {
            Require.nonNull("key", key);
            Require.nonNull("fingerprint", fingerprint);
        }
    }

    @Override
    public <X extends Throwable> T call(String key, String fingerprint, Operation<T, X> operation) throws X {
        StackRoom.require();
        Slot slot = new Slot(key, fingerprint);
        Require.nonNull("operation", operation);
        WaitLimit limit = new WaitLimit(CallContext.current().deadline());
        while (true) {
            PendingCall<T> mine = new PendingCall<>();
            PendingCall<T> other = pendingCalls.putIfAbsent(slot, mine);
            PendingCall.PendingEnd<T> ending = other == null
                    ? runIfClaimed(slot, mine, operation, limit)
                    : awaitEnding(slot, other, operation, limit);
            if (ending.known()) {
                return ending.<X>get();
            }
        }
    }

    private <X extends Throwable> PendingCall.PendingEnd<T> runIfClaimed(
            Slot slot, PendingCall<T> mine, Operation<T, X> operation, WaitLimit limit) throws X {
        try {
            String owner = newOwner();
            Claim<T> claim = claim(slot, owner);
            while (claim.status() == IdempotencyStore.Status.IN_PROGRESS) {
                pause(slot, claim, operation, limit);
                claim = claim(slot, owner);
            }
            return switch (claim.status()) {
                case OWNED -> run(slot, owner, operation, mine);
                case OWNED_UNKNOWN -> {
                    Resolution<T> resolution = resolve(slot, owner);
                    yield resolution.mayRun() ? run(slot, owner, operation, mine) : mine.prepare(resolution.ending());
                }
                default -> mine.prepare(endingOf(slot, claim));
            };
        } finally {
            end(slot, mine);
        }
    }

    void end(Slot slot, PendingCall<T> mine) {
        pendingCalls.remove(slot, mine);
        mine.end();
    }

    private <X extends Throwable> PendingCall.PendingEnd<T> run(
            Slot slot, String owner, Operation<T, X> operation, PendingCall<T> mine) throws X {
        T result;
        try {
            result = onceOnly(CallContext.current()).call(operation);
        } catch (Throwable error) {
            mine.prepare(settle(slot, owner, null, error, judge(null, error)));
            throw error;
        }
        mine.prepare(settle(slot, owner, result, null, judge(result, null)));
        return PendingCall.PendingEnd.of(result, null);
    }

    private Verdict judge(@Nullable T result, @Nullable Throwable error) {
        return Outcomes.judgeBlocking(config.outcomes(), result, error);
    }

    /**
     * Judges how a stage has ended.
     *
     * @param ranBefore whether an attempt before the one that it has ended with may have run
     */
    Verdict judgeStage(@Nullable T result, @Nullable Throwable error, boolean ranBefore) {
        Verdict verdict = Outcomes.judge(config.outcomes(), result, error);
        return verdict == Verdict.NOT_SENT && ranBefore ? Verdict.FAILURE : verdict;
    }

    /** Returns a context in which nothing is repeated that may have been done. */
    static CallContext onceOnly(CallContext context) {
        return context.withIdempotent(false);
    }

    String newOwner() {
        return process + "-" + owners.incrementAndGet();
    }

    Claim<T> claim(Slot slot, String owner) {
        return store.claim(slot.key, slot.fingerprint, owner, config.leaseNanos());
    }

    /**
     * Returns the ending of a call whose claim did not make it the owner, and found no other owner: replayed or
     * refused.
     */
    PendingCall.PendingEnd<T> endingOf(Slot slot, Claim<T> claim) {
        switch (claim.status()) {
            case RECORDED -> {
                totals.replayed.increment();
                return PendingCall.PendingEnd.of(claim.result(), claim.failure());
            }
            case MISMATCH -> {
                countRefusal();
                throw new FingerprintMismatchException(name, slot.key);
            }
            case FULL -> throw refusal(slot, Reason.STORE_FULL, "the store has no room for one more key", null);
            default -> throw new IllegalStateException("a claim that is " + claim.status() + " has no ending");
        }
    }

    /**
     * What was found out about an unknown outcome.
     *
     * @param mayRun whether nothing was done, and this owner may run the operation
     * @param ending otherwise how the call ends: with what was done, or unusable if another call has taken over
     */
    record Resolution<T extends @Nullable Object>(boolean mayRun, PendingCall.PendingEnd<T> ending) {
        static <T extends @Nullable Object> Resolution<T> run() {
            return new Resolution<>(true, PendingCall.PendingEnd.unusable());
        }

        static <T extends @Nullable Object> Resolution<T> done(@Nullable T result) {
            return new Resolution<>(false, PendingCall.PendingEnd.of(result, null));
        }

        static <T extends @Nullable Object> Resolution<T> takenOver() {
            return new Resolution<>(false, PendingCall.PendingEnd.unusable());
        }
    }

    /**
     * Finds out by the check what became of an operation whose outcome is unknown; refuses the call if that cannot be
     * found out.
     */
    Resolution<T> resolve(Slot slot, String owner) {
        OutcomeCheck.Finding<T> finding = check(slot, owner);
        if (finding.kind == OutcomeCheck.Finding.FindingKind.UNKNOWN) {
            backToUnknown(slot, owner);
            throw refusal(slot, Reason.UNKNOWN_OUTCOME, "the check cannot say yet whether it was done", null);
        }
        try {
            if (finding.kind == OutcomeCheck.Finding.FindingKind.DONE) {
                return store.record(slot.key, owner, finding.result, null)
                        ? Resolution.done(finding.result)
                        : Resolution.takenOver();
            }
            return store.renew(slot.key, owner, config.leaseNanos()) ? Resolution.run() : Resolution.takenOver();
        } catch (Throwable thrown) {
            backToUnknown(slot, owner); // or no call could check again before the lease has ended
            throw thrown;
        }
    }

    private OutcomeCheck.Finding<T> check(Slot slot, String owner) {
        OutcomeCheck<T> check = config.check();
        if (check == null) {
            backToUnknown(slot, owner);
            throw refusal(
                    slot,
                    Reason.UNKNOWN_OUTCOME,
                    "it is not known whether it was done, and there is no check that could find out",
                    null);
        }
        try {
            return ask(check, slot);
        } catch (Throwable thrown) {
            backToUnknown(slot, owner);
            if (thrown instanceof InterruptedException) {
                Thread.currentThread().interrupt();
            }
            if (thrown instanceof Error error) {
                throw error;
            }
            throw refusal(slot, Reason.UNKNOWN_OUTCOME, "the check could not find out whether it was done", thrown);
        }
    }

    OutcomeCheck.Finding<T> ask(OutcomeCheck<T> check, Slot slot) throws Exception {
        totals.checked.increment();
        return Require.nonNull("finding", check.check(slot.key));
    }

    /** Gives the key back before the operation has begun, because the call was cancelled. */
    void giveBack(Slot slot, String owner, boolean nothingWasDone) {
        if (nothingWasDone) {
            store.forget(slot.key, owner);
        } else {
            backToUnknown(slot, owner);
        }
    }

    void countReplay() {
        totals.replayed.increment();
    }

    void backToUnknown(Slot slot, String owner) {
        try {
            store.unknown(slot.key, owner);
            checkLater(slot, 0);
        } catch (Throwable thrown) {
            checkLater(slot, config.leaseNanos());
            SafeLog.warn(
                    LOG, "{}: the store failed; the key is unknown again when the lease ends", subject(name), thrown);
        }
    }

    private void checkLater(Slot slot, long after) {
        if (background != null) {
            background.add(slot, after);
        }
    }

    /**
     * Records how the operation ended, and returns what those that wait for this call get. Never throws the store's
     * failure: what is known is true even if it could not be recorded.
     */
    PendingCall.PendingEnd<T> settle(
            Slot slot, String owner, @Nullable T result, @Nullable Throwable error, Verdict verdict) {
        totals.run.increment();
        boolean inTime;
        try {
            if (verdict == Verdict.SUCCESS) {
                inTime = store.record(slot.key, owner, result, error);
            } else if (nothingWasDone(verdict, error)) {
                store.forget(slot.key, owner);
                return PendingCall.PendingEnd.unusable();
            } else {
                totals.unknown.increment();
                store.unknown(slot.key, owner);
                checkLater(slot, 0);
                return PendingCall.PendingEnd.unusable();
            }
        } catch (Throwable thrown) {
            totals.unrecorded.increment();
            checkLater(slot, config.leaseNanos());
            SafeLog.warn(
                    LOG,
                    "{}: an operation has ended, but the store failed; its outcome is unknown when the lease ends",
                    subject(name),
                    thrown);
            return verdict == Verdict.SUCCESS
                    ? PendingCall.PendingEnd.of(result, error)
                    : PendingCall.PendingEnd.unusable();
        }
        if (!inTime) {
            totals.late.increment();
            if (error == null) {
                throw refusal(
                        slot,
                        Reason.UNKNOWN_OUTCOME,
                        "the operation ended after its lease of " + config.lease()
                                + ", when another call had taken over",
                        null);
            }
            return PendingCall.PendingEnd.unusable();
        }
        return PendingCall.PendingEnd.of(result, error);
    }

    private boolean nothingWasDone(Verdict verdict, @Nullable Throwable error) {
        if (verdict == Verdict.NOT_SENT || verdict == Verdict.THROTTLED) {
            return true;
        }
        if (error == null || Outcomes.mayHaveRun(error)) {
            return false;
        }
        for (Throwable earlier : error.getSuppressed()) { // by code that repeats calls itself
            if (!nothingWasDone(Outcomes.judge(config.outcomes(), null, earlier), earlier)) {
                return false;
            }
        }
        return true;
    }

    private PendingCall.PendingEnd<T> awaitEnding(
            Slot slot, PendingCall<T> other, Operation<?, ?> operation, WaitLimit limit) {
        Thread thread = Thread.currentThread();
        Runnable wake = () -> LockSupport.unpark(thread);
        other.addWaiter(wake);
        try {
            PendingCall.PendingEnd<T> ending;
            while ((ending = other.ending()) == null) {
                long left = leftOrRefuse(slot, limit);
                if (Thread.interrupted()) {
                    throw interrupted(operation, new InterruptedException());
                }
                environment.scheduler().park(this, left);
            }
            if (ending.known()) {
                totals.replayed.increment();
            }
            return ending;
        } finally {
            other.removeWaiter(wake);
        }
    }

    private void pause(Slot slot, Claim<T> claim, Operation<?, ?> operation, WaitLimit limit) {
        try {
            environment.scheduler().sleep(pauseNanos(slot, claim, limit));
        } catch (InterruptedException interrupt) {
            if (limit.leftNanos() <= 0) { // the interrupt is that of a timeout, and by the clock the wait is over
                Thread.currentThread().interrupt();
                throw inProgress(slot);
            }
            throw interrupted(operation, interrupt);
        }
    }

    long pauseNanos(Slot slot, Claim<T> claim, WaitLimit limit) {
        long left = leftOrRefuse(slot, limit);
        return Math.max(1, Math.min(left, Math.min(config.pollNanos(), claim.leaseNanos())));
    }

    long leftOrRefuse(Slot slot, WaitLimit limit) {
        long left = limit.leftNanos();
        if (left <= 0) {
            throw inProgress(slot);
        }
        return left;
    }

    IdempotencyRefusedException inProgress(Slot slot) {
        return refusal(
                slot,
                Reason.IN_PROGRESS,
                config.maxWait().isZero() ? "another call is in progress" : "another call is still in progress",
                null);
    }

    private IdempotencyRefusedException refusal(
            Slot slot, Reason reason, String explanation, @Nullable Throwable cause) {
        countRefusal();
        long hint = reason == Reason.UNKNOWN_OUTCOME && config.check() == null
                ? OutcomeRule.DO_NOT_RETRY
                : RefusedException.UNKNOWN;
        return new IdempotencyRefusedException(name, slot.key, reason, explanation, hint, cause);
    }

    private void countRefusal() {
        totals.refused.increment();
        environment.listener().onRefused(Policy.Kind.IDEMPOTENCY, name);
    }

    /** Returns how an idempotency is named in texts: its kind and its name in quotes. */
    static String subject(String name) {
        return "idempotency \"" + Text.printable(name) + '"';
    }

    private RuntimeException interrupted(Operation<?, ?> operation, InterruptedException interrupt) {
        Interrupts.throwOrFlag(operation instanceof InterruptibleOperation, interrupt);
        return new InterruptedWaitException("idempotency", name, interrupt);
    }

    @Override
    public CompletableFuture<T> callAsync(
            String key, String fingerprint, Supplier<? extends CompletionStage<T>> operation) {
        StackRoom.require();
        Slot slot = new Slot(key, fingerprint);
        return new AsyncIdempotentCall<>(this, slot, Require.nonNull("operation", operation)).begin();
    }

    @Override
    public String name() {
        return name;
    }

    @Override
    public void measure(Sink sink) {
        totals.write(name, Require.nonNull("sink", sink));
        sink.value(name, IdempotencyMetrics.IDEMPOTENCY_SETTLING, background == null ? 0 : background.size());
        store.measure(name, sink);
    }

    @Override
    public String toString() {
        return subject(name) + " over " + store;
    }

    /** How much longer a call may wait for others. Reads the clock for the first time when it must. */
    final class WaitLimit {
        private final @Nullable Deadline deadline;
        private boolean begun;
        private long start;

        WaitLimit(@Nullable Deadline deadline) {
            this.deadline = deadline;
        }

        long leftNanos() {
            long max = config.maxWaitNanos();
            if (max == 0) {
                return 0;
            }
            long now = environment.clock().nanoTime();
            if (!begun) {
                begun = true;
                start = now;
            }
            long left = max - (now - start);
            return deadline == null ? left : Math.min(left, deadline.remainingNanos());
        }
    }
}
