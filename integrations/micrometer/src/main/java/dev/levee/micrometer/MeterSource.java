package dev.levee.micrometer;

import dev.levee.core.Measured;

/** Something that is measured, and how its last poll went. */
final class MeterSource {
    /** Of series that nothing has reported. */
    static final MeterSource NONE = new MeterSource(sink -> {});

    final Measured measured;

    /** How often it was added, because several pipelines have it; guarded by the lock of the sources. */
    int uses = 1;

    /** Whether its last poll threw. */
    private volatile boolean failed;

    /** Whether it was removed. */
    private volatile boolean removed;

    MeterSource(Measured measured) {
        this.measured = measured;
    }

    /** Whether what is known of it stays, though it has not been reported. */
    boolean hasFailed() {
        return failed && !removed;
    }

    void failed(boolean now) {
        failed = now;
    }

    void remove() {
        removed = true;
    }
}
