package dev.levee.ratelimit.shared;

import dev.levee.core.Environment;
import dev.levee.ratelimit.Limit;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;

/** The way of one node to a {@link MemoryQuotaStore}, with faults that a test sets at any time. */
final class FaultyStore implements QuotaStore {
    /** What becomes of a batch. */
    enum Fault {
        NONE,
        /** It never arrives. */
        LOST,
        /** It is carried out, and the answer never arrives. */
        ANSWER_LOST,
        /** It is kept by a client without a connection, and arrives with {@link FaultyStore#release}. */
        HELD,
        /** It is not carried out, and fails. */
        ERROR,
        /** The first half is carried out, then it fails. */
        HALVED,
        /** It throws. */
        THROWS
    }

    private final MemoryQuotaStore store;
    private final Environment environment;
    private final List<Runnable> held = new CopyOnWriteArrayList<>();
    volatile Fault fault = Fault.NONE;
    volatile long delayNanos;
    volatile long answerDelayNanos;

    FaultyStore(MemoryQuotaStore store, Environment environment) {
        this.store = store;
        this.environment = environment;
    }

    @Override
    public CompletableFuture<List<QuotaGrant>> take(QuotaBatch batch) {
        Fault now = fault;
        if (now == Fault.THROWS) {
            throw new IllegalStateException("no connection");
        }
        CompletableFuture<List<QuotaGrant>> answer = new CompletableFuture<>();
        if (now == Fault.HELD) {
            held.add(() -> {
                if (!answer.isDone()) {
                    carryOut(batch, Fault.NONE, answer);
                }
            });
        } else if (now != Fault.LOST) {
            later(delayNanos, () -> carryOut(batch, now, answer));
        }
        return answer;
    }

    /** Sends what was held back and not called off, in its order. */
    void release() {
        List<Runnable> all = List.copyOf(held);
        held.clear();
        all.forEach(Runnable::run);
    }

    private void carryOut(QuotaBatch batch, Fault now, CompletableFuture<List<QuotaGrant>> answer) {
        if (now == Fault.ERROR) {
            answer.completeExceptionally(new IllegalStateException("error"));
            return;
        }
        int count = batch.requests().size();
        List<QuotaGrant> grants = store.decide(batch, now == Fault.HALVED ? count / 2 : count);
        if (now == Fault.HALVED) {
            answer.completeExceptionally(new IllegalStateException("connection lost"));
        } else if (now == Fault.NONE) {
            later(answerDelayNanos, () -> answer.complete(grants));
        }
    }

    private void later(long nanos, Runnable task) {
        if (nanos == 0) {
            task.run();
        } else {
            environment.schedule(task, nanos);
        }
    }

    @Override
    public void check(Limit limit) {
        store.check(limit);
    }

    @Override
    public long replayNanos() {
        return store.replayNanos();
    }
}
