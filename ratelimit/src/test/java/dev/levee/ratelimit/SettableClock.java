package dev.levee.ratelimit;

import dev.levee.core.Environment;
import dev.levee.core.NanoClock;

/** A clock for properties that jump through the whole range of a reading; everything else uses ManualTime. */
class SettableClock implements NanoClock {
    private volatile long now;

    SettableClock(long now) {
        this.now = now;
    }

    void set(long nanos) {
        now = nanos;
    }

    @Override
    public long nanoTime() {
        return now;
    }

    Environment environment() {
        return Environment.builder().clock(this).build();
    }
}
