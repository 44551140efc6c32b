package dev.levee.core.idempotency;

import dev.levee.core.CallContext;
import dev.levee.core.Deadline;
import dev.levee.core.Environment;
import dev.levee.core.InterruptedWaitException;
import dev.levee.core.InterruptibleOperation;
import dev.levee.core.Operation;
import dev.levee.core.OutcomeRule;
import dev.levee.core.Outcomes;
import dev.levee.core.RefusedException;
import dev.levee.core.Verdict;
import dev.levee.core.idempotency.IdempotencyRefusedException.Reason;
import dev.levee.core.idempotency.IdempotencyStore.Claim;
import dev.levee.core.internal.Require;
import dev.levee.core.internal.Unchecked;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.LongAdder;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The one implementation of {@link Idempotency}.
 *
 * <p>The store alone decides who runs. The table of flights only spares it: of all callers of this process with one key and
 * fingerprint one leads, the others wait for it in memory, and are woken when it ends, whatever its end.
 */
final class StoredIdempotency<T extends @Nullable Object> implements Idempotency<T> {
    private static final Logger LOG = LoggerFactory.getLogger(Idempotency.class);

    final IdempotencyStore<T> store;
    final Environment environment;
    final ConcurrentMap<Slot, PendingCall<T>> flights = new ConcurrentHashMap<>();
    private final String name;
    private final IdempotencyConfig<T> config;
    private final String process = UUID.randomUUID().toString();
    private final AtomicLong owners = new AtomicLong();
    private final LongAdder run = new LongAdder();
    private final LongAdder replayed = new LongAdder();
    private final LongAdder refused = new LongAdder();
    private final LongAdder unknown = new LongAdder();
    private final LongAdder checked = new LongAdder();
    private final LongAdder late = new LongAdder();
    private final LongAdder unrecorded = new LongAdder();

    StoredIdempotency(String name, IdempotencyStore<T> store, IdempotencyConfig<T> config, Environment environment) {
        this.name = Require.name(name);
        this.store = Require.nonNull("store", store);
        this.config = Require.nonNull("config", config);
        this.environment = Require.nonNull("environment", environment);
    }

    /** Fingerprints are part of it, so that nobody is refused, or answered, because of a fingerprint that the store has not seen. */
    record Slot(String key, String fingerprint) {
        Slot {
            Require.nonNull("key", key);
            Require.nonNull("fingerprint", fingerprint);
        }
    }

    @Override
    public <X extends Throwable> T call(String key, String fingerprint, Operation<T, X> operation) throws X {
        Slot slot = new Slot(key, fingerprint);
        Require.nonNull("operation", operation);
        Patience patience = new Patience(CallContext.current().deadline());
        while (true) {
            PendingCall<T> mine = new PendingCall<>();
            PendingCall<T> other = flights.putIfAbsent(slot, mine);
            PendingCall.Ending<T> ending =
                    other == null ? lead(slot, mine, operation, patience) : follow(slot, other, operation, patience);
            if (ending.known()) {
                return ending.<X>get();
            }
        }
    }

    private <X extends Throwable> PendingCall.Ending<T> lead(
            Slot slot, PendingCall<T> mine, Operation<T, X> operation, Patience patience) throws X {
        try {
            String owner = newOwner();
            Claim<T> claim = claim(slot, owner);
            while (claim.status() == IdempotencyStore.Status.IN_PROGRESS) {
                pause(slot, claim, operation, patience);
                claim = claim(slot, owner);
            }
            PendingCall.Ending<T> found = ifDecided(slot, claim);
            if (found == null && claim.status() == IdempotencyStore.Status.OWNED_UNKNOWN) {
                found = resolve(slot, owner);
            }
            return found == null ? run(slot, owner, operation, mine) : mine.landsWith(found);
        } finally {
            land(slot, mine);
        }
    }

    void land(Slot slot, PendingCall<T> mine) {
        flights.remove(slot, mine);
        mine.land();
    }

    private <X extends Throwable> PendingCall.Ending<T> run(
            Slot slot, String owner, Operation<T, X> operation, PendingCall<T> mine) throws X {
        T result;
        try {
            result = onceOnly(CallContext.current()).call(operation);
        } catch (Throwable error) {
            mine.landsWith(settle(slot, owner, null, error));
            throw error;
        }
        mine.landsWith(settle(slot, owner, result, null));
        return PendingCall.Ending.of(result, null);
    }

    /** Inside, nothing may be repeated that may have been done. */
    static CallContext onceOnly(CallContext context) {
        return context.withIdempotent(false);
    }

    String newOwner() {
        return process + "-" + owners.incrementAndGet();
    }

    Claim<T> claim(Slot slot, String owner) {
        return store.claim(slot.key, slot.fingerprint, owner, config.leaseNanos());
    }

    /** What a claim says without anything being run or checked; null if the caller owns the key now. */
    PendingCall.@Nullable Ending<T> ifDecided(Slot slot, Claim<T> claim) {
        switch (claim.status()) {
            case RECORDED -> {
                replayed.increment();
                return PendingCall.Ending.of(claim.result(), claim.failure());
            }
            case MISMATCH -> {
                refused.increment();
                environment.listener().onRefused(name);
                throw new FingerprintMismatchException(name, slot.key);
            }
            case FULL -> throw refusal(slot, Reason.STORE_FULL, "the store has no room for one more key", null);
            default -> {
                return null;
            }
        }
    }

    /** Finds out. Null if nothing was done and this owner is to run the operation. */
    PendingCall.@Nullable Ending<T> resolve(Slot slot, String owner) {
        OutcomeCheck<T> check = config.check();
        if (check == null) {
            backToUnknown(slot, owner);
            throw refusal(
                    slot,
                    Reason.UNKNOWN_OUTCOME,
                    "it is not known whether it was done, and there is no check that could find out",
                    null);
        }
        OutcomeCheck.Finding<T> finding;
        checked.increment();
        try {
            finding = Require.nonNull("finding", check.check(slot.key));
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
        if (finding.answer == OutcomeCheck.Finding.Answer.UNKNOWN) {
            backToUnknown(slot, owner);
            throw refusal(slot, Reason.UNKNOWN_OUTCOME, "the check cannot say yet whether it was done", null);
        }
        try {
            if (finding.answer == OutcomeCheck.Finding.Answer.DONE) {
                return store.record(slot.key, owner, finding.result, null)
                        ? PendingCall.Ending.of(finding.result, null)
                        : PendingCall.Ending.askAgain();
            }
            return store.renew(slot.key, owner, config.leaseNanos()) ? null : PendingCall.Ending.askAgain();
        } catch (Throwable thrown) {
            backToUnknown(slot, owner); // or nobody could check again before the lease has ended
            throw thrown;
        }
    }

    /** The caller does not want it any more, and has not begun. */
    void giveBack(Slot slot, String owner, boolean nothingWasDone) {
        if (nothingWasDone) {
            store.forget(slot.key, owner);
        } else {
            backToUnknown(slot, owner);
        }
    }

    void countReplay() {
        replayed.increment();
    }

    private void backToUnknown(Slot slot, String owner) {
        try {
            store.unknown(slot.key, owner);
        } catch (Throwable thrown) {
            LOG.warn("\"{}\": the store failed; the key is unknown again when the lease ends", name, thrown);
        }
    }

    /** Writes down how the operation ended. What is known is also what those who wait get; never throws the store's failure. */
    PendingCall.Ending<T> settle(Slot slot, String owner, @Nullable T result, @Nullable Throwable error) {
        run.increment();
        Verdict verdict = Outcomes.judge(config.outcomes(), result, error);
        boolean inTime;
        try {
            if (verdict == Verdict.SUCCESS) {
                inTime = store.record(slot.key, owner, result, error);
            } else if (nothingWasDone(verdict, error)) {
                store.forget(slot.key, owner);
                return PendingCall.Ending.askAgain();
            } else {
                unknown.increment();
                store.unknown(slot.key, owner);
                return PendingCall.Ending.askAgain();
            }
        } catch (Throwable thrown) {
            unrecorded.increment();
            LOG.warn(
                    "\"{}\": an operation has ended, but the store failed; its outcome is unknown when the lease ends",
                    name,
                    thrown);
            return verdict == Verdict.SUCCESS ? PendingCall.Ending.of(result, error) : PendingCall.Ending.askAgain();
        }
        if (!inTime) {
            late.increment();
            if (error == null) {
                throw refusal(
                        slot,
                        Reason.UNKNOWN_OUTCOME,
                        "the operation ended after its lease of " + config.lease()
                                + ", when another call had taken over",
                        null);
            }
            return PendingCall.Ending.askAgain();
        }
        return PendingCall.Ending.of(result, error);
    }

    private boolean nothingWasDone(Verdict verdict, @Nullable Throwable error) {
        if (verdict == Verdict.NOT_SENT || verdict == Verdict.THROTTLED) {
            return true;
        }
        if (!(error instanceof RefusedException)) {
            return false;
        }
        if (error instanceof IdempotencyRefusedException inner && inner.reason() == Reason.UNKNOWN_OUTCOME) {
            return false;
        }
        for (Throwable earlier : error.getSuppressed()) { // a retry inside, whose earlier attempts were not refused
            if (!nothingWasDone(Outcomes.judge(config.outcomes(), null, earlier), earlier)) {
                return false;
            }
        }
        return true;
    }

    private PendingCall.Ending<T> follow(
            Slot slot, PendingCall<T> other, Operation<?, ?> operation, Patience patience) {
        Thread thread = Thread.currentThread();
        Runnable wake = () -> LockSupport.unpark(thread);
        other.join(wake);
        try {
            PendingCall.Ending<T> ending;
            while ((ending = other.ending()) == null) {
                long left = leftOrRefuse(slot, patience);
                if (Thread.interrupted()) {
                    throw interrupted(operation, new InterruptedException());
                }
                environment.scheduler().park(this, left);
            }
            if (ending.known()) {
                replayed.increment();
            }
            return ending;
        } finally {
            other.leave(wake);
        }
    }

    private void pause(Slot slot, Claim<T> claim, Operation<?, ?> operation, Patience patience) {
        try {
            environment.scheduler().sleep(pauseNanos(slot, claim, patience));
        } catch (InterruptedException interrupt) {
            throw interrupted(operation, interrupt);
        }
    }

    long pauseNanos(Slot slot, Claim<T> claim, Patience patience) {
        long left = leftOrRefuse(slot, patience);
        return Math.max(1, Math.min(left, Math.min(config.pollNanos(), claim.leaseNanos())));
    }

    long leftOrRefuse(Slot slot, Patience patience) {
        long left = patience.leftNanos();
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
        refused.increment();
        environment.listener().onRefused(name);
        long hint = reason == Reason.UNKNOWN_OUTCOME && config.check() == null
                ? OutcomeRule.DO_NOT_RETRY
                : RefusedException.UNKNOWN;
        return new IdempotencyRefusedException(name, slot.key, reason, explanation, hint, cause);
    }

    private RuntimeException interrupted(Operation<?, ?> operation, InterruptedException interrupt) {
        if (operation instanceof InterruptibleOperation) {
            throw Unchecked.<RuntimeException>asDeclared(interrupt);
        }
        Thread.currentThread().interrupt();
        return new InterruptedWaitException(name, interrupt);
    }

    @Override
    public CompletableFuture<T> callAsync(
            String key, String fingerprint, Supplier<? extends CompletionStage<T>> operation) {
        Slot slot = new Slot(key, fingerprint);
        return new AsyncIdempotentCall<>(this, slot, Require.nonNull("operation", operation)).begin();
    }

    @Override
    public String name() {
        return name;
    }

    @Override
    public void measure(Sink sink) {
        sink.value(name, "idempotency.run", (double) run.sum());
        sink.value(name, "idempotency.replayed", (double) replayed.sum());
        sink.value(name, "idempotency.refused", (double) refused.sum());
        sink.value(name, "idempotency.unknown", (double) unknown.sum());
        sink.value(name, "idempotency.checked", (double) checked.sum());
        sink.value(name, "idempotency.late", (double) late.sum());
        sink.value(name, "idempotency.unrecorded", (double) unrecorded.sum());
        store.measure(name, sink);
    }

    @Override
    public String toString() {
        return "idempotency " + name + " over " + store;
    }

    /** How much longer a call may wait for others. Reads the clock for the first time when it has to. */
    final class Patience {
        private final @Nullable Deadline deadline;
        private boolean begun;
        private long start;

        Patience(@Nullable Deadline deadline) {
            this.deadline = deadline;
        }

        long leftNanos() {
            long longest = config.maxWaitNanos();
            if (longest == 0) {
                return 0;
            }
            long now = environment.clock().nanoTime();
            if (!begun) {
                begun = true;
                start = now;
            }
            long left = longest - (now - start);
            return deadline == null ? left : Math.min(left, deadline.remainingNanos());
        }
    }
}
