package dev.levee.pipelines;

import dev.levee.core.Environment;
import dev.levee.core.Gate;
import dev.levee.core.OutcomeRule;
import dev.levee.core.RefusedException;
import dev.levee.core.Verdict;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;

/** A gate that admits everybody and knows which stamps are out. */
final class Spy implements Gate {
    private final String name;
    private final Environment environment;
    private final AtomicLong stamps = new AtomicLong();
    private final ConcurrentHashMap<Long, Boolean> out = new ConcurrentHashMap<>();
    private final AtomicInteger strangers = new AtomicInteger();

    Spy(String name, Environment environment) {
        this.name = name;
        this.environment = environment;
    }

    long entered() {
        return stamps.get();
    }

    /** Calls that are inside right now. */
    int inside() {
        return out.size();
    }

    /** Exits with a stamp that was not out. */
    int strangers() {
        return strangers.get();
    }

    @Override
    public int timing() {
        return 0;
    }

    @Override
    public long tryEnter(long nowNanos) {
        long stamp = stamps.incrementAndGet();
        out.put(stamp, true);
        return stamp;
    }

    @Override
    public void exit(long stamp, long startNanos, long endNanos, Verdict verdict, long retryAfterNanos) {
        if (out.remove(stamp) == null) {
            strangers.incrementAndGet();
        }
    }

    @Override
    public OutcomeRule outcomes() {
        return OutcomeRule.standard();
    }

    @Override
    public RefusedException refusal() {
        throw new AssertionError("admits everybody");
    }

    @Override
    public String name() {
        return name;
    }

    @Override
    public Environment environment() {
        return environment;
    }
}
