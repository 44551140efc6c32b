package dev.levee.core.internal;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;

/**
 * A long that many threads write, alone on its cache lines: 128 bytes of padding on either side, because processors
 * fetch lines in pairs. For a few named words, not for entries per key.
 */
public final class PaddedLong extends PaddedLongValue {
    private static final VarHandle VALUE =
            Handles.field(MethodHandles.lookup(), PaddedLongValue.class, "value", long.class);

    long r1, r2, r3, r4, r5, r6, r7, r8, r9, r10, r11, r12, r13, r14, r15, r16;

    /**
     * Makes a word.
     *
     * @param initial its first value
     */
    public PaddedLong(long initial) {
        VALUE.setVolatile(this, initial);
    }

    /**
     * Reads with volatile semantics.
     *
     * @return the value
     */
    public long get() {
        return value;
    }

    /**
     * Reads in opaque mode: a value that was current at some time, without any order to other reads.
     *
     * @return the value
     */
    public long getOpaque() {
        return (long) VALUE.getOpaque(this);
    }

    /**
     * Reads with acquire semantics.
     *
     * @return the value
     */
    public long getAcquire() {
        return (long) VALUE.getAcquire(this);
    }

    /**
     * Writes with volatile semantics.
     *
     * @param next the new value
     */
    public void set(long next) {
        VALUE.setVolatile(this, next);
    }

    /**
     * Writes if the value is the expected one.
     *
     * @param expected the expected value
     * @param next the new value
     * @return whether it was written
     */
    public boolean compareAndSet(long expected, long next) {
        return VALUE.compareAndSet(this, expected, next);
    }

    /**
     * Writes if the value is the expected one.
     *
     * @param expected the expected value
     * @param next the new value
     * @return the value before: the expected one exactly if it was written
     */
    public long compareAndExchange(long expected, long next) {
        return (long) VALUE.compareAndExchange(this, expected, next);
    }

    /**
     * Adds to the value.
     *
     * @param delta the number to add
     * @return the value before
     */
    public long getAndAdd(long delta) {
        return (long) VALUE.getAndAdd(this, delta);
    }
}

abstract class PaddedLongBefore {
    long l1, l2, l3, l4, l5, l6, l7, l8, l9, l10, l11, l12, l13, l14, l15, l16;
}

abstract class PaddedLongValue extends PaddedLongBefore {
    volatile long value;
}
