package dev.levee.circuitbreaker;

import dev.levee.core.Measured;
import dev.levee.core.Verdict;
import java.util.List;
import java.util.concurrent.atomic.LongAdder;

/** Counts of calls since the breaker was made; kept only on demand, because each costs a write a call. See ADR 13. */
final class BreakerTotals {
    private static final List<String> SUCCEEDED = List.of("succeeded");
    private static final List<String> FAILED = List.of("failed");
    private static final List<String> IGNORED = List.of("ignored");
    private static final List<String> REFUSED = List.of("refused");

    private final LongAdder succeeded = new LongAdder();
    private final LongAdder failed = new LongAdder();
    private final LongAdder slow = new LongAdder();
    private final LongAdder ignored = new LongAdder();
    private final LongAdder late = new LongAdder();
    private final LongAdder refused = new LongAdder();

    void refused() {
        refused.increment();
    }

    void ended(Verdict verdict, boolean wasSlow, boolean wasLate) {
        if (verdict == Verdict.IGNORED) {
            ignored.increment();
        } else {
            (verdict == Verdict.SUCCESS ? succeeded : failed).increment();
            if (wasSlow) {
                slow.increment();
            }
        }
        if (wasLate) {
            late.increment();
        }
    }

    void write(String name, Measured.Sink sink) {
        sink.value(name, BreakerMetrics.BREAKER_CALLS, SUCCEEDED, (double) succeeded.sum());
        sink.value(name, BreakerMetrics.BREAKER_CALLS, FAILED, (double) failed.sum());
        sink.value(name, BreakerMetrics.BREAKER_CALLS_SLOW, (double) slow.sum());
        sink.value(name, BreakerMetrics.BREAKER_CALLS, IGNORED, (double) ignored.sum());
        sink.value(name, BreakerMetrics.BREAKER_CALLS_LATE, (double) late.sum());
        sink.value(name, BreakerMetrics.BREAKER_CALLS, REFUSED, (double) refused.sum());
    }
}
