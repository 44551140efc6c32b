package dev.levee.cache;

import dev.levee.core.Environment;
import dev.levee.core.NanoClock;
import java.lang.ref.WeakReference;
import java.time.Duration;
import java.util.Map;
import java.util.WeakHashMap;
import java.util.concurrent.atomic.AtomicBoolean;
import org.jspecify.annotations.Nullable;

/**
 * A clock that costs a reader next to nothing: a timer sets it about once a millisecond while it is read often. All
 * caches of an environment share one.
 *
 * <pre>{@code
 * exact     each reading asks the clock of the environment; 16 of them within a millisecond start the ticks
 * ticking   readings get the time of the last tick; 8 ticks without a reading end it
 * }</pre>
 *
 * <p><b>Error.</b> A reading is never ahead, and behind by the time since the last tick: 1 ms, and what the timers are
 * late, which is up to 1 ms for those of the machine. That the timers stand still (a scheduler that is blocked, an
 * environment that was closed too early) is noticed when an entry is made: from a second on readings are exact again,
 * until there is a tick. See ADR 103.
 *
 * <p><b>Invariants.</b> At most one tick is set. Nothing is while the clock is not read: it holds no thread, and no
 * timer holds it. Thread-safe.
 */
final class CoarseClock implements NanoClock {
    static final long TICK = Duration.ofMillis(1).toNanos();
    static final long MAX_LAG = Duration.ofSeconds(1).toNanos();
    static final int READINGS_TO_START = 16;
    static final int TICKS_TO_STOP = 8;

    private static final Map<Environment, WeakReference<CoarseClock>> CLOCKS = new WeakHashMap<>();

    private final Environment environment;
    private final NanoClock exact;

    /** Whether a tick is set. */
    private final AtomicBoolean isSet = new AtomicBoolean();

    private volatile boolean ticking;
    private volatile long now;

    // Not volatile: a reading that is not seen is followed by others.

    private boolean read;
    private long exactSince;
    private int exactReadings;

    /** Confined to the ticks. */
    private int unread;

    CoarseClock(Environment environment) {
        this.environment = environment;
        this.exact = environment.clock();
    }

    /** Returns the clock of an environment. */
    static CoarseClock of(Environment environment) {
        synchronized (CLOCKS) {
            WeakReference<CoarseClock> known = CLOCKS.get(environment);
            @Nullable CoarseClock clock = known == null ? null : known.get();
            if (clock == null) {
                clock = new CoarseClock(environment);
                CLOCKS.put(environment, new WeakReference<>(clock));
            }
            return clock;
        }
    }

    @Override
    public long nanoTime() {
        if (ticking) {
            if (!read) {
                read = true;
            }
            return now;
        }
        return readExactly();
    }

    private long readExactly() {
        long time = exact.nanoTime();
        if (exactReadings == 0 || time - exactSince > TICK) {
            exactSince = time;
            exactReadings = 0;
        }
        if (++exactReadings >= READINGS_TO_START && !isSet.get() && isSet.compareAndSet(false, true)) {
            exactReadings = 0;
            unread = 0;
            now = time;
            if (setTick()) {
                ticking = true;
            }
        }
        return time;
    }

    /** Tells the clock the exact time, by which it sees that its ticks do not come. */
    void observe(long time) {
        if (ticking && time - now > MAX_LAG) {
            ticking = false;
        }
    }

    boolean isTicking() {
        return ticking;
    }

    private boolean setTick() {
        try {
            environment.schedule(this::tick, TICK);
            return true;
        } catch (Throwable closed) { // or no memory for a timer: readings are exact then
            ticking = false;
            isSet.set(false);
            return false;
        }
    }

    private void tick() {
        now = exact.nanoTime();
        unread = read ? 0 : unread + 1;
        read = false;
        if (unread >= TICKS_TO_STOP) {
            ticking = false;
            isSet.set(false);
        } else if (setTick()) {
            ticking = true;
        }
    }

    @Override
    public String toString() {
        return "coarse clock, " + (ticking ? "ticking" : "exact");
    }
}
