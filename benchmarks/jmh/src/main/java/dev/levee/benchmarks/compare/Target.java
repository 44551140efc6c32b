package dev.levee.benchmarks.compare;

import static dev.levee.benchmarks.compare.Question.BREAKER_CLOSED_COUNT100;
import static dev.levee.benchmarks.compare.Question.BREAKER_CLOSED_COUNT100_FAIL1PCT;
import static dev.levee.benchmarks.compare.Question.BREAKER_CLOSED_COUNT100_FAIL5PCT;
import static dev.levee.benchmarks.compare.Question.BREAKER_CLOSED_COUNT100_PERMIT;
import static dev.levee.benchmarks.compare.Question.BREAKER_CLOSED_TIME10S_SLOWCALLS;
import static dev.levee.benchmarks.compare.Question.BREAKER_HALFOPEN_PROBE;
import static dev.levee.benchmarks.compare.Question.BREAKER_OPEN_CALL;
import static dev.levee.benchmarks.compare.Question.BREAKER_OPEN_TRYENTER;
import static dev.levee.benchmarks.compare.Question.BULKHEAD_CALL;
import static dev.levee.benchmarks.compare.Question.BULKHEAD_QUEUE;
import static dev.levee.benchmarks.compare.Question.CACHE_HIT;
import static dev.levee.benchmarks.compare.Question.CACHE_HIT_EXACTCLOCK;
import static dev.levee.benchmarks.compare.Question.CACHE_WRITEBEHIND_DURABLE;
import static dev.levee.benchmarks.compare.Question.CACHE_WRITEBEHIND_FSYNCED;
import static dev.levee.benchmarks.compare.Question.CACHE_WRITEBEHIND_PUT;
import static dev.levee.benchmarks.compare.Question.CONCURRENCY_PERMIT;
import static dev.levee.benchmarks.compare.Question.FALLBACK_NOFAILURE;
import static dev.levee.benchmarks.compare.Question.FLOOR_INCREMENT;
import static dev.levee.benchmarks.compare.Question.FLOOR_NANOTIME;
import static dev.levee.benchmarks.compare.Question.FLOOR_PAIR;
import static dev.levee.benchmarks.compare.Question.HASH_MAGLEV;
import static dev.levee.benchmarks.compare.Question.HASH_MAGLEV_BUILD;
import static dev.levee.benchmarks.compare.Question.HASH_RING_10X160;
import static dev.levee.benchmarks.compare.Question.HASH_STRING20;
import static dev.levee.benchmarks.compare.Question.HEDGE_FIRED;
import static dev.levee.benchmarks.compare.Question.HTTP_CLIENT_ASYNC;
import static dev.levee.benchmarks.compare.Question.HTTP_CLIENT_BLOCKING;
import static dev.levee.benchmarks.compare.Question.JDBC_PRIMARY;
import static dev.levee.benchmarks.compare.Question.JDBC_REPLICA;
import static dev.levee.benchmarks.compare.Question.KEYED_100K_ZIPF;
import static dev.levee.benchmarks.compare.Question.KEYED_1M_ZIPF;
import static dev.levee.benchmarks.compare.Question.KEYED_ATTACK;
import static dev.levee.benchmarks.compare.Question.KEYED_MEMORY_1M;
import static dev.levee.benchmarks.compare.Question.LIMITER_ADMIT;
import static dev.levee.benchmarks.compare.Question.LIMITER_MULTI3;
import static dev.levee.benchmarks.compare.Question.LIMITER_REJECT;
import static dev.levee.benchmarks.compare.Question.METER_CALL;
import static dev.levee.benchmarks.compare.Question.PICK_1000_ENDPOINTS;
import static dev.levee.benchmarks.compare.Question.PICK_EWMA;
import static dev.levee.benchmarks.compare.Question.PICK_P2C;
import static dev.levee.benchmarks.compare.Question.PICK_ROUNDROBIN;
import static dev.levee.benchmarks.compare.Question.PICK_WEIGHTED10;
import static dev.levee.benchmarks.compare.Question.PIPELINE_FULL;
import static dev.levee.benchmarks.compare.Question.PIPELINE_MEGAMORPHIC;
import static dev.levee.benchmarks.compare.Question.PIPELINE_OF_FOUR;
import static dev.levee.benchmarks.compare.Question.RETRY_NOFAILURE;
import static dev.levee.benchmarks.compare.Question.RETRY_ONEFAILURE;
import static dev.levee.benchmarks.compare.Question.SPRING_GUARDED;
import static dev.levee.benchmarks.compare.Question.TIMEOUT_BLOCKING;
import static dev.levee.benchmarks.compare.Question.TIMEOUT_FIRED;

import java.util.EnumSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * What Levee wants to reach: a bound on its own figure, made of other figures of the same run.
 *
 * @param question whose levee row is bounded
 * @param threads at how many threads
 * @param factor how many times {@code base}
 * @param base what it is compared with
 * @param plusNanos and how much more
 */
record Target(Question question, int threads, double factor, Base base, double plusNanos) {
    /** What a bound is made of. */
    enum Base {
        FASTEST_PEER("the fastest peer"),
        SEMAPHORE("the Semaphore"),
        RESILIENCE4J("Resilience4j"),
        FAILSAFE("Failsafe"),
        CLOCK_READ("nanoTime"),
        LEVEE_PIPELINE_OF_FOUR("levee's pipeline of four"),
        INCREMENT("a shared atomic increment"),
        PAIR("an AtomicInteger up and down"),
        GRPC("gRPC"),
        SYNCHRONIZED_SMOOTH("the synchronized form"),
        TREE_MAP("the TreeMap"),
        /** The one that gives 64 bits and more, as Levee's does. */
        MURMUR3("Guava's murmur3 of 128 bits"),
        LEVEE_P2C("levee's p2c over ten"),
        BARE_CLIENT("the bare client"),
        BY_HAND("the form by hand"),
        BUCKET4J_MAP("a ConcurrentHashMap of Bucket4j's"),
        /** Bound by its size alone. */
        CAFFEINE("Caffeine"),
        CAFFEINE_AND_CLOCK_READ("Caffeine and a nanoTime"),
        EHCACHE("Ehcache"),
        MICROMETER("Micrometer's Timer"),
        LEVEE_UNDISTURBED("its undisturbed cost"),
        /** Nothing but the nanoseconds of the target. */
        NOTHING("");

        private final String words;

        Base(String words) {
            this.words = words;
        }
    }

    static final List<Target> ALL = List.of(
            new Target(BREAKER_CLOSED_COUNT100, 1, 0.10, Base.FASTEST_PEER, 0),
            new Target(BREAKER_CLOSED_COUNT100, 2, 0.10, Base.FASTEST_PEER, 0),
            new Target(BREAKER_CLOSED_COUNT100_FAIL1PCT, 1, 0.3, Base.FASTEST_PEER, 0),
            new Target(BREAKER_CLOSED_COUNT100_FAIL1PCT, 2, 0.3, Base.FASTEST_PEER, 0),
            new Target(BREAKER_CLOSED_COUNT100_FAIL5PCT, 1, 0.3, Base.FASTEST_PEER, 0),
            new Target(BREAKER_CLOSED_COUNT100_FAIL5PCT, 2, 0.3, Base.FASTEST_PEER, 0),
            new Target(BREAKER_CLOSED_COUNT100_PERMIT, 1, 0.25, Base.FASTEST_PEER, 0),
            new Target(BREAKER_CLOSED_COUNT100_PERMIT, 2, 0.25, Base.FASTEST_PEER, 0),
            new Target(BREAKER_CLOSED_TIME10S_SLOWCALLS, 1, 2, Base.CLOCK_READ, 15),
            new Target(BREAKER_CLOSED_TIME10S_SLOWCALLS, 2, 0.35, Base.FASTEST_PEER, 0),
            new Target(BREAKER_OPEN_TRYENTER, 1, 1, Base.CLOCK_READ, 3),
            new Target(BREAKER_OPEN_TRYENTER, 2, 1, Base.CLOCK_READ, 3),
            new Target(BREAKER_OPEN_CALL, 1, 0.35, Base.FASTEST_PEER, 0),
            new Target(BREAKER_OPEN_CALL, 2, 0.35, Base.FASTEST_PEER, 0),
            new Target(BREAKER_HALFOPEN_PROBE, 1, 1, Base.RESILIENCE4J, 0),
            new Target(BREAKER_HALFOPEN_PROBE, 2, 1, Base.RESILIENCE4J, 0),
            new Target(PIPELINE_OF_FOUR, 1, 0.32, Base.FASTEST_PEER, 0),
            new Target(PIPELINE_OF_FOUR, 2, 0.28, Base.FASTEST_PEER, 0),
            new Target(PIPELINE_MEGAMORPHIC, 1, 1.3, Base.LEVEE_PIPELINE_OF_FOUR, 0),
            new Target(PIPELINE_MEGAMORPHIC, 2, 1.3, Base.LEVEE_PIPELINE_OF_FOUR, 0),
            new Target(PIPELINE_FULL, 1, 0.4, Base.RESILIENCE4J, 0),
            new Target(PIPELINE_FULL, 2, 0.4, Base.RESILIENCE4J, 0),
            new Target(PIPELINE_FULL, 1, 0.2, Base.FAILSAFE, 0),
            new Target(PIPELINE_FULL, 2, 0.2, Base.FAILSAFE, 0),
            new Target(METER_CALL, 1, 0.3, Base.MICROMETER, 0),
            new Target(METER_CALL, 2, 0.3, Base.MICROMETER, 0),
            new Target(METER_CALL, 1, 2, Base.CLOCK_READ, 12),
            new Target(RETRY_NOFAILURE, 1, 1.1, Base.FASTEST_PEER, 0),
            new Target(RETRY_NOFAILURE, 2, 1.1, Base.FASTEST_PEER, 0),
            new Target(RETRY_ONEFAILURE, 1, 1.1, Base.FASTEST_PEER, 0),
            new Target(RETRY_ONEFAILURE, 2, 1.1, Base.FASTEST_PEER, 0),
            new Target(FALLBACK_NOFAILURE, 1, 1.1, Base.FASTEST_PEER, 0),
            new Target(FALLBACK_NOFAILURE, 2, 1.1, Base.FASTEST_PEER, 0),
            new Target(TIMEOUT_BLOCKING, 1, 0.15, Base.FAILSAFE, 0),
            new Target(TIMEOUT_BLOCKING, 2, 0.15, Base.FAILSAFE, 0),
            new Target(TIMEOUT_FIRED, 1, 1.1, Base.FASTEST_PEER, 0),
            new Target(TIMEOUT_FIRED, 2, 1.1, Base.FASTEST_PEER, 0),
            new Target(HEDGE_FIRED, 1, 1.5, Base.BY_HAND, 0),
            new Target(HEDGE_FIRED, 2, 1.5, Base.BY_HAND, 0),
            new Target(LIMITER_ADMIT, 1, 1, Base.CLOCK_READ, 6),
            new Target(LIMITER_REJECT, 1, 1, Base.CLOCK_READ, 2),
            new Target(LIMITER_ADMIT, 2, 0.55, Base.FASTEST_PEER, 0),
            new Target(LIMITER_MULTI3, 1, 1, Base.CLOCK_READ, 25),
            new Target(KEYED_100K_ZIPF, 1, 0.4, Base.BUCKET4J_MAP, 0),
            new Target(KEYED_100K_ZIPF, 2, 0.4, Base.BUCKET4J_MAP, 0),
            new Target(KEYED_1M_ZIPF, 1, 0.4, Base.BUCKET4J_MAP, 0),
            new Target(KEYED_1M_ZIPF, 2, 0.4, Base.BUCKET4J_MAP, 0),
            new Target(KEYED_MEMORY_1M, 1, 0, Base.NOTHING, 32),
            new Target(KEYED_ATTACK, 1, 2, Base.LEVEE_UNDISTURBED, 0),
            new Target(CONCURRENCY_PERMIT, 1, 0.3, Base.FASTEST_PEER, 0),
            new Target(CONCURRENCY_PERMIT, 2, 0.3, Base.FASTEST_PEER, 0),
            new Target(LIMITER_REJECT, 2, 1, Base.CLOCK_READ, 2),
            new Target(BULKHEAD_CALL, 1, 1.05, Base.SEMAPHORE, 0),
            new Target(BULKHEAD_CALL, 2, 0.7, Base.SEMAPHORE, 0),
            new Target(BULKHEAD_QUEUE, 1, 0.5, Base.FAILSAFE, 0),
            new Target(BULKHEAD_QUEUE, 2, 0.5, Base.FAILSAFE, 0),
            new Target(PICK_ROUNDROBIN, 1, 1, Base.INCREMENT, 2),
            new Target(PICK_ROUNDROBIN, 2, 0.4, Base.GRPC, 0),
            new Target(PICK_WEIGHTED10, 1, 0, Base.NOTHING, 8),
            new Target(PICK_WEIGHTED10, 2, 0.2, Base.SYNCHRONIZED_SMOOTH, 0),
            new Target(PICK_P2C, 1, 1.2, Base.PAIR, 0),
            new Target(PICK_P2C, 2, 0.6, Base.PAIR, 0),
            new Target(PICK_1000_ENDPOINTS, 1, 1.5, Base.LEVEE_P2C, 0),
            new Target(PICK_1000_ENDPOINTS, 2, 1.5, Base.LEVEE_P2C, 0),
            new Target(PICK_EWMA, 1, 2, Base.CLOCK_READ, 40),
            new Target(PICK_EWMA, 2, 2, Base.CLOCK_READ, 40),
            new Target(HASH_MAGLEV, 1, 0, Base.NOTHING, 4),
            new Target(HASH_MAGLEV, 2, 0, Base.NOTHING, 4),
            new Target(HASH_MAGLEV_BUILD, 1, 0, Base.NOTHING, 15_000_000),
            new Target(HASH_RING_10X160, 1, 0.5, Base.TREE_MAP, 0),
            new Target(HASH_RING_10X160, 2, 0.5, Base.TREE_MAP, 0),
            new Target(HASH_STRING20, 1, 0.6, Base.MURMUR3, 0),
            new Target(HASH_STRING20, 2, 0.6, Base.MURMUR3, 0),
            new Target(CACHE_HIT, 1, 1, Base.CAFFEINE, 3),
            new Target(CACHE_HIT, 2, 1, Base.CAFFEINE, 3),
            new Target(CACHE_HIT_EXACTCLOCK, 1, 1, Base.CAFFEINE_AND_CLOCK_READ, 0),
            new Target(CACHE_HIT_EXACTCLOCK, 2, 1, Base.CAFFEINE_AND_CLOCK_READ, 0),
            new Target(CACHE_WRITEBEHIND_PUT, 1, 0.5, Base.EHCACHE, 0),
            new Target(CACHE_WRITEBEHIND_PUT, 2, 0.5, Base.EHCACHE, 0),
            // 100,000 and 20,000 records a second
            new Target(CACHE_WRITEBEHIND_DURABLE, 1, 0, Base.NOTHING, 10_000),
            new Target(CACHE_WRITEBEHIND_DURABLE, 2, 0, Base.NOTHING, 10_000),
            new Target(CACHE_WRITEBEHIND_FSYNCED, 1, 0, Base.NOTHING, 50_000),
            new Target(CACHE_WRITEBEHIND_FSYNCED, 2, 0, Base.NOTHING, 50_000),
            new Target(JDBC_PRIMARY, 1, 1, Base.FASTEST_PEER, 1_000),
            new Target(JDBC_PRIMARY, 2, 1, Base.FASTEST_PEER, 1_000),
            new Target(JDBC_REPLICA, 1, 1, Base.FASTEST_PEER, 1_000),
            new Target(JDBC_REPLICA, 2, 1, Base.FASTEST_PEER, 1_000),
            new Target(SPRING_GUARDED, 1, 0.5, Base.RESILIENCE4J, 0),
            new Target(SPRING_GUARDED, 2, 0.5, Base.RESILIENCE4J, 0),
            new Target(HTTP_CLIENT_BLOCKING, 1, 1.05, Base.BARE_CLIENT, 10_000),
            new Target(HTTP_CLIENT_BLOCKING, 2, 1.05, Base.BARE_CLIENT, 10_000),
            new Target(HTTP_CLIENT_ASYNC, 1, 1.05, Base.BARE_CLIENT, 10_000),
            new Target(HTTP_CLIENT_ASYNC, 2, 1.05, Base.BARE_CLIENT, 10_000));

    /** The questions, and those that their targets are measured against. */
    static Set<Question> withBases(Set<Question> questions) {
        EnumSet<Question> all = EnumSet.copyOf(questions);
        for (Target target : ALL) {
            if (questions.contains(target.question)) {
                all.add(target.baseQuestion());
            }
        }
        return all;
    }

    /** The question that the bound is made of. */
    Question baseQuestion() {
        return switch (base) {
            case FASTEST_PEER,
                    SEMAPHORE,
                    RESILIENCE4J,
                    FAILSAFE,
                    GRPC,
                    SYNCHRONIZED_SMOOTH,
                    TREE_MAP,
                    MURMUR3,
                    BARE_CLIENT,
                    BY_HAND,
                    BUCKET4J_MAP,
                    CAFFEINE,
                    CAFFEINE_AND_CLOCK_READ,
                    EHCACHE,
                    MICROMETER,
                    LEVEE_UNDISTURBED,
                    NOTHING -> question;
            case CLOCK_READ -> FLOOR_NANOTIME;
            case INCREMENT -> FLOOR_INCREMENT;
            case PAIR -> FLOOR_PAIR;
            case LEVEE_PIPELINE_OF_FOUR -> PIPELINE_OF_FOUR;
            case LEVEE_P2C -> PICK_P2C;
        };
    }

    /** How many nanoseconds are allowed, if what they are made of was measured. */
    Optional<Double> bound(Rows rows) {
        return base == Base.NOTHING ? Optional.of(plusNanos) : base(rows).map(row -> factor * row.ns() + plusNanos);
    }

    /** How far the figure that the bound is made of may be off, in nanoseconds of the bound. */
    double boundError(Rows rows) {
        return base(rows).map(row -> factor * row.error()).orElse(0.0);
    }

    /** The figure that the bound is made of; empty if it was not measured, or if there is none. */
    Optional<Row> base(Rows rows) {
        return switch (base) {
            case FASTEST_PEER -> rows.fastestPeer(question, threads);
            case SEMAPHORE -> rows.of(question, threads, "semaphore");
            case RESILIENCE4J -> rows.of(question, threads, "resilience4j");
            case FAILSAFE -> rows.of(question, threads, "failsafe");
            case CLOCK_READ -> rows.of(FLOOR_NANOTIME, threads, Row.FLOOR);
            case LEVEE_PIPELINE_OF_FOUR -> rows.levee(PIPELINE_OF_FOUR, threads);
            case INCREMENT -> rows.of(FLOOR_INCREMENT, threads, Row.FLOOR);
            case PAIR -> rows.of(FLOOR_PAIR, threads, Row.FLOOR);
            case GRPC -> rows.of(question, threads, "grpc");
            case SYNCHRONIZED_SMOOTH -> rows.of(question, threads, "synchronized-smooth");
            case MURMUR3 -> rows.of(question, threads, "guava-murmur3of128");
            case TREE_MAP -> rows.of(question, threads, "treemap");
            case BARE_CLIENT -> rows.of(question, threads, "jdk");
            case BY_HAND -> rows.of(question, threads, "byhand");
            case BUCKET4J_MAP -> rows.of(question, threads, "bucket4j-map");
            case CAFFEINE -> rows.of(question, threads, "caffeine");
            case CAFFEINE_AND_CLOCK_READ -> rows.of(question, threads, "caffeine-nanotime");
            case MICROMETER -> rows.of(question, threads, "micrometer");
            case EHCACHE -> rows.of(question, threads, "ehcache");
            case LEVEE_UNDISTURBED -> rows.of(question, threads, "levee-undisturbed");
            case LEVEE_P2C -> rows.levee(PICK_P2C, threads);
            case NOTHING -> Optional.empty();
        };
    }

    /** The bound in words, such as {@code 2 x nanoTime + 15 ns}. */
    String words() {
        if (base == Base.NOTHING) {
            return Report.plain(plusNanos) + " " + question.unit;
        }
        String product = factor == 1 ? base.words : Report.plain(factor) + " x " + base.words;
        return plusNanos == 0 ? product : product + " + " + Report.plain(plusNanos) + " ns";
    }

    /** Such as {@code bulkhead.call at 2 threads: 50.0 ± 1.0 ns, at most 0.7 x the Semaphore = 38.4 ± 0.5 ns}. */
    String sentence(Rows rows) {
        return question + " at " + threads + (threads == 1 ? " thread: " : " threads: ")
                + rows.levee(question, threads)
                        .map(row -> Report.nanos(row.ns()) + " ± " + Report.nanos(row.error()) + " " + question.unit)
                        .orElse("not measured")
                + ", at most " + words()
                + bound(rows)
                        .map(bound -> " = " + Report.nanos(bound) + " ± " + Report.nanos(boundError(rows)) + " "
                                + question.unit)
                        .orElse("");
    }
}
