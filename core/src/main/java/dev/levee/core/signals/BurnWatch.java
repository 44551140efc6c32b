package dev.levee.core.signals;

import dev.levee.core.Environment;
import dev.levee.core.Policy;
import dev.levee.core.internal.Nanos;
import dev.levee.core.internal.OneAtATime;
import java.util.Arrays;
import java.util.Locale;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.DoubleSupplier;

/**
 * Watches an {@link Objective}: keeps what the counts were at the beginning of each slot of time, a tenth of the short
 * window, for as long as the long window.
 *
 * <pre>
 *   slots    | 0 | 1 | 2 |  ...                        | now - 10 |  ...           | now |
 *                ^ long window begins                  ^ short window begins             ^ counts at present
 * </pre>
 *
 * <p>Nothing runs by itself: the first call that ends in a new slot, before it is counted, or a reading of the figures
 * notes the counts for that slot and for those that have passed without either, and judges. So the figures are exact
 * but for calls that end on other threads at that moment. A call reads one word that is seldom written. See ADR 119.
 */
final class BurnWatch {
    private final String name;
    private final Objective objective;
    private final SignalRows counts;
    private final Environment environment;
    private final long slotNanos;
    private final int longSlots;
    private final long origin;

    /** When the present slot ends. */
    private volatile long nextNanos;

    /** Guards the fields below; no user code runs under it. */
    private final ReentrantLock lock = new ReentrantLock();

    /** The counts at the beginning of the slot whose number is the index, modulo the length. */
    private final long[] good;

    private final long[] bad;
    private long slot;

    private volatile BurnState state = BurnState.OK;

    /** The state that was published last; used by one thread at a time, within {@link #publishing}. */
    private BurnState published = BurnState.OK;

    private final OneAtATime publishing = new OneAtATime(this::publish);

    BurnWatch(String name, Objective objective, SignalRows counts, Environment environment) {
        this.name = name;
        this.objective = objective;
        this.counts = counts;
        this.environment = environment;
        slotNanos = Nanos.of(objective.shortWindow()) / Objective.SLOTS;
        longSlots = (int) (Nanos.of(objective.longWindow()) / slotNanos);
        good = new long[longSlots + 1];
        bad = new long[longSlots + 1];
        origin = environment.clock().nanoTime();
        nextNanos = origin + slotNanos;
    }

    /** Begins the slot of a time, if it has not begun. Called before what has ended at that time is counted. */
    void tick(long now) {
        if (now - nextNanos >= 0) {
            turn(now);
        }
    }

    private void turn(long now) {
        if (!lock.tryLock()) {
            return; // another thread is at it
        }
        try {
            beginSlot(now);
            judge();
        } finally {
            lock.unlock();
        }
        publishing.run();
    }

    private void beginSlot(long now) {
        long next = (now - origin) / slotNanos;
        if (next <= slot) {
            return; // another thread was faster
        }
        long goodNow = goodCalls();
        long badNow = badCalls();
        if (next - slot >= good.length) {
            Arrays.fill(good, goodNow);
            Arrays.fill(bad, badNow);
        } else {
            for (long each = slot + 1; each <= next; each++) {
                good[place(each)] = goodNow;
                bad[place(each)] = badNow;
            }
        }
        slot = next;
        nextNanos = origin + (next + 1) * slotNanos;
    }

    private int place(long slot) {
        return (int) (slot % good.length);
    }

    private void judge() {
        boolean burns = burn(longSlots) >= objective.burnRate() && burn(Objective.SLOTS) >= objective.burnRate();
        state = burns ? BurnState.BURNING : BurnState.OK;
    }

    /** Returns the burn rate since the beginning of a slot as many before this one. */
    private double burn(int slots) {
        int since = place(Math.max(0, slot - slots));
        long badCalls = badCalls() - bad[since];
        long calls = goodCalls() - good[since] + badCalls;
        return calls <= 0 ? 0 : (double) badCalls / calls / (1 - objective.target());
    }

    /** Returns the burn rate of a window that ends now. */
    double burn(boolean longWindow) {
        return atNow(() -> burn(longWindow ? longSlots : Objective.SLOTS));
    }

    /** Returns the state by what is known now. */
    BurnState state() {
        atNow(() -> 0);
        return state;
    }

    private double atNow(DoubleSupplier figure) {
        long now = environment.clock().nanoTime();
        double value;
        lock.lock();
        try {
            beginSlot(now);
            judge();
            value = figure.getAsDouble();
        } finally {
            lock.unlock();
        }
        publishing.run();
        return value;
    }

    long goodCalls() {
        return counts.sum(SignalRows.ended(Ending.SUCCESS));
    }

    long badCalls() {
        return counts.sum(SignalRows.SLOW)
                + counts.sum(SignalRows.ended(Ending.FAILURE))
                + counts.sum(SignalRows.ended(Ending.THROTTLED))
                + counts.sum(SignalRows.ended(Ending.NOT_SENT))
                + counts.sum(SignalRows.ended(Ending.REFUSED));
    }

    private void publish() {
        BurnState from = published;
        BurnState to = state;
        if (from != to) {
            published = to;
            environment.listener().onStateChange(Policy.Kind.METER, name, text(from), text(to));
        }
    }

    private static String text(BurnState state) {
        return state.name().toLowerCase(Locale.ROOT);
    }
}
