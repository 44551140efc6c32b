package dev.levee.ratelimit.concurrency;

import dev.levee.core.Gate;
import dev.levee.core.RefusedException;
import dev.levee.core.Verdict;
import dev.levee.core.testing.ManualTime;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.function.IntToDoubleFunction;

/** Drives a gate in manual time: rounds of calls that are in flight together, and take as long as there are many. */
final class LimitDriver {
    private final ManualTime time;
    private final Gate gate;
    private final Random random = new Random(42);

    LimitDriver(ManualTime time, Gate gate) {
        this.time = time;
        this.gate = gate;
    }

    /** Enters up to so many calls, and returns their stamps. */
    List<Long> enter(int calls) {
        List<Long> stamps = new ArrayList<>();
        for (int i = 0; i < calls; i++) {
            long stamp = gate.tryEnter(time.nanoTime());
            if (stamp != Gate.REFUSED) {
                stamps.add(stamp);
            }
        }
        return stamps;
    }

    void exit(long stamp, Verdict verdict) {
        gate.exit(stamp, 0, time.nanoTime(), verdict, RefusedException.UNKNOWN);
    }

    /** One call that takes a time. */
    void call(Duration took, Verdict verdict) {
        long stamp = gate.tryEnter(time.nanoTime());
        time.advance(took);
        exit(stamp, verdict);
    }

    /**
     * Rounds in which so many calls come at once, and each that is admitted takes as long as the function says for how
     * many were, in milliseconds, more or less by a tenth.
     */
    void rounds(int rounds, int offered, IntToDoubleFunction millis) {
        for (int round = 0; round < rounds; round++) {
            List<Long> stamps = enter(offered);
            double nanos = millis.applyAsDouble(stamps.size()) * 1e6;
            time.advance(Duration.ofNanos((long) (nanos * (0.9 + 0.2 * random.nextDouble()))));
            stamps.forEach(stamp -> exit(stamp, Verdict.SUCCESS));
        }
    }

    /** A dependency that works on so many calls at once, each for so long: the others wait in it. */
    static IntToDoubleFunction server(int cores, double millis) {
        return inFlight -> millis * Math.max(1, (double) inFlight / cores);
    }
}
