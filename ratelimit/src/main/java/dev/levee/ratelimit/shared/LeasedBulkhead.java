package dev.levee.ratelimit.shared;

import dev.levee.core.Deadline;
import dev.levee.core.Environment;
import dev.levee.core.OutcomeRule;
import dev.levee.core.RefusedException;
import dev.levee.core.Verdict;
import dev.levee.core.internal.Require;
import dev.levee.core.policy.Bulkhead;
import dev.levee.core.policy.PolicyMetrics;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;

/** The implementation of {@link SharedBulkhead}: a bulkhead of this process, and the keeper of its lease. */
final class LeasedBulkhead implements SharedBulkhead {
    /** How often a call without a thread may get its turn without a lease: on its own executor each turn is a frame. */
    private static final int MAX_TURNS = 16;

    private final String name;
    private final Environment environment;
    private final boolean mayWait;
    private final LocalPermits permits;
    private final LeaseKeeper keeper;
    private final SharedBulkheadFullException refusal;

    LeasedBulkhead(String name, SharedBulkheadConfig config, PermitStore store, Environment environment) {
        this.name = Require.name(name);
        Require.nonNull("config", config);
        Require.nonNull("store", store);
        this.environment = Require.nonNull("environment", environment);
        this.mayWait = config.maxWaiting() > 0;
        this.permits = new LocalPermits(Bulkhead.of(
                name, local -> local.maxConcurrent(1).queue(config.maxWaiting(), config.maxWait()), environment));
        this.keeper = new LeaseKeeper(name, config, store, environment, permits);
        this.refusal = new SharedBulkheadFullException(name, () -> "bulkhead \"" + name + "\" " + keeper.why(), true);
    }

    /** Asks for the first lease. */
    void begin() {
        keeper.begin();
    }

    @Override
    public int timing() {
        return ENTRY;
    }

    @Override
    public long tryEnter(long nowNanos) {
        if (keeper.admits(nowNanos)) {
            long stamp = permits.tryEnter();
            if (stamp != REFUSED) {
                if (keeper.admits(nowNanos)) {
                    return stamp;
                }
                giveBack(stamp); // the lease was ended meanwhile, perhaps before this permit was counted
            }
        }
        keeper.demand();
        return REFUSED;
    }

    @Override
    public void exit(long stamp, long startNanos, long endNanos, Verdict verdict, long retryAfterNanos) {
        permits.exit(stamp, startNanos, endNanos, verdict, retryAfterNanos);
    }

    @Override
    public long enter(Deadline deadline) throws InterruptedException {
        if (!mayWait) {
            return tryEnter(environment.clock().nanoTime());
        }
        while (true) {
            keeper.demand();
            long stamp = permits.bulkhead().enter(deadline);
            if (stamp == REFUSED || keeper.admits(environment.clock().nanoTime())) {
                return stamp;
            }
            giveBack(stamp);
            if (keeper.isClosing()) {
                return REFUSED;
            }
            keeper.stepNow(); // the lease has ended while the call waited: wait for the next one
        }
    }

    private void giveBack(long stamp) {
        permits.exit(stamp, 0, 0, Verdict.IGNORED, RefusedException.UNKNOWN);
    }

    @Override
    public CompletableFuture<Long> enterAsync(Deadline deadline) {
        if (!mayWait) {
            return CompletableFuture.completedFuture(
                    tryEnter(environment.clock().nanoTime()));
        }
        keeper.demand();
        return new LeaseTurn(deadline).begin();
    }

    @Override
    public OutcomeRule outcomes() {
        return OutcomeRule.standard();
    }

    @Override
    public RefusedException refusal() {
        return refusal;
    }

    @Override
    public boolean mayWait() {
        return mayWait;
    }

    @Override
    public String name() {
        return name;
    }

    @Override
    public Environment environment() {
        return environment;
    }

    @Override
    public void setMaxConcurrent(int limit) {
        keeper.change(Require.range("maxConcurrent", limit, 1, Integer.MAX_VALUE));
    }

    @Override
    public int maxConcurrent() {
        return keeper.limit();
    }

    @Override
    public int inFlight() {
        return permits.inFlight();
    }

    @Override
    public int waiting() {
        return permits.bulkhead().waiting();
    }

    @Override
    public int leased() {
        return keeper.leased();
    }

    @Override
    public void close() {
        keeper.close();
    }

    @Override
    public void measure(Sink sink) {
        Require.nonNull("sink", sink).value(name, PolicyMetrics.BULKHEAD_IN_FLIGHT, inFlight());
        sink.value(name, PolicyMetrics.BULKHEAD_WAITING, waiting());
        sink.value(name, PolicyMetrics.BULKHEAD_LIMIT, maxConcurrent());
        sink.value(name, SharedBulkheadMetrics.BULKHEAD_LEASED, leased());
        sink.value(name, SharedBulkheadMetrics.BULKHEAD_OVERDUE, (double) keeper.overdue());
        sink.value(name, SharedBulkheadMetrics.BULKHEAD_RENEWALS_FAILED, (double) keeper.failures());
    }

    @Override
    public String toString() {
        return "bulkhead \"" + name + "\" " + inFlight() + "/" + leased() + " of " + maxConcurrent() + " shared";
    }

    /**
     * A wait without a thread. What was granted counts only if there is a lease at that moment; if there is none, it
     * waits for the next one.
     */
    private final class LeaseTurn extends CompletableFuture<Long> {
        private final Deadline deadline;
        private volatile @Nullable CompletableFuture<Long> inner;
        private int turns;

        LeaseTurn(Deadline deadline) {
            this.deadline = deadline;
        }

        /** Waits for a permit of this process. */
        LeaseTurn begin() {
            CompletableFuture<Long> next = permits.bulkhead().enterAsync(deadline);
            inner = next;
            next.whenComplete(this::turned);
            if (isDone()) {
                next.cancel(false); // given up meanwhile
            }
            return this;
        }

        private void turned(Long stamp, @Nullable Throwable error) {
            if (error != null) {
                super.cancel(false);
            } else if (stamp == REFUSED || admits()) {
                end(stamp);
            } else {
                giveBack(stamp);
                if (keeper.isClosing() || ++turns >= MAX_TURNS) {
                    end(REFUSED);
                } else {
                    environment.handOver(this::again); // the lease has ended: waits for the next one
                }
            }
        }

        private void again() {
            try {
                keeper.stepNow();
                if (!isDone()) {
                    begin();
                }
            } catch (Throwable thrown) { // of a clock or a scheduler of the user: it would wait for nothing
                end(REFUSED);
                throw thrown;
            }
        }

        private void end(long stamp) {
            if (!super.complete(stamp) && stamp != REFUSED) {
                giveBack(stamp);
            }
        }

        private boolean admits() {
            try {
                return keeper.admits(environment.clock().nanoTime());
            } catch (Throwable noTime) { // of a user
                return false;
            }
        }

        private boolean leaveIf(boolean first) {
            CompletableFuture<Long> turn = inner;
            if (first && turn != null) {
                turn.cancel(false); // or what it was granted is given back
            }
            return first;
        }

        @Override
        public boolean complete(Long value) {
            return leaveIf(super.complete(value));
        }

        @Override
        public boolean completeExceptionally(Throwable error) {
            return leaveIf(super.completeExceptionally(error));
        }

        @Override
        public boolean cancel(boolean mayInterrupt) {
            return leaveIf(super.cancel(mayInterrupt));
        }
    }
}
