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

/** The implementation of {@link SharedBulkhead}: a bulkhead of this process, and the keeper of its lease. */
final class LeasedBulkhead implements SharedBulkhead {
    /** How often a call without a thread waits for the next lease: a permit that is granted within a step is none. */
    private static final int MAX_TURNS = 4;

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
        private volatile CompletableFuture<Long> inner;
        private volatile boolean givesUp;
        private int turns;

        LeaseTurn(Deadline deadline) {
            this.deadline = deadline;
            this.inner = permits.bulkhead().enterAsync(deadline);
        }

        LeaseTurn begin() {
            inner.whenComplete((stamp, error) -> {
                if (error != null) {
                    super.cancel(false);
                } else if (stamp == REFUSED || admits()) {
                    complete(stamp);
                } else {
                    giveBack(stamp);
                    waitAgain();
                }
            });
            return this;
        }

        private void waitAgain() {
            boolean waits = false;
            try {
                if (++turns < MAX_TURNS && !givesUp && !keeper.isClosing()) {
                    keeper.stepNow();
                    keeper.demand();
                    inner = permits.bulkhead().enterAsync(deadline);
                    waits = true;
                }
            } catch (Throwable noTurn) { // of a part of the environment
                waits = false;
            }
            if (!waits) {
                complete(REFUSED);
                return;
            }
            begin();
            if (givesUp) {
                inner.cancel(false);
            }
        }

        private boolean admits() {
            try {
                return keeper.admits(environment.clock().nanoTime());
            } catch (Throwable noTime) { // of a user
                return false;
            }
        }

        @Override
        public boolean cancel(boolean mayInterrupt) {
            givesUp = true;
            return inner.cancel(mayInterrupt);
        }
    }
}
