package dev.levee.benchmarks.compare;

import dev.levee.benchmarks.BreakerClosedCount100;
import dev.levee.benchmarks.BreakerClosedCount100Fail1pct;
import dev.levee.benchmarks.BreakerClosedCount100Fail5pct;
import dev.levee.benchmarks.BreakerClosedCount100Permit;
import dev.levee.benchmarks.BreakerClosedTime10sSlowcalls;
import dev.levee.benchmarks.BreakerHalfopenProbe;
import dev.levee.benchmarks.BreakerOpenCall;
import dev.levee.benchmarks.BreakerOpenTryenter;
import dev.levee.benchmarks.BulkheadCall;
import dev.levee.benchmarks.BulkheadQueue;
import dev.levee.benchmarks.FallbackNofailure;
import dev.levee.benchmarks.FloorCall;
import dev.levee.benchmarks.FloorCas;
import dev.levee.benchmarks.FloorIncrement;
import dev.levee.benchmarks.FloorNanotime;
import dev.levee.benchmarks.FloorPair;
import dev.levee.benchmarks.HashJump1000;
import dev.levee.benchmarks.HashMaglev;
import dev.levee.benchmarks.HashMaglevBuild;
import dev.levee.benchmarks.HashRing10x160;
import dev.levee.benchmarks.HashString20;
import dev.levee.benchmarks.HedgeFired;
import dev.levee.benchmarks.HedgeNofire;
import dev.levee.benchmarks.HedgeNofireBlocking;
import dev.levee.benchmarks.HttpClientAsync;
import dev.levee.benchmarks.HttpClientBlocking;
import dev.levee.benchmarks.LimiterAdmit;
import dev.levee.benchmarks.LimiterReject;
import dev.levee.benchmarks.Pick1000endpoints;
import dev.levee.benchmarks.PickEwma;
import dev.levee.benchmarks.PickLeastinflight10;
import dev.levee.benchmarks.PickP2c;
import dev.levee.benchmarks.PickRoundrobin;
import dev.levee.benchmarks.PickWeighted10;
import dev.levee.benchmarks.PipelineFull;
import dev.levee.benchmarks.PipelineMegamorphic;
import dev.levee.benchmarks.PipelineRetryBreakerBulkheadLimiter;
import dev.levee.benchmarks.RetryNofailure;
import dev.levee.benchmarks.RetryOnefailure;
import dev.levee.benchmarks.TimeoutAsync;
import dev.levee.benchmarks.TimeoutBlocking;
import dev.levee.benchmarks.TimeoutFired;
import dev.levee.benchmarks.caching.CacheGetall10;
import dev.levee.benchmarks.caching.CacheHit;
import dev.levee.benchmarks.caching.CacheHitExactclock;
import dev.levee.benchmarks.caching.CacheMiss;
import dev.levee.benchmarks.caching.CacheNegativehit;
import dev.levee.benchmarks.caching.CacheStampede;
import dev.levee.benchmarks.caching.CacheWritebehindDurable;
import dev.levee.benchmarks.caching.CacheWritebehindFsynced;
import dev.levee.benchmarks.caching.CacheWritebehindPut;
import dev.levee.benchmarks.database.JdbcPrimary;
import dev.levee.benchmarks.database.JdbcReplica;
import dev.levee.benchmarks.limits.ConcurrencyAdaptive;
import dev.levee.benchmarks.limits.ConcurrencyPermit;
import dev.levee.benchmarks.limits.Keyed100kZipf;
import dev.levee.benchmarks.limits.Keyed1mZipf;
import dev.levee.benchmarks.limits.KeyedAttack;
import dev.levee.benchmarks.limits.KeyedMemory1m;
import dev.levee.benchmarks.limits.LimiterAcquire;
import dev.levee.benchmarks.limits.LimiterMulti3;
import dev.levee.benchmarks.limits.LimiterSlidingwindow;
import dev.levee.benchmarks.limits.QueueOfferPoll;
import dev.levee.benchmarks.monitoring.MicrometerCall;
import dev.levee.benchmarks.signals.MeterCall;
import dev.levee.benchmarks.spring.SpringGuarded;
import java.lang.reflect.Method;
import java.util.Arrays;
import java.util.Collection;
import java.util.List;
import java.util.Locale;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.Mode;

/**
 * What is asked of every subject: an id that stays, and the JMH class that asks it. A new question is a class and a
 * line here.
 */
enum Question {
    FLOOR_CALL("floor.call", FloorCall.class),
    FLOOR_CAS("floor.cas", FloorCas.class),
    FLOOR_INCREMENT("floor.increment", FloorIncrement.class),
    FLOOR_NANOTIME("floor.nanotime", FloorNanotime.class),
    FLOOR_PAIR("floor.pair", FloorPair.class),
    BREAKER_CLOSED_COUNT100("breaker.closed.count100", BreakerClosedCount100.class),
    BREAKER_CLOSED_COUNT100_FAIL1PCT("breaker.closed.count100.fail1pct", BreakerClosedCount100Fail1pct.class),
    BREAKER_CLOSED_COUNT100_FAIL5PCT("breaker.closed.count100.fail5pct", BreakerClosedCount100Fail5pct.class),
    BREAKER_CLOSED_COUNT100_PERMIT("breaker.closed.count100.permit", BreakerClosedCount100Permit.class),
    BREAKER_CLOSED_TIME10S_SLOWCALLS("breaker.closed.time10s.slowcalls", BreakerClosedTime10sSlowcalls.class),
    BREAKER_OPEN_TRYENTER("breaker.open.tryenter", BreakerOpenTryenter.class),
    BREAKER_OPEN_CALL("breaker.open.call", BreakerOpenCall.class),
    /** Three changes of state, each with its event; reported, without a promise. */
    BREAKER_HALFOPEN_PROBE("breaker.halfopen.probe", BreakerHalfopenProbe.class, Double.POSITIVE_INFINITY),
    BULKHEAD_CALL("bulkhead.call", BulkheadCall.class),
    /** Two calls and their futures; reported, without a promise. */
    BULKHEAD_QUEUE("bulkhead.queue", BulkheadQueue.class, Double.POSITIVE_INFINITY),
    METER_CALL("meter.call", MeterCall.class),
    RETRY_NOFAILURE("retry.nofailure", RetryNofailure.class),
    /** What a call keeps that is repeated. */
    RETRY_ONEFAILURE("retry.onefailure", RetryOnefailure.class, 128),
    FALLBACK_NOFAILURE("fallback.nofailure", FallbackNofailure.class),
    TIMEOUT_BLOCKING("timeout.blocking", TimeoutBlocking.class, 64),
    /** 128, and the 24 of the future that is guarded. */
    TIMEOUT_ASYNC("timeout.async", TimeoutAsync.class, 152),
    /** Reported, without a promise. */
    TIMEOUT_FIRED("timeout.fired", TimeoutFired.class, Double.POSITIVE_INFINITY),
    /** 192, and the 24 of the future that is guarded. */
    HEDGE_NOFIRE("hedge.nofire", HedgeNofire.class, 216),
    /** Reported, without a promise. */
    HEDGE_NOFIRE_BLOCKING("hedge.nofire.blocking", HedgeNofireBlocking.class, Double.POSITIVE_INFINITY),
    /** Reported, without a promise. */
    HEDGE_FIRED("hedge.fired", HedgeFired.class, Double.POSITIVE_INFINITY),
    PIPELINE_OF_FOUR("pipeline.retry-breaker-bulkhead-limiter", PipelineRetryBreakerBulkheadLimiter.class),
    PIPELINE_MEGAMORPHIC("pipeline.megamorphic", PipelineMegamorphic.class),
    /** What its timeout costs. */
    PIPELINE_FULL("pipeline.full", PipelineFull.class, 64),
    /** Reported beside what others put into Micrometer. */
    MICROMETER_CALL("micrometer.call", MicrometerCall.class),
    LIMITER_ADMIT("limiter.admit", LimiterAdmit.class),
    LIMITER_REJECT("limiter.reject", LimiterReject.class),
    LIMITER_ACQUIRE("limiter.acquire", LimiterAcquire.class),
    LIMITER_MULTI3("limiter.multi3", LimiterMulti3.class),
    /** An object for each window. */
    LIMITER_SLIDINGWINDOW("limiter.slidingwindow", LimiterSlidingwindow.class, 1),
    /** What is left of the growth of the table, over all calls. */
    KEYED_100K_ZIPF("keyed.100k-zipf", Keyed100kZipf.class, 4),
    /** As with fewer keys. */
    KEYED_1M_ZIPF("keyed.1m-zipf", Keyed1mZipf.class, 4),
    /** Bytes a key, on the heap and allocated; the target is about the first. */
    KEYED_MEMORY_1M("keyed.memory-1m", KeyedMemory1m.class, KeyedMemory1m.SUBJECTS, "B a key"),
    KEYED_ATTACK("keyed.attack", KeyedAttack.class, KeyedAttack.SUBJECTS, "ns"),
    CONCURRENCY_PERMIT("concurrency.permit", ConcurrencyPermit.class),
    CONCURRENCY_ADAPTIVE("concurrency.adaptive", ConcurrencyAdaptive.class),
    QUEUE_OFFER_POLL("queue.offer-poll", QueueOfferPoll.class),
    PICK_ROUNDROBIN("pick.roundrobin", PickRoundrobin.class),
    PICK_WEIGHTED10("pick.weighted10", PickWeighted10.class),
    PICK_P2C("pick.p2c", PickP2c.class),
    PICK_EWMA("pick.ewma", PickEwma.class),
    PICK_1000_ENDPOINTS("pick.1000endpoints", Pick1000endpoints.class),
    PICK_LEASTINFLIGHT10("pick.leastinflight10", PickLeastinflight10.class),
    HASH_MAGLEV("hash.maglev", HashMaglev.class),
    /** Milliseconds, and the bytes of a table. */
    HASH_MAGLEV_BUILD("hash.maglev.build", HashMaglevBuild.class, Double.POSITIVE_INFINITY),
    HASH_RING_10X160("hash.ring10x160", HashRing10x160.class),
    HASH_JUMP1000("hash.jump1000", HashJump1000.class),
    HASH_STRING20("hash.string20", HashString20.class),
    CACHE_HIT("cache.hit", CacheHit.class),
    CACHE_HIT_EXACTCLOCK("cache.hit.exactclock", CacheHitExactclock.class),
    /** An entry for each value, and what is in flight while it is loaded. */
    CACHE_MISS("cache.miss", CacheMiss.class, Double.POSITIVE_INFINITY),
    CACHE_NEGATIVEHIT("cache.negativehit", CacheNegativehit.class),
    /** A map with ten entries. */
    CACHE_GETALL10("cache.getall10", CacheGetall10.class, Double.POSITIVE_INFINITY),
    CACHE_WRITEBEHIND_PUT("cache.writebehind.put", CacheWritebehindPut.class, Double.POSITIVE_INFINITY),
    CACHE_WRITEBEHIND_DURABLE("cache.writebehind.durable", CacheWritebehindDurable.class, Double.POSITIVE_INFINITY),
    CACHE_WRITEBEHIND_FSYNCED("cache.writebehind.fsynced", CacheWritebehindFsynced.class, Double.POSITIVE_INFINITY),
    /** Threads and futures of the callers. */
    CACHE_STAMPEDE("cache.stampede", CacheStampede.class, Double.POSITIVE_INFINITY),
    /** A round trip of some hundred microseconds, of which the server is a part; so the middle one counts. */
    HTTP_CLIENT_BLOCKING("http.client.blocking", HttpClientBlocking.class, Double.POSITIVE_INFINITY, Mode.SampleTime),
    HTTP_CLIENT_ASYNC("http.client.async", HttpClientAsync.class, Double.POSITIVE_INFINITY, Mode.SampleTime),
    /** What Spring's proxy makes for a call. */
    SPRING_GUARDED("spring.guarded", SpringGuarded.class, Double.POSITIVE_INFINITY),
    /** The connection, the statement, and what H2 makes for them. */
    JDBC_PRIMARY("jdbc.primary", JdbcPrimary.class, Double.POSITIVE_INFINITY),
    JDBC_REPLICA("jdbc.replica", JdbcReplica.class, Double.POSITIVE_INFINITY);

    final String id;
    final Class<?> benchmark;
    /** How many bytes a call of levee's may allocate. */
    final double mostBytes;
    /** What is measured by the program that the class is, at one thread; empty if it is a JMH class. */
    @SuppressWarnings("ImmutableEnumChecker") // of List.of
    final List<String> programSubjects;
    /** Of what there are so many: nanoseconds of a call, unless a program measures something else. */
    final String unit;
    /** The average time of calls, or, sampled, the p50 of their latencies side by side. */
    final Mode mode;

    /** A question whose answer may allocate nothing. */
    Question(String id, Class<?> benchmark) {
        this(id, benchmark, 0);
    }

    Question(String id, Class<?> benchmark, double mostBytes) {
        this(id, benchmark, mostBytes, Mode.AverageTime);
    }

    Question(String id, Class<?> benchmark, double mostBytes, Mode mode) {
        this.id = id;
        this.benchmark = benchmark;
        this.mostBytes = mostBytes;
        this.mode = mode;
        this.programSubjects = List.of();
        this.unit = "ns";
    }

    /** A question that a program answers, in a JVM of its own, with a line for each subject; see {@link Program}. */
    Question(String id, Class<?> program, List<String> subjects, String unit) {
        this.id = id;
        this.benchmark = program;
        this.mostBytes = Double.POSITIVE_INFINITY;
        this.mode = Mode.SingleShotTime;
        this.programSubjects = subjects;
        this.unit = unit;
    }

    /** Whether it is asked at so many threads. */
    boolean isAskedAt(int threads) {
        return programSubjects.isEmpty() || threads == 1;
    }

    /** The subjects of this question, by the names of the class's methods. */
    List<String> subjects() {
        if (!programSubjects.isEmpty()) {
            return programSubjects;
        }
        return Arrays.stream(benchmark.getDeclaredMethods())
                .filter(method -> method.isAnnotationPresent(Benchmark.class))
                .map(Method::getName)
                .map(Question::subject)
                .sorted()
                .toList();
    }

    /** The names of the methods that are those subjects. */
    List<String> methods(Collection<String> subjects) {
        return Arrays.stream(benchmark.getDeclaredMethods())
                .filter(method -> method.isAnnotationPresent(Benchmark.class))
                .map(Method::getName)
                .filter(method -> subjects.contains(subject(method)))
                .sorted()
                .toList();
    }

    /** What a method is called in the table: {@code bucket4jLockfree} is {@code bucket4j-lockfree}. */
    static String subject(String method) {
        return method.replaceAll("(?<=[a-z0-9])(?=[A-Z])", "-").toLowerCase(Locale.ROOT);
    }

    @Override
    public String toString() {
        return id;
    }
}
