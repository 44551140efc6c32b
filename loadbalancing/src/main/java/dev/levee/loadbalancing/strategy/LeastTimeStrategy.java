package dev.levee.loadbalancing.strategy;

import dev.levee.core.Environment;
import dev.levee.core.NanoClock;
import dev.levee.core.internal.Handles;
import dev.levee.loadbalancing.discovery.Endpoint;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.util.Arrays;
import java.util.function.IntPredicate;
import org.jspecify.annotations.Nullable;

/** Of two different ones the one where the call will have ended first. */
final class LeastTimeStrategy implements BalancingStrategy {
    private final long decayNanos;
    private final @Nullable NanoClock clock; // once it belongs to a balancer

    LeastTimeStrategy(long decayNanos) {
        this(decayNanos, null);
    }

    private LeastTimeStrategy(long decayNanos, @Nullable NanoClock clock) {
        this.decayNanos = decayNanos;
        this.clock = clock;
    }

    @Override
    public BalancingStrategy forBalancer(Environment environment) {
        return new LeastTimeStrategy(decayNanos, environment.clock());
    }

    @Override
    public LoadTracker newTracker(Endpoint<?> endpoint) {
        return new PeakEwma(decayNanos, clock);
    }

    @Override
    public Picker over(Candidates candidates) {
        NanoClock time = clock == null ? Environment.system().clock() : clock;
        PeakEwma[] trackers = new PeakEwma[candidates.size()];
        for (int i = 0; i < trackers.length; i++) {
            trackers[i] = candidates.tracker(i) instanceof PeakEwma known ? known : new PeakEwma(decayNanos, clock);
        }
        return new Quickest(candidates, Weights.of(candidates), trackers, time);
    }

    @Override
    public boolean usesKey() {
        return false;
    }

    @Override
    public String toString() {
        return "least time";
    }

    private static final class Quickest implements Picker {
        private static final VarHandle LOOKING = Handles.field(MethodHandles.lookup(), "looking", boolean.class);

        /** How often a pair is drawn again because one of it is not eligible, before all are looked at. */
        private static final int MAX_DRAWS = 8;

        /** So many times what is usual, and a tick, is slow. */
        private static final int SLOW = 2;

        /** How often it is found out what is usual: every 2^27 ns, an eighth of a second. */
        private static final int LOOK_TICKS = 1 << (27 - 16);

        /** From how many endpoints at most. */
        private static final int LOOK_AT = 63;

        private final Candidates candidates;
        private final double[] weights;
        private final double[] crowding; // the mean weight divided by its own
        private final PeakEwma[] trackers;
        private final NanoClock clock;
        private final PairDraw pairs;
        private final PeakEwma.Typical typical = new PeakEwma.Typical();
        private final float[] measured;
        private int from; // of the next look at more endpoints than it takes

        @SuppressWarnings("UnusedVariable") // written through LOOKING
        private volatile boolean looking;

        private volatile int looked;

        Quickest(Candidates candidates, double[] weights, PeakEwma[] trackers, NanoClock clock) {
            this.candidates = candidates;
            this.weights = weights;
            this.crowding = new double[weights.length];
            double mean = Arrays.stream(weights).sum() / weights.length;
            Arrays.setAll(crowding, i -> mean / weights[i]);
            this.trackers = trackers;
            this.clock = clock;
            this.pairs = PairDraw.of(weights);
            this.measured = new float[Math.min(LOOK_AT, weights.length)];
            look(CoarseTime.at(clock.nanoTime()));
            for (PeakEwma tracker : trackers) {
                tracker.typical(typical);
            }
        }

        /** The median of what is measured, of at most {@link #LOOK_AT} endpoints. By one thread at a time; the others go on. */
        private void look(int now) {
            if (!LOOKING.compareAndSet(this, false, true)) {
                return;
            }
            looked = now;
            int step = (weights.length + measured.length - 1) / measured.length;
            from = from + 1 < step ? from + 1 : 0;
            int count = 0;
            for (int i = from; i < trackers.length; i += step) {
                float nanos = trackers[i].measured();
                if (nanos >= 0) {
                    measured[count++] = nanos;
                }
            }
            if (count > 0) {
                Arrays.sort(measured, 0, count);
                typical.set(measured[(count - 1) / 2], count > 1);
            }
            LOOKING.setRelease(this, false);
        }

        private int now() {
            return now(clock.nanoTime());
        }

        private int now(long nanos) {
            int now = CoarseTime.at(nanos);
            int passed = now - looked;
            if (passed >= LOOK_TICKS || passed <= -LOOK_TICKS) {
                look(now);
            }
            return now;
        }

        /**
         * The time that a call will take there, if it shares the endpoint with those in flight. A weight says how many of them are one;
         * it says nothing about an idle endpoint, for pairs are drawn by weight already.
         */
        private double cost(int index, int now, double usual, double floor) {
            return trackers[index].cost(now, usual, floor) * crowd(index);
        }

        private double crowd(int index) {
            return candidates.inFlight(index) * crowding[index] + 1;
        }

        /** Of equals the first, which was drawn in proportion to weight. */
        private int quicker(int first, int second, int now) {
            double usual = typical.nanos();
            double floor = typical.floor();
            return cost(second, now, usual, floor) < cost(first, now, usual, floor) ? second : first;
        }

        @Override
        public int pick(long hash) {
            return pick(hash, clock.nanoTime());
        }

        @Override
        public int pick(long hash, long nowNanos) {
            if (weights.length == 1) {
                return 0;
            }
            long pair = pairs.draw(candidates.random());
            int now = now(nowNanos);
            double usual = typical.nanos();
            double floor = typical.floor();
            int first = PairDraw.first(pair);
            int second = PairDraw.second(pair);
            double ofFirst = trackers[first].cost(now, usual, floor);
            double ofSecond = trackers[second].cost(now, usual, floor);
            boolean takesSecond = ofSecond * crowd(second) < ofFirst * crowd(first);
            int picked = takesSecond ? second : first;
            if (usual == 0 || (takesSecond ? ofSecond : ofFirst) <= SLOW * usual + CoarseTime.NANOS) {
                return picked;
            }
            // Two slow ones: where there are several, pairs of them would get more calls than they can take.
            long other = pairs.draw(candidates.random());
            return quicker(picked, quicker(PairDraw.first(other), PairDraw.second(other), now), now);
        }

        @Override
        public int pick(long hash, IntPredicate eligible) {
            long pair = draw(eligible);
            return pair < 0 ? scan(eligible) : quicker(PairDraw.first(pair), PairDraw.second(pair), now());
        }

        /** A pair of eligible ones, or -1. */
        private long draw(IntPredicate eligible) {
            for (int draws = 0; draws < MAX_DRAWS && weights.length > 1; draws++) {
                long pair = pairs.draw(candidates.random());
                if (eligible.test(PairDraw.first(pair)) && eligible.test(PairDraw.second(pair))) {
                    return pair;
                }
            }
            return -1;
        }

        /** The best of all, from a place that is drawn, so that equals share. */
        private int scan(IntPredicate eligible) {
            int now = now();
            double usual = typical.nanos();
            double floor = typical.floor();
            int start = candidates.random().nextInt(weights.length);
            int best = -1;
            double least = 0;
            for (int i = 0; i < weights.length; i++) {
                int index = start + i < weights.length ? start + i : start + i - weights.length;
                if (eligible.test(index)) {
                    double cost = cost(index, now, usual, floor);
                    if (best < 0 || cost < least) {
                        best = index;
                        least = cost;
                    }
                }
            }
            return best;
        }

        @Override
        public Choice explain(long hash, IntPredicate eligible) {
            long pair = draw(eligible);
            if (pair < 0) {
                int best = scan(eligible);
                return new Choice(best, best < 0 ? "none is left" : text(best) + ", the least of those that are left");
            }
            int first = PairDraw.first(pair);
            int second = PairDraw.second(pair);
            int picked = quicker(first, second, now());
            return new Choice(picked, text(picked) + ", against " + text(picked == first ? second : first));
        }

        private String text(int index) {
            int now = now();
            double usual = typical.nanos();
            double floor = typical.floor();
            double age = trackers[index].age(now);
            double failures = trackers[index].failures(now);
            return candidates.endpoint(index).id() + " costs " + HumanReadable.time(cost(index, now, usual, floor))
                    + " ("
                    + HumanReadable.time(trackers[index].latency(now, usual, floor)) + " a call"
                    + (age > 0 ? ", the oldest in flight for " + HumanReadable.time(age) : "")
                    + (failures > 0 ? ", " + HumanReadable.percent(failures) + " fail" : "")
                    + ", " + candidates.inFlight(index) + " in flight"
                    + (weights[index] == 1 ? "" : ", weight " + HumanReadable.number(weights[index])) + ")";
        }
    }
}
