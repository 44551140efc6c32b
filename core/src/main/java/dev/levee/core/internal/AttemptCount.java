package dev.levee.core.internal;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;

/**
 * The attempts that all layers have made of one call, and the budgets that were paid for it. See ADRs 60, 167 and 194.
 *
 * <pre>{@code
 * bit   63                              32 31                             0
 *      +----------------------------------+--------------------------------+
 *      |  numbers that were left out      |  number of the last attempt    |
 *      +----------------------------------+--------------------------------+
 * }</pre>
 *
 * <p>Attempts were made as many as the last number says, less those that were left out: an attempt that was counted and
 * then not made gives its number back, but if another one has been counted since, the number is left out, and counts no
 * more. Thread-safe.
 */
public final class AttemptCount extends AtomicLong {
    private static final long serialVersionUID = 1L;
    private static final VarHandle PAYMENTS = Handles.field(MethodHandles.lookup(), "payments", Payment.class);
    private static final long NUMBER = 0xffff_ffffL;
    private static final long ONE_LEFT_OUT = 1L << Integer.SIZE;

    /** The budgets that layers within another one have paid for this call; mostly none or one. */
    private transient volatile @Nullable Payment payments;

    /**
     * Makes a count of a call that one layer alone has repeated so far.
     *
     * @param attempt the number of the attempt that runs, from 1
     */
    public AttemptCount(int attempt) {
        super(attempt);
    }

    /**
     * Returns how many attempts were made.
     *
     * @param number of an attempt of this call; if it was not counted, all up to it are
     * @return at least 1
     */
    public int made(int number) {
        long seen = get();
        return Math.max(number, (int) seen) - (int) (seen >>> Integer.SIZE);
    }

    /**
     * Counts one more attempt.
     *
     * @param most how many there may be
     * @return the number of the attempt, which no other one has; 0 if as many have been made
     */
    public int next(int most) {
        while (true) {
            long seen = get();
            if ((int) seen - (int) (seen >>> Integer.SIZE) >= most) {
                return 0;
            }
            if (compareAndSet(seen, seen + 1)) {
                return (int) seen + 1;
            }
        }
    }

    /**
     * Counts an attempt no more, because it is not made after all.
     *
     * @param number what {@link #next} has returned for it
     */
    public void takeBack(int number) {
        getAndUpdate(seen -> (seen & NUMBER) == number ? seen - 1 : seen + ONE_LEFT_OUT);
    }

    /**
     * Notes that a layer within another one pays for the call.
     *
     * @param budget what it pays into
     * @return whether it is the first that pays into this budget
     */
    public boolean pays(Object budget) {
        while (true) {
            Payment newest = payments;
            for (Payment other = newest; other != null; other = other.before) {
                if (other.budget == budget) {
                    return false;
                }
            }
            if (PAYMENTS.compareAndSet(this, newest, new Payment(budget, newest))) {
                return true;
            }
        }
    }

    private record Payment(Object budget, @Nullable Payment before) {}
}
