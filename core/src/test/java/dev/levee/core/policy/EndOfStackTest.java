package dev.levee.core.policy;

import static org.assertj.core.api.Assertions.assertThat;

import dev.levee.core.Environment;
import dev.levee.core.Operation;
import dev.levee.core.Pipeline;
import dev.levee.core.Policy;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/**
 * Guarded code that uses up its stack, at every depth and in nested guarded calls: no permit is lost, no timer is left,
 * and no lock stays held. Small stacks, because it takes an overflow for each depth.
 */
class EndOfStackTest {
    private static final Duration LONG = Duration.ofMinutes(10);
    private static final int OVERFLOWS = 480;
    private static final Form[] FORMS = Form.values();

    /** The forms of call, each around one more level of the recursion. */
    private enum Form {
        SINGLE_GATE,
        NARROW,
        WIDE,
        TIMEOUT,
        RETRY,
        ALL,
        ASYNCHRONOUS,
        ASYNCHRONOUS_ALL
    }

    private final Environment environment = Environment.closeable("end-of-stack");
    private final List<Bulkhead> bulkheads = new ArrayList<>();
    private final Bulkhead single = bulkhead();
    private final Timeout timeout = Timeout.of("t", LONG, environment);
    private final Retry retry = Retry.of("r", c -> c.maxAttempts(2).backoff(Backoff.fixed(Duration.ZERO)), environment);
    private final Policy narrow = Pipeline.of(bulkhead(), bulkhead(), bulkhead());
    private final Policy wide = Pipeline.of(bulkhead(), bulkhead(), bulkhead(), bulkhead(), bulkhead(), bulkhead());
    private final Policy all = Pipeline.of(bulkhead(), retry, bulkhead(), timeout, bulkhead(), bulkhead());

    /** Of the thread that overflows: whether a call after the overflow has succeeded. */
    private boolean swallowed;

    private Bulkhead bulkhead() {
        Bulkhead made = Bulkhead.of("b" + bulkheads.size(), c -> c.maxConcurrent(1 << 30), environment);
        bulkheads.add(made);
        return made;
    }

    @AfterEach
    void nothingIsLeft() throws Exception {
        assertThat(bulkheads)
                .allSatisfy(bulkhead -> assertThat(bulkhead.inFlight()).isZero());
        timersOfAllStripesRun();
        environment.close();
    }

    /** From many threads, since each has a stripe of its own. */
    private void timersOfAllStripesRun() throws InterruptedException {
        CountDownLatch ran = new CountDownLatch(64);
        for (int i = 0; i < 64; i++) {
            Thread sets = new Thread(() -> environment.scheduler().schedule(ran::countDown, 1));
            sets.start();
            sets.join();
        }
        assertThat(ran.await(60, TimeUnit.SECONDS)).as("timers run").isTrue();
    }

    @Test
    void no_permit_and_no_timer_is_lost_on_a_small_stack() throws Exception {
        overflow(256 << 10);
    }

    @Test
    void no_permit_and_no_timer_is_lost_on_a_stack_of_the_default_size() throws Exception {
        overflow(0);
    }

    private void overflow(long stackSize) throws Exception {
        int[] overflows = new int[1];
        Thread deep = new Thread(null, () -> overflows[0] = overflow(), "deep", stackSize);
        deep.start();
        deep.join();
        assertThat(overflows[0]).isEqualTo(OVERFLOWS);
    }

    private int overflow() {
        for (int i = 0; i < 8_000; i++) { // until it is compiled
            step(FORMS[i % FORMS.length], 0, 1);
        }
        Random random = new Random(7);
        int overflows = 0;
        for (int i = 0; overflows < OVERFLOWS; i++) {
            swallowed = false;
            try {
                descend(FORMS[i % FORMS.length], random.nextInt(64), random.nextInt(5));
            } catch (StackOverflowError expected) {
                overflows++;
            } catch (RuntimeException wrapped) { // what a future has failed with
                if (!(wrapped.getCause() instanceof StackOverflowError)) {
                    throw wrapped;
                }
                overflows++;
            }
        }
        return overflows;
    }

    /** Uses the stack up with frames of its own; on the way guarded calls begin, some of which swallow the overflow. */
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
        return switch (form) {
            case SINGLE_GATE -> single.call(next);
            case NARROW -> narrow.call(next);
            case WIDE -> wide.call(next);
            case TIMEOUT -> timeout.call(next);
            case RETRY -> retry.call(next);
            case ALL -> all.call(next);
            case ASYNCHRONOUS -> endOf(narrow.callAsync(() -> CompletableFuture.completedFuture(next.run())));
            case ASYNCHRONOUS_ALL -> endOf(all.callAsync(() -> CompletableFuture.completedFuture(next.run())));
        };
    }

    private static long endOf(CompletableFuture<Long> future) {
        if (!future.isDone()) {
            throw new IllegalStateException("a caller would wait for ever");
        }
        return future.join();
    }
}
