package dev.levee.loadbalancing;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;

/** A counter that shares its cache line with nothing: it is in the middle of an array that is longer than two lines. */
final class PaddedCounter {
    private static final VarHandle CELL = MethodHandles.arrayElementVarHandle(long[].class);
    private static final int MIDDLE = 16;
    private static final int LENGTH = 32;

    private final long[] cells = new long[LENGTH];

    PaddedCounter(long first) {
        cells[MIDDLE] = first;
    }

    long get() {
        return (long) CELL.getOpaque(cells, MIDDLE);
    }

    long getVolatile() {
        return (long) CELL.getVolatile(cells, MIDDLE);
    }

    boolean compareAndSet(long expected, long next) {
        return CELL.compareAndSet(cells, MIDDLE, expected, next);
    }

    long getAndAdd(long amount) {
        return (long) CELL.getAndAdd(cells, MIDDLE, amount);
    }
}
