package dev.levee.ratelimit.work;

import dev.levee.core.Environment;
import dev.levee.core.InterruptedWaitException;
import dev.levee.core.Listener;
import dev.levee.core.OutcomeRule;
import dev.levee.core.Policy;
import dev.levee.core.RefusedException;
import java.util.concurrent.atomic.LongAdder;

/**
 * What a queue refuses with, and when to come back. A refusal allocates nothing. Thread-safe.
 *
 * <p>When a place comes free is guessed from the rate at which items have ended lately: since the reading before the
 * last one, so over one to two seconds, or longer if it was not asked for.
 */
final class WorkRefusals {
    private static final long PERIOD = 1_000_000_000L;

    private final String name;
    private final WorkRing ring;
    private final Environment environment;
    private final WorkRefusedException full;
    private final WorkRefusedException keyBusy;
    private final WorkRefusedException closed;
    private final LongAdder refused = new LongAdder();

    /** From where the rate is counted. */
    private volatile Reading from;

    /** From where it will be counted. */
    private volatile Reading next;

    /** How many items had ended at a time. */
    private record Reading(long nanos, long ended) {}

    WorkRefusals(String name, int capacity, WorkRing ring, Environment environment) {
        this.name = name;
        this.ring = ring;
        this.environment = environment;
        this.from = new Reading(environment.clock().nanoTime(), 0);
        this.next = from;
        String queue = Policy.Kind.QUEUE.label() + " \"" + name + "\" ";
        full = new WorkRefusedException(
                name,
                WorkRefusedException.Reason.FULL,
                queue + "is full: " + capacity + " items are accepted and have not ended",
                this::nextPlaceNanos,
                true);
        keyBusy = new WorkRefusedException(
                name,
                WorkRefusedException.Reason.KEY_BUSY,
                queue + "is full, and earlier items of the key have not ended: " + capacity
                        + " items are accepted and have not ended",
                this::nextPlaceNanos,
                true);
        closed = new WorkRefusedException(
                name, WorkRefusedException.Reason.CLOSED, queue + "is closed", () -> OutcomeRule.DO_NOT_RETRY, true);
    }

    private long nextPlaceNanos() {
        long now = environment.clock().nanoTime();
        long ended = ring.ended();
        Reading base = from;
        long elapsed = now - base.nanos;
        long places = ended - base.ended;
        if (now - next.nanos >= PERIOD) {
            from = next;
            next = new Reading(now, ended);
        }
        return elapsed <= 0 || places <= 0 ? RefusedException.UNKNOWN : Math.max(elapsed / places, 1);
    }

    /** Counts a refusal, and publishes it. */
    void count() {
        refused.increment();
        Listener listener = environment.listener();
        if (listener != Listener.NONE) {
            listener.onRefused(Policy.Kind.QUEUE, name);
        }
    }

    /** Returns the refusal of a full queue, which is counted. */
    WorkRefusedException full() {
        count();
        return full;
    }

    WorkRefusedException keyBusy() {
        count();
        return keyBusy;
    }

    WorkRefusedException closed() {
        count();
        return closed;
    }

    InterruptedWaitException interrupted() {
        count();
        return new InterruptedWaitException(Policy.Kind.QUEUE.label(), name, new InterruptedException());
    }

    long sum() {
        return refused.sum();
    }
}
