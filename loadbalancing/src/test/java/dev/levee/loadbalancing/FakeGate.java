package dev.levee.loadbalancing;

import dev.levee.core.Environment;
import dev.levee.core.Gate;
import dev.levee.core.OutcomeRule;
import dev.levee.core.RefusedException;
import dev.levee.core.Verdict;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;

/** A gate that a test opens and shuts, and that records its calls. */
public final class FakeGate implements Gate {
    public volatile boolean shut;
    /** Whether it may be passed while it is shut. */
    public volatile boolean passable;

    public final AtomicInteger probesAllowed = new AtomicInteger();
    public volatile int timing;
    public volatile long waitNanos = RefusedException.UNKNOWN;
    public volatile OutcomeRule rule = OutcomeRule.standard();
    public volatile long lastStart;
    public final AtomicInteger refusals = new AtomicInteger();
    public final AtomicInteger cancelled = new AtomicInteger();

    private final String name;
    private final Environment environment;
    private final AtomicLong stamps = new AtomicLong(1000);
    private final Queue<Exit> exits = new ConcurrentLinkedQueue<>();

    public record Exit(long stamp, long start, long end, Verdict verdict, long retryAfterNanos) {}

    public FakeGate(String name, Environment environment) {
        this.name = name;
        this.environment = environment;
    }

    public List<Exit> exits() {
        return List.copyOf(exits);
    }

    public List<Verdict> verdicts() {
        return exits.stream().map(Exit::verdict).toList();
    }

    /** Every stamp that was given out has come back once. */
    public boolean isSettled() {
        long given = stamps.get() - 1000;
        return exits.size() == given
                && exits.stream().map(Exit::stamp).distinct().count() == given;
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
    public int timing() {
        return timing;
    }

    @Override
    public long tryEnter(long nowNanos) {
        if (shut) {
            refusals.incrementAndGet();
            return REFUSED;
        }
        lastStart = nowNanos;
        return stamps.incrementAndGet();
    }

    @Override
    public void cancel(long stamp, long startNanos) {
        cancelled.incrementAndGet();
        Gate.super.cancel(stamp, startNanos);
    }

    @Override
    public void exit(long stamp, long startNanos, long endNanos, Verdict verdict, long retryAfterNanos) {
        exits.add(new Exit(stamp, startNanos, endNanos, verdict, retryAfterNanos));
    }

    @Override
    public void allowProbe() {
        probesAllowed.incrementAndGet();
    }

    @Override
    public boolean mayBePassed() {
        return shut && passable;
    }

    @Override
    public OutcomeRule outcomes() {
        return rule;
    }

    @Override
    public RefusedException refusal() {
        return new Refusal(name, waitNanos);
    }

    private static final class Refusal extends RefusedException {
        private static final long serialVersionUID = 1L;

        Refusal(String policy, long waitNanos) {
            super(policy, policy + " is shut", () -> waitNanos, false);
        }

        @Override
        public RefusedException detached() {
            return this;
        }
    }
}
