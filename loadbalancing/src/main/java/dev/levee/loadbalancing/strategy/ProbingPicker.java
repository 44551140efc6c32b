package dev.levee.loadbalancing.strategy;

import dev.levee.core.NanoClock;
import java.util.Locale;
import java.util.function.IntPredicate;
import org.jspecify.annotations.Nullable;

/**
 * Picks by the hot/cold rule over the answers of one set: of those that are cold the one with the shortest latency; if
 * all are hot the one with the fewest requests in flight; an endpoint where calls fail only if there is no other. See
 * ADR 43.
 */
final class ProbingPicker implements BalancingStrategy.Picker {
    private static final int NONE = -1;

    /** With fewer answers in all a pick is not a choice. */
    private static final int MIN_ANSWERS = 2;

    /**
     * Without load probes, one call of four explores: else endpoints that are not in the pool would never get into it.
     */
    private static final int EXPLORED = 3;

    private static final int MAX_TRIES = 8;
    private static final int MAX_DRAWS = 4;

    private final Candidates candidates;
    private final BalancingStrategy.Picker twoChoices;
    private final ProbePool pool;
    private final @Nullable Prober prober;
    private final NanoClock clock;
    private final boolean countsOwn;
    private final boolean explores;

    /** Null if no endpoint is in slow start. */
    private final double @Nullable [] ramps;

    /** Null if all weights are equal. */
    private final @Nullable AliasTable shares;

    /** By the indices of the candidates. */
    private final @Nullable ProbedEndpoint[] endpoints;

    /** Indices from 1, with open addressing by the ids of endpoints; 0 for none. */
    private final int[] table;

    ProbingPicker(
            Candidates candidates,
            BalancingStrategy.Picker twoChoices,
            ProbePool pool,
            @Nullable Prober prober,
            NanoClock clock,
            ProbingConfig config) {
        this.candidates = candidates;
        this.twoChoices = twoChoices;
        this.pool = pool;
        this.prober = prober;
        this.clock = clock;
        this.countsOwn = config.watchesOwnCalls();
        this.explores = config.probe() == null;
        int size = candidates.size();
        this.endpoints = new ProbedEndpoint[size];
        this.table = new int[Integer.highestOneBit(size) * 4];
        double[] all = new double[size];
        boolean anyRamps = false;
        for (int i = 0; i < size; i++) {
            all[i] = candidates.ramp(i);
            anyRamps |= all[i] < 1.0;
            if (candidates.tracker(i) instanceof ProbedEndpoint endpoint) {
                endpoints[i] = endpoint;
                int slot = slot(endpoint);
                while (table[slot] != 0) {
                    slot = (slot + 1) & (table.length - 1);
                }
                table[slot] = i + 1;
            }
        }
        this.ramps = anyRamps ? all : null;
        double[] weights = Weights.of(candidates);
        this.shares = Weights.equal(weights) ? null : new AliasTable(weights);
    }

    private int slot(ProbedEndpoint endpoint) {
        return endpoint.id >>> (Integer.numberOfLeadingZeros(table.length) + 1) & (table.length - 1);
    }

    /** Returns its index in this set, or -1 if it has left, or is in another group. */
    private int indexOf(ProbedEndpoint endpoint) {
        int slot = slot(endpoint);
        while (table[slot] != 0) {
            int index = table[slot] - 1;
            if (endpoints[index] == endpoint) {
                return index;
            }
            slot = (slot + 1) & (table.length - 1);
        }
        return NONE;
    }

    // ---- picks

    @Override
    public int pick(long hash) {
        return choose(hash, null, clock.nanoTime());
    }

    @Override
    public int pick(long hash, long nowNanos) {
        return choose(hash, null, nowNanos);
    }

    @Override
    public int pick(long hash, IntPredicate eligible) {
        return choose(hash, eligible, clock.nanoTime());
    }

    private int choose(long hash, @Nullable IntPredicate eligible, long now) {
        if (prober != null) {
            prober.called(this);
        }
        int random = candidates.random().nextInt();
        if (explores && (random & EXPLORED) == 0) {
            return fallBack(hash, eligible, now);
        }
        for (int tries = 0; tries < MAX_TRIES; tries++) {
            int index = best(eligible, now, random);
            ProbedEndpoint endpoint = index == NONE ? null : endpoints[index];
            if (endpoint == null) {
                break;
            }
            if (endpoint.use()) {
                return index;
            }
            // Used up or replaced by another thread meanwhile.
        }
        return fallBack(hash, eligible, now);
    }

    /**
     * Returns the index that the rule selects; {@link #NONE} if there are too few answers, or none of an eligible
     * endpoint.
     */
    private int best(@Nullable IntPredicate eligible, long now, int random) {
        int answers = 0;
        int best = NONE;
        long least = Long.MAX_VALUE;
        int hottestCold = pool.hottestCold();
        int places = pool.places();
        int place = (int) (((random & 0xFFFFFFFFL) * places) >>> 32); // so that equal answers have equal chances
        for (int left = places; left > 0; left--) {
            place = place == 0 ? places - 1 : place - 1;
            ProbedEndpoint endpoint = pool.at(place);
            if (endpoint == null) {
                continue;
            }
            long answer = endpoint.answer();
            int index = pool.isFresh(endpoint, answer, now) ? indexOf(endpoint) : NONE;
            if (index == NONE) {
                continue;
            }
            answers++;
            if (eligible != null && !eligible.test(index)) {
                continue;
            }
            long rank = rank(endpoint, index, answer, hottestCold, now);
            if (rank < least) {
                least = rank;
                best = index;
            }
        }
        return answers < MIN_ANSWERS ? NONE : best;
    }

    private long rank(ProbedEndpoint endpoint, int index, long answer, int hottestCold, long now) {
        int code = ProbeAnswer.latencyCode(answer);
        if (ramps != null && ramps[index] < 1.0 && code != ProbeAnswer.LATENCY_UNKNOWN) {
            code = ProbeAnswer.codeOf((long) (ProbeAnswer.nanosOf(code) / ramps[index]));
        }
        return pool.rank(inFlight(index, answer), code, endpoint.isFailing(now), hottestCold);
    }

    /** Returns the requests in flight, as if the rest of an endpoint that is in slow start were taken already. */
    private long inFlight(int index, long answer) {
        long inFlight = countsOwn ? candidates.inFlight(index) : ProbeAnswer.inFlight(answer);
        if (ramps != null && ramps[index] < 1.0) {
            inFlight = (long) ((inFlight + 1) / ramps[index]) - 1;
        }
        return Math.min(inFlight, ProbeAnswer.MAX_IN_FLIGHT);
    }

    /**
     * Picks by two choices, again for as long as calls fail at the pick: it has few calls in flight for a bad reason.
     */
    private int fallBack(long hash, @Nullable IntPredicate eligible, long now) {
        int index = NONE;
        for (int draws = 0; draws < MAX_DRAWS; draws++) {
            index = eligible == null ? twoChoices.pick(hash) : twoChoices.pick(hash, eligible);
            ProbedEndpoint endpoint = index < 0 ? null : endpoints[index];
            if (endpoint == null || !endpoint.isFailing(now)) {
                break;
            }
        }
        return index;
    }

    // ---- load probes

    /**
     * Draws an endpoint without a load probe in flight, in proportion to weight, and marks it. Returns null if there is
     * none.
     */
    @Nullable ProbedEndpoint toProbe() {
        int size = endpoints.length;
        int index = 0;
        for (int draws = 0; draws < MAX_TRIES; draws++) {
            long random = candidates.random().nextLong();
            index = shares != null ? shares.draw(random) : (int) (((random >>> 32) * size) >>> 32);
            ProbedEndpoint endpoint = endpoints[index];
            if (endpoint != null && endpoint.beginProbe()) {
                return endpoint;
            }
        }
        for (int i = 1; i < size; i++) {
            ProbedEndpoint endpoint = endpoints[(index + i) % size];
            if (endpoint != null && endpoint.beginProbe()) {
                return endpoint;
            }
        }
        return null;
    }

    // ---- explanations

    @Override
    public BalancingStrategy.Choice explain(long hash, IntPredicate eligible) {
        long now = clock.nanoTime();
        int index = best(eligible, now, 0);
        ProbedEndpoint endpoint = index == NONE ? null : endpoints[index];
        int answers = 0;
        int cold = 0;
        for (int place = 0; place < pool.places(); place++) {
            ProbedEndpoint other = pool.at(place);
            long answer = other == null ? ProbeAnswer.NONE : other.answer();
            int at = other != null && pool.isFresh(other, answer, now) ? indexOf(other) : NONE;
            if (other != null && at != NONE) {
                answers++;
                cold += rank(other, at, answer, pool.hottestCold(), now) < ProbePool.HOT ? 1 : 0;
            }
        }
        if (endpoint == null) {
            return explainTwoChoices(hash, eligible, answers);
        }
        long answer = endpoint.answer();
        long rank = rank(endpoint, index, answer, pool.hottestCold(), now);
        String why = rank < ProbePool.HOT
                ? cold + " of " + answers + " answers are cold, and the latency here is the shortest of them"
                : rank < ProbePool.FAILING
                        ? "none of " + answers + " answers is cold, and here are the fewest in flight"
                        : "calls fail at all of " + answers + " that answered, and here are the fewest in flight";
        return new BalancingStrategy.Choice(
                index,
                why + " (" + inFlight(index, answer) + " in flight, "
                        + latency(ProbeAnswer.nanosOf(ProbeAnswer.latencyCode(answer))) + ", hot above "
                        + hot(pool.hottestCold()) + ")");
    }

    private BalancingStrategy.Choice explainTwoChoices(long hash, IntPredicate eligible, int answers) {
        BalancingStrategy.Choice choice = twoChoices.explain(hash, eligible);
        String words = answers + (answers == 1 ? " answer" : " answers") + ", too few to choose from; two choices";
        return new BalancingStrategy.Choice(
                choice.index(), choice.reason().isEmpty() ? words : words + ": " + choice.reason());
    }

    private static String latency(long nanos) {
        return nanos == ServerLoad.UNKNOWN ? "latency unknown" : String.format(Locale.ROOT, "%.2f ms", nanos / 1e6);
    }

    private static String hot(int hottestCold) {
        return hottestCold == Integer.MAX_VALUE ? "any number" : Integer.toString(hottestCold);
    }
}
