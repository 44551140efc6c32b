package dev.levee.loadbalancing;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;

/** A counter that shares its cache lines with nothing: processors fetch them in pairs. */
final class PaddedCounter extends PaddedCounterValue {
    private static final VarHandle VALUE;

    static {
        try {
            VALUE = MethodHandles.lookup().findVarHandle(PaddedCounterValue.class, "value", long.class);
        } catch (ReflectiveOperationException e) {
            throw new ExceptionInInitializerError(e);
        }
    }

    long r1, r2, r3, r4, r5, r6, r7, r8, r9, r10, r11, r12, r13, r14, r15, r16;

    PaddedCounter(long first) {
        value = first;
    }

    long get() {
        return (long) VALUE.getOpaque(this);
    }

    long getVolatile() {
        return (long) VALUE.getVolatile(this);
    }

    boolean compareAndSet(long expected, long next) {
        return VALUE.compareAndSet(this, expected, next);
    }

    long getAndAdd(long amount) {
        return (long) VALUE.getAndAdd(this, amount);
    }
}

abstract class PaddedCounterBefore {
    long l1, l2, l3, l4, l5, l6, l7, l8, l9, l10, l11, l12, l13, l14, l15, l16;
}

abstract class PaddedCounterValue extends PaddedCounterBefore {
    long value;
}
