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
        sink.value(name, "idempotency.run", (double) run.sum());
        sink.value(name, "idempotency.replayed", (double) replayed.sum());
        sink.value(name, "idempotency.refused", (double) refused.sum());
        sink.value(name, "idempotency.unknown", (double) unknown.sum());
        sink.value(name, "idempotency.checked", (double) checked.sum());
        sink.value(name, "idempotency.late", (double) late.sum());
        sink.value(name, "idempotency.unrecorded", (double) unrecorded.sum());
    }
}
