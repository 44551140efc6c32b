package dev.levee.simulator.concurrency;

import static dev.levee.simulator.VirtualTime.MILLI;
import static dev.levee.simulator.VirtualTime.SECOND;

import dev.levee.simulator.Arrivals;
import dev.levee.simulator.Event;
import dev.levee.simulator.Latencies;
import dev.levee.simulator.Work;
import dev.levee.simulator.World;
import java.util.SplittableRandom;
import java.util.function.DoubleUnaryOperator;
import java.util.function.Function;

/**
 * A server, and the calls that come to it.
 *
 * @param id a short name
 * @param seconds how long it lasts
 * @param cores of the server
 * @param work how much work a call is
 * @param timeout after what time callers give up
 * @param load calls that come, relative to what the server can do at its first speed; over the time in seconds
 * @param speed of the server, over the time in seconds
 * @param attempts how often a call is tried, if it is refused or late
 * @param critical the share of calls that are critical
 */
record Overload(
        String id,
        int seconds,
        int cores,
        Work work,
        long timeout,
        DoubleUnaryOperator load,
        DoubleUnaryOperator speed,
        int attempts,
        double critical) {
    static final long MEAN_WORK = 10 * MILLI;

    /** With twice as many calls as cores a server does 2.5 % less, with eight times as many 29 %. */
    static final double CONTENTION = 0.0064;

    /** Into so many parts the time of a run is split. */
    static final int TICKS = 60;

    private static final long RETRY_DELAY = 100 * MILLI;

    /** What became of the calls. */
    static final class Outcome {
        long calls;
        long attempts;
        long good;
        long refused;
        long late;
        long criticalCalls;
        long criticalGood;
        double limitSum;
        double limitSquares;
        final double[] limits = new double[TICKS];
        final Latencies latencies = new Latencies();
    }

    static Work lognormal(double mean, double sigma) {
        double factor = mean / Math.exp(sigma * sigma / 2);
        return random -> factor * Math.exp(sigma * random.nextGaussian());
    }

    static Work bimodal(double hits, double hit, double miss) {
        return random -> random.nextDouble() < hits ? hit : miss;
    }

    /** The same with a server of another size, and as many more or fewer calls. */
    Overload on(int otherCores) {
        return new Overload(id, seconds, otherCores, work, timeout, load, speed, attempts, critical);
    }

    /** Runs it. */
    Outcome run(long seed, double scale, Function<World, Admission> make) {
        World world = new World(seed);
        Run run = new Run(world, make.apply(world), scale);
        world.time().runUntil((long) (seconds * scale * SECOND));
        return run.outcome;
    }

    private final class Run {
        private final World world;
        private final Admission admission;
        private final ContendedServer server;
        private final Outcome outcome = new Outcome();
        private final SplittableRandom works;
        private final SplittableRandom classes;
        private final SplittableRandom delays;
        private final double ticksPerNano;

        Run(World world, Admission admission, double scale) {
            this.world = world;
            this.admission = admission;
            this.works = world.random("work");
            this.classes = world.random("classes");
            this.delays = world.random("delays");
            this.server = new ContendedServer(world.time(), cores, CONTENTION / cores / cores);
            double length = seconds * scale * SECOND;
            this.ticksPerNano = TICKS / length;
            double capacity = cores * 1e9 / meanWork();
            Arrivals arrivals = new Arrivals(world, capacity * load.applyAsDouble(0), this::arrives);
            int steps = 10 * TICKS;
            for (int step = 0; step < steps; step++) {
                double at = (double) step / steps;
                world.time().at((long) (at * length), Event.of(() -> {
                    arrivals.setRate(capacity * load.applyAsDouble(at));
                    server.setSpeed(speed.applyAsDouble(at));
                    int limit = admission.limit();
                    outcome.limits[tick()] += limit / 10.0;
                    outcome.limitSum += limit;
                    outcome.limitSquares += (double) limit * limit;
                }));
            }
        }

        private double meanWork() {
            return id.equals("low-rate") ? 20 * MEAN_WORK : MEAN_WORK;
        }

        private int tick() {
            return Math.min(TICKS - 1, (int) (world.time().now() * ticksPerNano));
        }

        private void arrives() {
            outcome.calls++;
            boolean isCritical = classes.nextDouble() < critical;
            if (isCritical) {
                outcome.criticalCalls++;
            }
            attempt(1, work.draw(works), isCritical);
        }

        private void attempt(int number, double size, boolean isCritical) {
            outcome.attempts++;
            long start = world.time().now();
            admission.admit(isCritical, timeout, admitted -> {
                if (admitted == null) {
                    outcome.refused++;
                    again(number, size, isCritical);
                } else {
                    begin(admitted, start, number, size, isCritical);
                }
            });
        }

        private void begin(Admission.Admitted admitted, long start, int number, double size, boolean isCritical) {
            Event givesUp = Event.of(() -> {
                outcome.late++;
                again(number, size, isCritical);
            });
            if (attempts > 1) {
                world.time().at(start + timeout, givesUp);
            }
            server.begin(size, () -> {
                long took = world.time().now() - start;
                boolean inTime = took <= timeout;
                world.time().cancel(givesUp);
                admitted.ended(inTime);
                if (inTime) {
                    outcome.good++;
                    outcome.latencies.add(took);
                    if (isCritical) {
                        outcome.criticalGood++;
                    }
                } else if (attempts == 1) {
                    outcome.late++;
                }
            });
        }

        private void again(int number, double size, boolean isCritical) {
            if (number < attempts) {
                world.time()
                        .after(
                                (long) (RETRY_DELAY * (0.5 + delays.nextDouble())),
                                Event.of(() -> attempt(number + 1, size, isCritical)));
            }
        }
    }
}
