package dev.levee.core.idempotency;

import dev.levee.core.Measured;
import java.util.concurrent.atomic.LongAdder;

/** Counts of what became of calls under an {@link Idempotency}, since it was made. */
final class IdempotencyTotals {
    final LongAdder run = new LongAdder();
    final LongAdder replayed = new LongAdder();
    final LongAdder refused = new LongAdder();
    final LongAdder unknown = new LongAdder();
    final LongAdder checked = new LongAdder();
    final LongAdder late = new LongAdder();
    final LongAdder unrecorded = new LongAdder();

    void write(String name, Measured.Sink sink) {
        sink.value(name, IdempotencyMetrics.IDEMPOTENCY_RUN, (double) run.sum());
        sink.value(name, IdempotencyMetrics.IDEMPOTENCY_REPLAYED, (double) replayed.sum());
        sink.value(name, IdempotencyMetrics.IDEMPOTENCY_REFUSED, (double) refused.sum());
        sink.value(name, IdempotencyMetrics.IDEMPOTENCY_UNKNOWN, (double) unknown.sum());
        sink.value(name, IdempotencyMetrics.IDEMPOTENCY_CHECKED, (double) checked.sum());
        sink.value(name, IdempotencyMetrics.IDEMPOTENCY_LATE, (double) late.sum());
        sink.value(name, IdempotencyMetrics.IDEMPOTENCY_UNRECORDED, (double) unrecorded.sum());
    }
}
