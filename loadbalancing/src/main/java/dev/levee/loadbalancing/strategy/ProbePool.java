package dev.levee.loadbalancing.strategy;

import dev.levee.loadbalancing.discovery.Endpoint;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.util.Arrays;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Function;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;

/**
 * The answers that a balancer chooses from, at most one of each endpoint. It belongs to the balancer and outlives sets.
 *
 * <p>Picks read the places and use an answer by compare-and-set on its endpoint; they change no place. Who changes places takes a
 * flag first, and gives up if it is taken: an answer less does no harm, waiting would.
 */
class ProbePool {
    /** Of how many answers the distribution of requests in flight is kept. */
    static final int HISTORY = 64;

    /** What a call takes from the pool on average, beyond what it uses (r_remove in the paper), and its part of the probes. */
    private static final double MAX_REMOVED = 1.0;

    private static final double REMOVED_PART = 1 / 3.0;

    /** By how much more answers come than go, which is what fills the pool (delta in the paper: 1). */
    private static final double FILL = 1.0;

    private static final double DECAY = 0.98;
    static final long HOT = 1L << 56;
    static final long FAILING = 2L << 56;
    private static final int LATENCY_BITS = 28;
    private static final int IN_FLIGHT_BITS = 24;
    private static final int GOLDEN = 0x9E3779B9;
    private static final VarHandle PLACE = MethodHandles.arrayElementVarHandle(ProbedEndpoint[].class);

    private final ProbingConfig config;
    private final RandomGenerator random;
    private final @Nullable ProbedEndpoint[] places;
    private final AtomicBoolean changing = new AtomicBoolean();
    private final AtomicInteger ids = new AtomicInteger();

    // Changed only by who has the flag.
    private final int[] recent = new int[HISTORY];
    private final int[] sorted = new int[HISTORY];
    private final long[] scratch = new long[LatencyByInFlight.SAMPLES];
    private int seen;
    private boolean oldestIsNext = true;
    private double toRemove;

    private volatile int hottestCold; // the most requests in flight that are not hot
    private volatile float typicalNanos; // for those who do not know their latency; 0 if nobody does
    private volatile int size = 1; // of the set
    private volatile double answersPerCall;

    // Of the last calls, the older the less; changed by the prober only.
    private double weighedCalls;
    private double weighedAnswers;
    private final AtomicInteger answers = new AtomicInteger();

    ProbePool(ProbingConfig config, RandomGenerator random) {
        this.config = config;
        this.random = random;
        this.places = new ProbedEndpoint[config.poolSize()];
        this.answersPerCall = config.probesPerCall();
        this.hottestCold = config.hotQuantile() == 0.0 ? -1 : Integer.MAX_VALUE;
    }

    ProbedEndpoint newEndpoint(Endpoint<?> endpoint) {
        return new ProbedEndpoint(this, endpoint, ids.getAndIncrement() * GOLDEN, config.watchesOwnCalls());
    }

    /** How many endpoints there are to choose from. */
    void size(int value) {
        size = value;
    }

    int places() {
        return places.length;
    }

    @Nullable ProbedEndpoint at(int place) {
        return (ProbedEndpoint) PLACE.getAcquire(places, place);
    }

    /** Whether an answer can be used. */
    boolean isFresh(ProbedEndpoint endpoint, long answer, long nowNanos) {
        return ProbedEndpoint.usesLeft(answer) > 0 && nowNanos - endpoint.answeredAt() <= config.maxAgeNanos();
    }

    /** How many answers can be used. */
    int fresh(long nowNanos) {
        int fresh = 0;
        for (int place = 0; place < places.length; place++) {
            ProbedEndpoint endpoint = at(place);
            fresh += endpoint != null && isFresh(endpoint, endpoint.answer(), nowNanos) ? 1 : 0;
        }
        return fresh;
    }

    /** The most requests in flight that are not hot. */
    int hottestCold() {
        return hottestCold;
    }

    /**
     * The less the better: cold ones by latency, then hot ones by requests in flight, then those where calls fail.
     *
     * @param latencyCode if the endpoint does not know it, calls are taken to take as long there as elsewhere
     */
    long rank(long inFlight, int latencyCode, boolean failing, int hottestCold) {
        long code = latencyCode == ProbedEndpoint.LATENCY_UNKNOWN
                ? ProbedEndpoint.codeOf((long) typicalNanos)
                : latencyCode;
        if (failing || inFlight > hottestCold) {
            return (failing ? FAILING : HOT) | (inFlight << LATENCY_BITS) | code;
        }
        return (code << IN_FLIGHT_BITS) | inFlight;
    }

    // ---- answers come

    /** What a response says, if it says anything. */
    void read(ProbedEndpoint endpoint, Object result, long nowNanos) {
        Function<Object, @Nullable ServerLoad> responses = config.responses();
        if (responses == null) {
            return;
        }
        ServerLoad load;
        try {
            load = responses.apply(result);
        } catch (Throwable thrown) { // by a function of the user; the call is none the worse for it
            return;
        }
        if (load != null) {
            answered(endpoint, load.inFlight(), load.latencyNanos(), nowNanos);
        }
    }

    /** An endpoint has said how busy it is. Allocates nothing. */
    void answered(ProbedEndpoint endpoint, int inFlight, long latencyNanos, long nowNanos) {
        if (beginChange()) {
            try {
                take(endpoint, inFlight, latencyNanos, nowNanos);
            } finally {
                endChange();
            }
        }
    }

    /** A call of the balancer's own has ended, which says how busy the endpoint is as far as the balancer can see. */
    void answered(ProbedEndpoint endpoint, int inFlight, LatencyByInFlight latencies, long nowNanos) {
        if (beginChange()) {
            try {
                take(endpoint, inFlight, latencies.near(inFlight, nowNanos, scratch), nowNanos);
            } finally {
                endChange();
            }
        }
    }

    private void take(ProbedEndpoint endpoint, int inFlight, long latencyNanos, long nowNanos) {
        answers.getAndIncrement();
        if (config.probe() == null) {
            remove(REMOVED_PART, nowNanos); // nobody else does
        }
        learn(Math.min(inFlight, ProbedEndpoint.MAX_IN_FLIGHT), latencyNanos);
        endpoint.answer(inFlight, ProbedEndpoint.codeOf(latencyNanos), uses(), nowNanos);
        put(endpoint, nowNanos);
    }

    boolean beginChange() {
        return changing.compareAndSet(false, true);
    }

    void endChange() {
        changing.set(false);
    }

    private void learn(int inFlight, long latencyNanos) {
        if (latencyNanos >= 0) {
            typicalNanos = typicalNanos == 0 ? latencyNanos : typicalNanos + (latencyNanos - typicalNanos) / 16;
        }
        int known = Math.min(seen, HISTORY);
        if (seen >= HISTORY) {
            int gone = Arrays.binarySearch(sorted, 0, known, recent[seen % HISTORY]);
            System.arraycopy(sorted, gone + 1, sorted, gone, known - gone - 1);
            known--;
        }
        int found = Arrays.binarySearch(sorted, 0, known, inFlight);
        int at = found < 0 ? -found - 1 : found;
        System.arraycopy(sorted, at, sorted, at + 1, known - at);
        sorted[at] = inFlight;
        recent[seen % HISTORY] = inFlight;
        seen = seen + 1 < 2 * HISTORY ? seen + 1 : HISTORY;
        double quantile = config.hotQuantile();
        if (quantile > 0.0 && quantile < 1.0) {
            hottestCold = sorted[(int) Math.ceil(quantile * (known + 1)) - 1];
        }
    }

    private void put(ProbedEndpoint endpoint, long nowNanos) {
        if (places[endpoint.place] == endpoint) {
            return;
        }
        int place = 0;
        long oldest = Long.MIN_VALUE;
        for (int i = 0; i < places.length; i++) {
            ProbedEndpoint other = places[i];
            if (other == null || !isFresh(other, other.answer(), nowNanos)) {
                place = i;
                break;
            }
            long age = nowNanos - other.answeredAt();
            if (age > oldest) {
                oldest = age;
                place = i;
            }
        }
        ProbedEndpoint out = places[place];
        endpoint.place = place;
        PLACE.setRelease(places, place, endpoint);
        if (out != null) {
            out.forget();
        }
    }

    /**
     * How many calls may use an answer: as many as it takes for answers to come somewhat faster than they go, (1 + delta) / ((1 - m/n)
     * r_probe - r_remove) in the paper, where r_probe is what is really answered. With few endpoints an answer most often replaces
     * one that was there; the pool then counts as half of the set.
     */
    double meanUses() {
        if (config.probe() == null) {
            return 1.0; // an answer comes with each call that uses one
        }
        double rate = answersPerCall;
        double news = 1.0 - Math.min((double) places.length / size, 0.5);
        double surplus = news * rate - Math.min(MAX_REMOVED, rate * REMOVED_PART);
        return Math.min(Math.max((1.0 + FILL) / surplus, 1.0), ProbedEndpoint.MAX_USES - 1.0);
    }

    private int uses() {
        double mean = meanUses();
        int whole = (int) mean;
        return mean == whole || random.nextDouble() >= mean - whole ? whole : whole + 1;
    }

    // ---- answers go

    /** So many calls have been made since the last time: takes away what they cost the pool, and counts what is answered for each. */
    void called(long calls, long nowNanos) {
        weighedCalls = weighedCalls * DECAY + calls;
        weighedAnswers = weighedAnswers * DECAY + answers.getAndSet(0);
        // Two calls' worth of what should be, so that it begins there.
        double rate = (weighedAnswers + 2 * config.probesPerCall()) / (weighedCalls + 2);
        answersPerCall = Math.min(rate, config.probesPerCall());
        if (beginChange()) {
            try {
                remove(calls * Math.min(MAX_REMOVED, answersPerCall * REMOVED_PART), nowNanos);
            } finally {
                endChange();
            }
        }
    }

    private void remove(double amount, long nowNanos) {
        toRemove = Math.min(toRemove + amount, places.length);
        while (toRemove >= 1.0) {
            toRemove -= 1.0;
            removeOne(nowNanos);
        }
    }

    /** By turns the oldest and the worst, but not from a pool that is half empty already. */
    private void removeOne(long nowNanos) {
        ProbedEndpoint oldest = null;
        ProbedEndpoint worst = null;
        long greatestAge = Long.MIN_VALUE;
        long worstRank = Long.MIN_VALUE;
        int left = 0;
        for (ProbedEndpoint endpoint : places) {
            long answer = endpoint == null ? ProbedEndpoint.NO_ANSWER : endpoint.answer();
            if (endpoint == null || !isFresh(endpoint, answer, nowNanos)) {
                continue;
            }
            left++;
            long age = nowNanos - endpoint.answeredAt();
            if (age > greatestAge) {
                greatestAge = age;
                oldest = endpoint;
            }
            long rank = rank(
                    ProbedEndpoint.inFlight(answer),
                    ProbedEndpoint.latencyCode(answer),
                    endpoint.isFailing(nowNanos),
                    hottestCold);
            if (rank > worstRank) {
                worstRank = rank;
                worst = endpoint;
            }
        }
        ProbedEndpoint out = oldestIsNext ? oldest : worst;
        if (out != null && left > Math.max(Math.min(places.length, size) / 2, 2)) {
            oldestIsNext = !oldestIsNext;
            out.forget();
        }
    }

    @Override
    public String toString() {
        return config + " of " + size;
    }
}
