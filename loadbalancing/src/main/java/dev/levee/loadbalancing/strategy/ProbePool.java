package dev.levee.loadbalancing.strategy;

import dev.levee.loadbalancing.discovery.Endpoint;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Function;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;

/**
 * Holds the answers to load probes that a balancer chooses from, at most one of each endpoint (Bartek Wydrowski, Robert
 * Kleinberg, Stephen M. Rumble and Aaron Archer, Load is not what you should balance: Introducing Prequal, NSDI 2024).
 * It belongs to the balancer and outlives sets.
 *
 * <pre>
 *   places       |  0  |  1  |  2  | .. |  15  |      each null, or an endpoint, which holds its own answer
 *                   |           |
 *                   v           v
 *                endpoint a   endpoint b   endpoint c          {@link ProbedEndpoint}, one word: {@link ProbeAnswer}
 *                place = 0    place = 2    place = 0, no answer
 *
 *   rank, the less the better
 *            63     57   56   55  52 51                        0
 *           +---------+-----+-------+---------------------------+
 *   cold    |    0    |  0  |   0   | latency code, 28 bits ;   |
 *           |         |     |       | in flight, 24 bits        |
 *           +---------+-----+-------+---------------------------+
 *   hot     |    0    |  1  |   0   | in flight, 24 bits ;      |
 *   failing |    1    |  0  |   0   | latency code, 28 bits     |
 *           +---------+-----+-------+---------------------------+
 * </pre>
 *
 * <p>Invariants:
 *
 * <ul>
 *   <li>Picks read the places and use an answer by compare-and-set on its endpoint; they change no place.
 *   <li>A thread that changes places sets the flag {@code changing} first, and drops its change if it is set already:
 *       an answer less does no harm, waiting would.
 *   <li>An endpoint whose answer has uses left is in exactly one place; one that loses its place loses its answer.
 * </ul>
 *
 * <p>See ADR 43.
 *
 * @see <a href="https://www.usenix.org/conference/nsdi24/presentation/wydrowski">Prequal, NSDI 2024</a>
 */
class ProbePool {
    /**
     * What a call removes from the pool on average, beyond what it uses (r_remove in the paper), and its part of the
     * probes.
     */
    private static final double MAX_REMOVED = 1.0;

    private static final double REMOVED_PART = 1 / 3.0;

    /** By how much more answers come than go, which fills the pool (delta in the paper: 1). */
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

    // Changed only by the thread that has set the flag.
    private final InFlightHistory history = new InFlightHistory();
    private final long[] scratch = new long[LatencyByInFlight.SAMPLES];
    private boolean oldestIsNext = true;
    private double toRemove;

    /** The most requests in flight that are not hot. */
    private volatile int hottestCold;

    /** The latency of an endpoint that does not know its own; 0 if none knows it. */
    private volatile float typicalNanos;

    /** The size of the set. */
    private volatile int size = 1;

    private volatile double answersPerCall;

    // Of recent calls, the older the less; changed by the prober only.
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

    /** Sets how many endpoints there are to choose from. */
    void size(int value) {
        size = value;
    }

    int places() {
        return places.length;
    }

    @Nullable ProbedEndpoint at(int place) {
        return (ProbedEndpoint) PLACE.getAcquire(places, place); // acquire: with the answer that came before its place
    }

    /** Returns whether an answer can be used. */
    boolean isFresh(ProbedEndpoint endpoint, long answer, long nowNanos) {
        return ProbeAnswer.usesLeft(answer) > 0 && nowNanos - endpoint.answeredAt() <= config.maxAgeNanos();
    }

    /** Returns how many answers can be used. */
    int fresh(long nowNanos) {
        int fresh = 0;
        for (int place = 0; place < places.length; place++) {
            ProbedEndpoint endpoint = at(place);
            fresh += endpoint != null && isFresh(endpoint, endpoint.answer(), nowNanos) ? 1 : 0;
        }
        return fresh;
    }

    int hottestCold() {
        return hottestCold;
    }

    /**
     * Returns a number that is the less the better: cold ones by latency, then hot ones by requests in flight, then
     * those where calls fail.
     *
     * @param latencyCode if it is unknown, calls are expected to take as long there as elsewhere
     */
    long rank(long inFlight, int latencyCode, boolean failing, int hottestCold) {
        long code = latencyCode == ProbeAnswer.LATENCY_UNKNOWN ? ProbeAnswer.codeOf((long) typicalNanos) : latencyCode;
        if (failing || inFlight > hottestCold) {
            return (failing ? FAILING : HOT) | (inFlight << LATENCY_BITS) | code;
        }
        return (code << IN_FLIGHT_BITS) | inFlight;
    }

    // ---- answers come

    /** Reads the load from a response, if it has one. */
    void read(ProbedEndpoint endpoint, Object result, long nowNanos) {
        Function<Object, @Nullable ServerLoad> responses = config.responses();
        if (responses == null) {
            return;
        }
        ServerLoad load;
        try {
            load = responses.apply(result);
        } catch (Throwable thrown) { // by a function of the user, which must not harm the call
            return;
        }
        if (load != null) {
            answered(endpoint, load.inFlight(), load.latencyNanos(), nowNanos);
        }
    }

    /** Takes the load that an endpoint has reported. Allocates nothing. */
    void answered(ProbedEndpoint endpoint, int inFlight, long latencyNanos, long nowNanos) {
        if (beginChange()) {
            try {
                take(endpoint, inFlight, latencyNanos, nowNanos);
            } finally {
                endChange();
            }
        }
    }

    /**
     * Takes the end of a call of the balancer's own, which shows the load of the endpoint as far as the balancer can
     * see.
     */
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
            remove(REMOVED_PART, nowNanos); // since there is no prober that does
        }
        learn(Math.min(inFlight, ProbeAnswer.MAX_IN_FLIGHT), latencyNanos);
        endpoint.answer(inFlight, ProbeAnswer.codeOf(latencyNanos), uses(), nowNanos);
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
        history.add(inFlight);
        double quantile = config.hotQuantile();
        if (quantile > 0.0 && quantile < 1.0) {
            hottestCold = history.quantile(quantile);
        }
    }

    private void put(ProbedEndpoint endpoint, long nowNanos) {
        // Plain reads of places and of their numbers: only the thread that changes the pool writes them.
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
        PLACE.setRelease(places, place, endpoint); // release: after its answer; picks acquire it
        if (out != null) {
            out.forget();
        }
    }

    /**
     * Returns how many calls may use an answer: as many as it takes for answers to come somewhat faster than they go,
     * (1 + delta) / ((1 - m/n) r_probe - r_remove) in the paper, where r_probe is what is really answered. With few
     * endpoints an answer most often replaces one that was there; the pool then counts as half of the set.
     */
    double meanUses() {
        if (config.probe() == null) {
            return 1.0; // an answer comes with each call that uses one
        }
        double rate = answersPerCall;
        double news = 1.0 - Math.min((double) places.length / size, 0.5);
        double surplus = news * rate - Math.min(MAX_REMOVED, rate * REMOVED_PART);
        return Math.min(Math.max((1.0 + FILL) / surplus, 1.0), ProbeAnswer.MAX_USES - 1.0);
    }

    private int uses() {
        double mean = meanUses();
        int whole = (int) mean;
        return mean == whole || random.nextDouble() >= mean - whole ? whole : whole + 1;
    }

    // ---- answers go

    /**
     * Takes the number of calls since the last time: removes what they cost the pool, and counts the answers for each.
     */
    void called(long calls, long nowNanos) {
        weighedCalls = weighedCalls * DECAY + calls;
        weighedAnswers = weighedAnswers * DECAY + answers.getAndSet(0);
        // Two calls' worth of the configured rate, so that it begins there.
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

    /** Removes the oldest and the worst in turns, but not from a pool that is half empty already. */
    private void removeOne(long nowNanos) {
        ProbedEndpoint oldest = null;
        ProbedEndpoint worst = null;
        long greatestAge = Long.MIN_VALUE;
        long worstRank = Long.MIN_VALUE;
        int left = 0;
        for (ProbedEndpoint endpoint : places) {
            long answer = endpoint == null ? ProbeAnswer.NONE : endpoint.answer();
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
                    ProbeAnswer.inFlight(answer),
                    ProbeAnswer.latencyCode(answer),
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
