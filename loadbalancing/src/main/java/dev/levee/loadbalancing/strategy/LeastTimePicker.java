package dev.levee.loadbalancing.strategy;

import dev.levee.core.NanoClock;
import java.util.Arrays;
import java.util.function.IntPredicate;

/**
 * Draws two different endpoints in proportion to weight and picks the one with the lower cost: what a call takes there
 * by its {@link PeakEwma}, times this call and those in flight for its weight. If the better of the two is slow, a
 * second pair is drawn.
 */
final class LeastTimePicker implements BalancingStrategy.Picker {
    /** An endpoint is slow if it costs more than this many times what is typical, and a unit of {@link CoarseTime}. */
    private static final int SLOW = 2;

    private final Candidates candidates;
    private final double[] weights;

    /** The mean weight divided by the weight of each candidate. */
    private final double[] crowding;

    private final PeakEwma[] trackers;
    private final NanoClock clock;
    private final PairDraw pairs;
    private final TypicalLatency typical = new TypicalLatency();
    private final MedianPoll poll;

    LeastTimePicker(Candidates candidates, PeakEwma[] trackers, NanoClock clock) {
        this.candidates = candidates;
        this.weights = Weights.of(candidates);
        this.crowding = new double[weights.length];
        double mean = Arrays.stream(weights).sum() / weights.length;
        Arrays.setAll(crowding, i -> mean / weights[i]);
        this.trackers = trackers;
        this.clock = clock;
        this.pairs = new PairDraw(weights);
        this.poll = new MedianPoll(trackers, typical);
        poll.run(CoarseTime.at(clock.nanoTime()));
        for (PeakEwma tracker : trackers) {
            tracker.typical(typical);
        }
    }

    private int now() {
        return now(clock.nanoTime());
    }

    private int now(long nanos) {
        int now = CoarseTime.at(nanos);
        if (typical.isOld(now)) {
            poll.run(now);
        }
        return now;
    }

    /**
     * The time that a call will take there, if it shares the endpoint with those in flight. A weight says how many of
     * them are one; it says nothing about an idle endpoint, for pairs are drawn by weight already.
     */
    private double cost(int index, int now, double usual, double floor) {
        double cost = trackers[index].cost(now, usual, floor);
        return cost * crowd(index, now, cost);
    }

    private double crowd(int index, int now, double cost) {
        return trackers[index].sharing(candidates.inFlight(index), now, cost) * crowding[index] + 1;
    }

    private int cheaper(long pair, int now) {
        return cheaper(PairDraw.first(pair), PairDraw.second(pair), now);
    }

    /** Of equals the first, which was drawn in proportion to weight. */
    private int cheaper(int first, int second, int now) {
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
        boolean takesSecond = ofSecond * crowd(second, now, ofSecond) < ofFirst * crowd(first, now, ofFirst);
        int picked = takesSecond ? second : first;
        if (usual == 0 || (takesSecond ? ofSecond : ofFirst) <= SLOW * usual + CoarseTime.UNIT_NANOS) {
            return picked;
        }
        // Two slow ones: where there are several, pairs of them would get more calls than they can take.
        long other = pairs.draw(candidates.random());
        return cheaper(picked, cheaper(other, now), now);
    }

    @Override
    public int pick(long hash, IntPredicate eligible) {
        long pair = draw(eligible);
        return pair < 0 ? scan(eligible, now()) : cheaper(pair, now());
    }

    private long draw(IntPredicate eligible) {
        return weights.length > 1 ? Redraw.pair(pairs, candidates.random(), eligible) : Redraw.NONE;
    }

    /**
     * Compares all that are eligible, from a place that is drawn, so that equals share. Returns -1 if there is none.
     */
    private int scan(IntPredicate eligible, int now) {
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
    public BalancingStrategy.Choice explain(long hash, IntPredicate eligible) {
        long pair = draw(eligible);
        int now = now();
        if (pair < 0) {
            int best = scan(eligible, now);
            return new BalancingStrategy.Choice(
                    best, best < 0 ? "none is left" : describe(best, now) + ", the least of those that are left");
        }
        int picked = cheaper(pair, now);
        int other = picked == PairDraw.first(pair) ? PairDraw.second(pair) : PairDraw.first(pair);
        return new BalancingStrategy.Choice(picked, describe(picked, now) + ", against " + describe(other, now));
    }

    private String describe(int index, int now) {
        double usual = typical.nanos();
        double floor = typical.floor();
        return candidates.endpoint(index).id() + " costs " + HumanReadable.time(cost(index, now, usual, floor))
                + " (" + trackers[index].describe(now, usual, floor) + ", " + candidates.inFlight(index) + " in flight"
                + (weights[index] == 1 ? "" : ", weight " + HumanReadable.number(weights[index])) + ")";
    }
}
