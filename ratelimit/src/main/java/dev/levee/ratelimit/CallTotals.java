package dev.levee.ratelimit;

import dev.levee.core.Measured;
import java.util.List;
import java.util.concurrent.atomic.LongAdder;

/**
 * Counts of calls, kept only on demand, because each costs a write a call. A call is counted once, when it is known
 * what becomes of it; so neither count ever falls. See ADR 13.
 */
final class CallTotals {
    private static final List<String> ADMITTED = List.of("admitted");
    private static final List<String> REFUSED = List.of("refused");

    private final LongAdder admitted = new LongAdder();
    private final LongAdder refused = new LongAdder();

    void count(boolean wasAdmitted) {
        (wasAdmitted ? admitted : refused).increment();
    }

    void measure(String policy, Measured.Sink sink) {
        sink.value(policy, LimiterMetrics.LIMITER_CALLS, ADMITTED, (double) admitted.sum());
        sink.value(policy, LimiterMetrics.LIMITER_CALLS, REFUSED, (double) refused.sum());
    }
}
