package dev.levee.ratelimit;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.management.ThreadMXBean;
import dev.levee.core.Gate;
import dev.levee.core.RefusedException;
import dev.levee.core.Verdict;
import java.lang.management.ManagementFactory;
import java.time.DayOfWeek;
import java.time.Duration;
import java.util.List;
import java.util.UUID;
import org.junit.jupiter.api.Test;

/** Nothing is allocated for a call, admitted or refused. */
@SuppressWarnings("UnnecessaryStringBuilder")
class AllocationTest {
    private static final int CALLS = 100_000;
    /** For what the virtual machine does now and then on any thread: less than a byte for each ten calls. */
    private static final long SLACK = 8_192;

    private static final TokenBucketLimit WIDE = Limit.perSecond(1_000_000_000);
    private static final TokenBucketLimit NARROW = Limit.of(1, Duration.ofDays(1));

    private final ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();

    private long allocatedBy(Runnable call) {
        for (int i = 0; i < CALLS; i++) {
            call.run();
        }
        long before = threads.getCurrentThreadAllocatedBytes();
        for (int i = 0; i < CALLS; i++) {
            call.run();
        }
        return threads.getCurrentThreadAllocatedBytes() - before;
    }

    @Test
    void allocation_is_seen() {
        Object[] sink = new Object[1];
        assertThat(allocatedBy(() -> sink[0] = new long[2])).isGreaterThan(CALLS * 16L);
    }

    @Test
    void an_admission_and_a_refusal_allocate_nothing() {
        RateLimiter wide = RateLimiter.of("wide", WIDE);
        RateLimiter narrow = RateLimiter.of("narrow", NARROW);
        narrow.tryAcquireOrWaitNanos();
        assertThat(allocatedBy(() -> assertAdmitted(wide.tryAcquireOrWaitNanos())))
                .isLessThan(SLACK);
        assertThat(allocatedBy(() -> assertRefused(narrow.tryAcquireOrWaitNanos())))
                .isLessThan(SLACK);
        assertThat(allocatedBy(() -> assertRefused(narrow.tryAcquireOrWaitNanos(2))))
                .isLessThan(SLACK);
    }

    @Test
    void a_gate_and_its_refusal_allocate_nothing() {
        RateLimiter wide = RateLimiter.of("wide", WIDE);
        RateLimiter narrow = RateLimiter.of("narrow", NARROW);
        narrow.tryAcquireOrWaitNanos();
        assertThat(allocatedBy(() -> {
                    long now = wide.environment().clock().nanoTime();
                    wide.exit(wide.tryEnter(now), now, 0, Verdict.SUCCESS, RefusedException.UNKNOWN);
                }))
                .isLessThan(SLACK);
        assertThat(allocatedBy(() -> {
                    long now = narrow.environment().clock().nanoTime();
                    if (narrow.tryEnter(now) != Gate.REFUSED || narrow.refusal().retryAfterNanos() == 0) {
                        throw new AssertionError("admitted");
                    }
                }))
                .isLessThan(SLACK);
        assertThat(allocatedBy(() -> {
                    try {
                        narrow.run(() -> {});
                    } catch (RateLimitedException refusal) {
                        assertRefused(refusal.retryAfterNanos());
                    }
                }))
                .isLessThan(SLACK);
    }

    @Test
    void a_key_that_is_held_allocates_nothing() {
        KeyedRateLimiter<String> narrow = KeyedRateLimiter.of("narrow", NARROW);
        KeyedRateLimiter<String> often = KeyedRateLimiter.of("often", WIDE);
        KeyedRateLimiter<String> counting =
                KeyedRateLimiter.of("counting", config -> config.limit(NARROW).totals(true));
        assertAdmitted(narrow.tryAcquireOrWaitNanos("10.0.0.1"));
        assertAdmitted(often.tryAcquireOrWaitNanos("10.0.0.1", 500_000_000));
        assertAdmitted(counting.tryAcquireOrWaitNanos("10.0.0.1"));
        assertThat(allocatedBy(() -> assertRefused(narrow.tryAcquireOrWaitNanos("10.0.0.1"))))
                .isLessThan(SLACK);
        assertThat(allocatedBy(() -> assertAdmitted(often.tryAcquireOrWaitNanos("10.0.0.1"))))
                .isLessThan(SLACK);
        assertThat(allocatedBy(() -> assertRefused(counting.tryAcquireOrWaitNanos("10.0.0.1"))))
                .isLessThan(SLACK);
    }

    @Test
    void keys_of_all_types_allocate_nothing_held_or_new() {
        KeyedRateLimiter<Object> limiter =
                KeyedRateLimiter.of("all", config -> config.limit(NARROW).maxKeys(16));
        Object[] keys = {
            "10.0.0.1",
            new StringBuilder("10.0.0.2"),
            1_000_000,
            5L,
            new UUID(7, 8),
            new byte[23],
            DayOfWeek.MONDAY,
            AddressKey.parse("2001:db8::1"),
            List.of("tenant", 17),
            "one",
            "two",
            "three",
            "four",
            "five",
            "six",
            "seven",
            "eight",
            "nine",
            "ten",
            "eleven",
            "twelve",
            "thirteen",
            "fourteen",
            "fifteen",
            "sixteen"
        };
        int[] next = {0};
        assertThat(allocatedBy(() -> limiter.tryAcquireOrWaitNanos(keys[next[0]++ % 9])))
                .isLessThan(SLACK);
        assertThat(allocatedBy(() -> limiter.tryAcquireOrWaitNanos(keys[next[0]++ % keys.length])))
                .as("each one pushes another out")
                .isLessThan(SLACK);
        assertThat(allocatedBy(() -> limiter.settle(keys[next[0]++ % 9], 1))).isLessThan(SLACK);
        assertThat(allocatedBy(() -> limiter.availablePermits(keys[next[0]++ % 9])))
                .isLessThan(SLACK);
    }

    @Test
    void a_limit_for_each_key_allocates_nothing() {
        KeyedRateLimiter<Integer> limiter =
                KeyedRateLimiter.of("plans", c -> c.limits(key -> key == 1 ? WIDE : NARROW));
        assertThat(allocatedBy(() -> limiter.tryAcquireOrWaitNanos(1))).isLessThan(SLACK);
        assertThat(allocatedBy(() -> limiter.tryAcquireOrWaitNanos(2))).isLessThan(SLACK);
    }

    private static void assertAdmitted(long wait) {
        if (wait != 0) {
            throw new AssertionError("refused for " + wait);
        }
    }

    private static void assertRefused(long wait) {
        if (wait == 0) {
            throw new AssertionError("admitted");
        }
    }
}
