package dev.levee.core;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.CompletableFuture;

/** A gate that passes everything on to another one and records entries and exits. */
public class CountingGate implements Gate {
    private final Gate inner;
    private final List<Verdict> verdicts = Collections.synchronizedList(new ArrayList<>());
    private final List<Long> durations = Collections.synchronizedList(new ArrayList<>());
    private volatile int entered;

    public CountingGate(Gate inner) {
        this.inner = inner;
    }

    /** Returns a counting gate that waits where the inner one does. */
    public static CountingGate of(WaitingGate inner) {
        return new Waits(inner);
    }

    public Gate inner() {
        return inner;
    }

    public int entered() {
        return entered;
    }

    public int exited() {
        return verdicts.size();
    }

    public List<Verdict> verdicts() {
        return verdicts;
    }

    public List<Long> durations() {
        return durations;
    }

    final long count(long stamp) {
        if (stamp != REFUSED) {
            synchronized (verdicts) {
                entered = entered + 1;
            }
        }
        return stamp;
    }

    @Override
    public int timing() {
        return inner.timing();
    }

    @Override
    public long tryEnter(long nowNanos) {
        return count(inner.tryEnter(nowNanos));
    }

    @Override
    public void exit(long stamp, long startNanos, long endNanos, Verdict verdict, long retryAfterNanos) {
        inner.exit(stamp, startNanos, endNanos, verdict, retryAfterNanos);
        durations.add(endNanos - startNanos);
        verdicts.add(verdict);
    }

    @Override
    public void cancel(long stamp, long startNanos) {
        inner.cancel(stamp, startNanos);
        durations.add(0L);
        verdicts.add(Verdict.IGNORED);
    }

    @Override
    public OutcomeRule outcomes() {
        return inner.outcomes();
    }

    @Override
    public RefusedException refusal() {
        return inner.refusal();
    }

    @Override
    public String name() {
        return inner.name();
    }

    @Override
    public Kind kind() {
        return inner.kind();
    }

    @Override
    public Environment environment() {
        return inner.environment();
    }

    private static final class Waits extends CountingGate implements WaitingGate {
        private final WaitingGate inner;

        Waits(WaitingGate inner) {
            super(inner);
            this.inner = inner;
        }

        @Override
        public long enter(Deadline deadline) throws InterruptedException {
            return count(inner.enter(deadline));
        }

        @Override
        public CompletableFuture<Long> enterAsync(Deadline deadline) {
            CompletableFuture<Long> turn = inner.enterAsync(deadline);
            turn.whenComplete((stamp, error) -> count(stamp == null ? REFUSED : stamp));
            return turn;
        }

        @Override
        public boolean mayWait() {
            return inner.mayWait();
        }

        @Override
        public RefusedException refusal(Deadline deadline) {
            return inner.refusal(deadline);
        }
    }
}
