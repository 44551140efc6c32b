package dev.levee.core.policy;

import dev.levee.core.Deadline;
import dev.levee.core.Environment;
import dev.levee.core.OutcomeRule;
import dev.levee.core.RefusedException;
import dev.levee.core.Verdict;
import dev.levee.core.WaitingGate;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * A planted mutation: one permit, handed to the first waiter in the queue without checking whether it is still there
 * (Failsafe issue 393). Kept to show that {@link BulkheadInterleavingTest} can fail.
 */
final class ForgetfulBulkhead implements WaitingGate {
    private final AtomicInteger inFlight = new AtomicInteger();
    private final ConcurrentLinkedQueue<CompletableFuture<Long>> queue = new ConcurrentLinkedQueue<>();

    long held() {
        return inFlight.get();
    }

    @Override
    public long tryEnter(long nowNanos) {
        return inFlight.compareAndSet(0, 1) ? 1 : REFUSED;
    }

    @Override
    public void exit(long stamp, long startNanos, long endNanos, Verdict verdict, long retryAfterNanos) {
        CompletableFuture<Long> next = queue.poll();
        if (next == null) {
            inFlight.set(0);
        } else {
            next.complete(1L); // the mutation: the waiter may have given up, and the permit is lost with it
        }
    }

    @Override
    public CompletableFuture<Long> enterAsync(Deadline deadline) {
        if (tryEnter(0) != REFUSED) {
            return CompletableFuture.completedFuture(1L);
        }
        CompletableFuture<Long> turn = new CompletableFuture<>();
        queue.add(turn);
        return turn;
    }

    @Override
    public long enter(Deadline deadline) {
        return REFUSED;
    }

    @Override
    public int timing() {
        return 0;
    }

    @Override
    public OutcomeRule outcomes() {
        return OutcomeRule.standard();
    }

    @Override
    public RefusedException refusal() {
        throw new AssertionError("not asked for");
    }

    @Override
    public String name() {
        return "mutant";
    }

    @Override
    public Environment environment() {
        return Environment.system();
    }
}
