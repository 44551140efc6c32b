package dev.levee.circuitbreaker;

import dev.levee.core.Environment;
import dev.levee.core.Listener;
import dev.levee.core.NanoClock;
import java.time.Duration;

/** A clock that only tests move. It begins shortly before the reading wraps, so that every test crosses the wrap sooner or later. */
final class TestTime implements NanoClock {
    private volatile long now;

    TestTime() {
        this(Long.MAX_VALUE - Duration.ofSeconds(7).toNanos());
    }

    TestTime(long start) {
        now = start;
    }

    @Override
    public long nanoTime() {
        return now;
    }

    void advance(Duration duration) {
        advanceNanos(duration.toNanos());
    }

    void advanceSeconds(long seconds) {
        advance(Duration.ofSeconds(seconds));
    }

    @SuppressWarnings("NonAtomicVolatileUpdate") // one thread of a test moves time
    void advanceNanos(long nanos) {
        now += nanos;
    }

    Environment environment() {
        return environment(Listener.NONE);
    }

    Environment environment(Listener listener) {
        return Environment.builder().clock(this).listener(listener).build();
    }
}
