package dev.levee.circuitbreaker;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.management.ThreadMXBean;
import dev.levee.core.Operation;
import dev.levee.core.Verdict;
import dev.levee.core.testing.ManualTime;
import java.lang.management.ManagementFactory;
import java.time.Duration;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/**
 * No call allocates, admitted or refused; measured over many calls, with room for what the JVM itself does meanwhile.
 */
@Tag("allocation")
class AllocationTest {
    private static final int CALLS = 100_000;
    private static final long NOISE = 64 * 1024;

    private final ManualTime time = new ManualTime();
    private final Operation<String, RuntimeException> work = () -> "yes";

    @Test
    void a_permit_of_a_closed_breaker() {
        CircuitBreaker breaker = CircuitBreaker.of("b", c -> c.countWindow(100), time.environment());
        assertAllocatesNothing(() -> Calls.call(breaker, Verdict.SUCCESS));
    }

    @Test
    void a_guarded_call() {
        CircuitBreaker breaker = CircuitBreaker.of("b", c -> c.countWindow(100), time.environment());
        assertAllocatesNothing(() -> breaker.call(work));
    }

    @Test
    void calls_some_of_which_fail() {
        CircuitBreaker breaker = CircuitBreaker.of("b", c -> c.countWindow(1000).failureRate(1), time.environment());
        assertAllocatesNothing(() -> {
            Calls.call(breaker, Verdict.FAILURE);
            Calls.call(breaker, Verdict.SUCCESS);
        });
    }

    @Test
    void calls_in_a_time_window_with_a_slow_call_rule_and_totals() {
        CircuitBreaker breaker = CircuitBreaker.of(
                "b",
                c -> c.timeWindow(Duration.ofSeconds(10))
                        .failureRate(0.9)
                        .slowCallRate(0.9)
                        .slowCallDuration(Duration.ofSeconds(1))
                        .totals(true),
                time.environment());
        assertAllocatesNothing(() -> {
            breaker.call(work);
            Calls.call(breaker, Verdict.SUCCESS);
            Calls.call(breaker, Verdict.FAILURE);
        });
    }

    @Test
    void failures_in_a_row() {
        CircuitBreaker breaker = CircuitBreaker.of("b", c -> c.consecutiveFailures(3), time.environment());
        assertAllocatesNothing(() -> {
            Calls.call(breaker, Verdict.FAILURE);
            Calls.call(breaker, Verdict.SUCCESS);
        });
    }

    @Test
    void a_refusal_by_stamp_and_by_exception() {
        CircuitBreaker breaker = CircuitBreaker.of("b", c -> c.consecutiveFailures(1), time.environment());
        Calls.fail(breaker, 1);
        assertAllocatesNothing(() -> {
            Calls.enter(breaker);
            try {
                breaker.call(work);
            } catch (CircuitOpenException refused) {
                if (refused.retryAfterNanos() == 0) {
                    throw new AssertionError("open for 30 seconds");
                }
            }
        });
    }

    @Test
    void a_probe() {
        CircuitBreaker breaker = CircuitBreaker.of(
                "b", c -> c.consecutiveFailures(1).halfOpenCalls(3).openFor(Duration.ofNanos(1)), time.environment());
        Calls.fail(breaker, 1);
        time.advance(Duration.ofNanos(1));
        assertAllocatesNothing(() -> Calls.call(breaker, Verdict.IGNORED));
    }

    private static void assertAllocatesNothing(Runnable call) {
        ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
        for (int i = 0; i < CALLS; i++) {
            call.run();
        }
        long before = threads.getCurrentThreadAllocatedBytes();
        for (int i = 0; i < CALLS; i++) {
            call.run();
        }
        assertThat(threads.getCurrentThreadAllocatedBytes() - before).isLessThan(NOISE);
    }
}
