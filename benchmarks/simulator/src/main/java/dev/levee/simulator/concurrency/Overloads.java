package dev.levee.simulator.concurrency;

import static dev.levee.simulator.VirtualTime.MILLI;

import dev.levee.simulator.Work;
import java.util.List;

/** The situations in which limits are compared. Times are shares of the whole. */
final class Overloads {
    private static final int CORES = 8;
    private static final Work LOGNORMAL = Overload.lognormal(Overload.MEAN_WORK, 1);
    private static final long TIMEOUT = 250 * MILLI;

    static final Overload STEP = new Overload(
            "step",
            60,
            CORES,
            LOGNORMAL,
            TIMEOUT,
            at -> at < 1.0 / 3 || at >= 2.0 / 3 ? 0.7 : 2.1,
            Overloads::fullSpeed,
            1,
            0);
    static final Overload RAMP =
            new Overload("ramp", 60, CORES, LOGNORMAL, TIMEOUT, at -> 0.3 + 2.2 * at, Overloads::fullSpeed, 1, 0);
    static final Overload SLOW_DOWN =
            new Overload("slow-down", 60, CORES, LOGNORMAL, TIMEOUT, at -> 0.9, at -> at < 1.0 / 3 ? 1 : 0.5, 1, 0);
    static final Overload BIMODAL = new Overload(
            "bimodal",
            60,
            CORES,
            Overload.bimodal(0.8, MILLI, 46 * MILLI),
            TIMEOUT,
            at -> at < 1.0 / 3 ? 0.8 : 1.6,
            Overloads::fullSpeed,
            1,
            0);
    static final Overload LOW_RATE = new Overload(
            "low-rate",
            600,
            2,
            Overload.lognormal(20 * Overload.MEAN_WORK, 1),
            20 * TIMEOUT,
            at -> 0.5,
            Overloads::fullSpeed,
            1,
            0);
    static final Overload RETRY_STORM = new Overload(
            "retry-storm", 60, CORES, LOGNORMAL, TIMEOUT, at -> 0.8, at -> at >= 0.25 && at < 1.0 / 3 ? 0.2 : 1, 4, 0);
    static final Overload TWO_CLASSES =
            new Overload("two-classes", 60, CORES, LOGNORMAL, TIMEOUT, at -> 2, Overloads::fullSpeed, 1, 0.2);

    static final List<Overload> ALL = List.of(STEP, RAMP, SLOW_DOWN, BIMODAL, LOW_RATE, RETRY_STORM, TWO_CLASSES);

    private Overloads() {}

    private static double fullSpeed(double at) {
        return 1;
    }
}
