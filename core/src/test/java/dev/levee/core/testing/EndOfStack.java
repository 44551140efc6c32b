package dev.levee.core.testing;

import static org.assertj.core.api.Assertions.assertThat;

import dev.levee.core.CallContext;
import dev.levee.core.Operation;
import dev.levee.core.internal.Unchecked;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CompletableFuture;

/**
 * Guarded code that uses up its stack, at every depth and in nested guarded calls, some of which swallow the overflow.
 * Takes an overflow for each depth, so most tests use a small stack.
 */
public final class EndOfStack {
    /** The size of a small stack. */
    public static final long SMALL = 256 << 10;

    /** The stack that threads have by default. */
    public static final long DEFAULT = 0;

    private static final int TO_COMPILE = 8_000;

    private final List<? extends Form> forms;
    private final int wanted;

    /** Whether a call after the overflow has succeeded. */
    private boolean swallowed;

    private EndOfStack(List<? extends Form> forms, int wanted) {
        this.forms = forms;
        this.wanted = wanted;
    }

    /** A form of guarded call, around one more level of the recursion. */
    @FunctionalInterface
    public interface Form {
        /**
         * Makes the call.
         *
         * @param next what is guarded
         * @return what it returned
         * @throws Throwable what it threw
         */
        long call(Operation<Long, RuntimeException> next) throws Throwable;
    }

    /**
     * Lets the stack of a thread overflow, and checks that the thread's context is what it was.
     *
     * @param overflows how often
     * @param stackSize of the thread, in bytes
     * @param forms of guarded calls, each of which is used equally often
     * @throws InterruptedException if this thread is interrupted
     */
    public static void overflow(int overflows, long stackSize, List<? extends Form> forms) throws InterruptedException {
        int[] seen = new int[1];
        Throwable[] failure = new Throwable[1];
        Thread deep = new Thread(
                null,
                () -> {
                    try {
                        seen[0] = new EndOfStack(forms, overflows).run();
                    } catch (Throwable thrown) {
                        failure[0] = thrown;
                    }
                },
                "deep",
                stackSize);
        deep.start();
        deep.join();
        assertThat(failure[0]).isNull();
        assertThat(seen[0]).isEqualTo(overflows);
    }

    /**
     * Returns what a future that must have ended was completed with.
     *
     * @param future what an asynchronous form has returned
     * @return its result
     */
    public static long endOf(CompletableFuture<Long> future) {
        if (!future.isDone()) {
            throw new IllegalStateException("a caller would wait for ever");
        }
        return future.join();
    }

    private int run() throws Throwable {
        for (int i = 0; i < TO_COMPILE; i++) {
            step(forms.get(i % forms.size()), 0, 1);
        }
        String context = CallContext.current().toString();
        Random random = new Random(7);
        int overflows = 0;
        for (int i = 0; overflows < wanted; i++) {
            swallowed = false;
            try {
                descend(forms.get(i % forms.size()), random.nextInt(64), random.nextInt(5));
            } catch (Throwable thrown) {
                if (!isOverflow(thrown)) {
                    throw thrown;
                }
                overflows++;
            }
            assertThat(CallContext.current()).hasToString(context);
        }
        return overflows;
    }

    /** Whether it is an overflow, or what a future or a cache has failed with after one. */
    private static boolean isOverflow(Throwable thrown) {
        for (Throwable cause = thrown; cause != null; cause = cause.getCause()) {
            if (cause instanceof StackOverflowError) {
                return true;
            }
        }
        return false;
    }

    /** Uses the stack up with frames of its own; on the way guarded calls begin. */
    private long descend(Form form, int untilNext, int nested) {
        if (untilNext == 0 && nested > 0) {
            return step(form, 40 + nested * 7, nested - 1) + 1;
        }
        if (nested == 0) {
            return bottom(form, untilNext);
        }
        return descend(form, untilNext - 1, nested) + 1;
    }

    private long bottom(Form form, long depth) {
        return ((depth & 63) == 0 ? catching(form, depth + 1) : bottom(form, depth + 1)) + depth;
    }

    /** Near the end of the stack a guarded call succeeds, and is left with little of it. */
    private long catching(Form form, long depth) {
        try {
            return bottom(form, depth);
        } catch (StackOverflowError overflow) {
            if (!swallowed) {
                step(form, 0, 0);
                swallowed = true;
            }
            throw overflow;
        }
    }

    private long step(Form form, int untilNext, int nested) {
        Operation<Long, RuntimeException> next = untilNext == 0 ? () -> 1L : () -> descend(form, untilNext, nested) + 1;
        try {
            return form.call(next);
        } catch (Throwable thrown) {
            throw Unchecked.<RuntimeException>asDeclared(thrown);
        }
    }
}
