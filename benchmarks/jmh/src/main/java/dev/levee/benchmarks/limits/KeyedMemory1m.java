package dev.levee.benchmarks.limits;

import com.github.benmanes.caffeine.cache.Cache;
import com.github.benmanes.caffeine.cache.Caffeine;
import com.sun.management.ThreadMXBean;
import dev.levee.ratelimit.KeyedRateLimiter;
import dev.levee.ratelimit.Limit;
import io.github.bucket4j.Bucket;
import java.lang.management.ManagementFactory;
import java.time.Duration;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;
import javax.management.JMException;
import javax.management.ObjectName;

/**
 * {@code keyed.memory-1m}: the bytes that a live key takes at a million keys, each of which has consumed a permit that
 * takes hours to come back. By the heap histogram before and after, and by what was allocated meanwhile, garbage of the
 * growth included. The text of the keys is counted for none, though a map keeps it alive and a table of fingerprints
 * does not.
 *
 * <pre>benchmarks/compare '^keyed.memory-1m$'</pre>
 */
public final class KeyedMemory1m {
    /** What is measured. */
    public static final List<String> SUBJECTS = List.of("levee", "bucket4j-map", "bucket4j-caffeine");

    private static final int KEYS = 1_000_000;
    private static final int ROUNDS = 3;
    private static final Duration PER = Duration.ofDays(1);
    private static final long BURST = 24;
    private static final ThreadMXBean THREADS = (ThreadMXBean) ManagementFactory.getThreadMXBean();

    private KeyedMemory1m() {}

    /**
     * Measures, and prints a row for each subject: bytes a key on the heap, their error, bytes a key allocated.
     *
     * @param arguments the subjects
     * @throws JMException if the JVM has no heap histogram
     */
    public static void main(String... arguments) throws JMException {
        String[] keys = new String[KEYS];
        for (int i = 0; i < KEYS; i++) {
            keys[i] = "10." + (i >> 16) + "." + (i >> 8 & 255) + "." + (i & 255);
        }
        for (String subject : arguments) {
            fill(subject, keys); // loads the classes
            double least = Double.MAX_VALUE;
            double most = 0;
            double sum = 0;
            double allocated = 0;
            for (int round = 0; round < ROUNDS; round++) {
                long heapBefore = heapBytes();
                long allocatedBefore = THREADS.getCurrentThreadAllocatedBytes();
                Object filled = fill(subject, keys);
                allocated += (THREADS.getCurrentThreadAllocatedBytes() - allocatedBefore) / (double) KEYS / ROUNDS;
                double bytes = (heapBytes() - heapBefore) / (double) KEYS;
                if (filled.hashCode() == 0) { // it lives until here
                    System.out.println();
                }
                least = Math.min(least, bytes);
                most = Math.max(most, bytes);
                sum += bytes;
            }
            System.out.printf(
                    Locale.ROOT, "row %s %.2f %.2f %.2f%n", subject, sum / ROUNDS, (most - least) / 2, allocated);
        }
        System.exit(0);
    }

    private static Object fill(String subject, String... keys) {
        return switch (subject) {
            case "levee" -> levee(keys);
            case "bucket4j-map" -> bucket4jMap(keys);
            case "bucket4j-caffeine" -> bucket4jCaffeine(keys);
            default -> throw new IllegalArgumentException(subject);
        };
    }

    private static Object levee(String... keys) {
        KeyedRateLimiter<String> limiter = KeyedRateLimiter.of(
                "keys", config -> config.limit(Limit.of(BURST, PER)).maxKeys(KEYS));
        for (String key : keys) {
            limiter.tryAcquireOrWaitNanos(key);
        }
        long[] lost = new long[1];
        limiter.measure((name, metric, value) -> lost[0] += metric.equals("limiter.keys.forgiven") ? (long) value : 0);
        if (limiter.size() + lost[0] < KEYS || lost[0] > KEYS / 1000) {
            throw new IllegalStateException(limiter + " has " + limiter.size() + " keys, and forgot " + lost[0]);
        }
        return limiter;
    }

    private static Bucket newBucket(String key) {
        Bucket bucket = Bucket.builder()
                .addLimit(limit -> limit.capacity(BURST).refillGreedy(BURST, PER))
                .build();
        bucket.tryConsume(1);
        return bucket;
    }

    private static Object bucket4jMap(String... keys) {
        ConcurrentMap<String, Bucket> buckets = new ConcurrentHashMap<>();
        for (String key : keys) {
            buckets.computeIfAbsent(key, KeyedMemory1m::newBucket);
        }
        return buckets;
    }

    private static Object bucket4jCaffeine(String... keys) {
        Cache<String, Bucket> buckets = Caffeine.newBuilder()
                .maximumSize(KEYS)
                .expireAfterAccess(PER)
                .executor(Runnable::run)
                .build();
        for (String key : keys) {
            var unused = buckets.get(key, KeyedMemory1m::newBucket);
        }
        return buckets;
    }

    /** The bytes of all objects that live, by a histogram after a full collection. */
    private static long heapBytes() throws JMException {
        String histogram = (String) ManagementFactory.getPlatformMBeanServer()
                .invoke(
                        new ObjectName("com.sun.management:type=DiagnosticCommand"),
                        "gcClassHistogram",
                        new Object[] {new String[0]},
                        new String[] {String[].class.getName()});
        String total = histogram
                .lines()
                .filter(line -> line.startsWith("Total"))
                .findFirst()
                .orElseThrow();
        return Long.parseLong(total.strip().split("\\s+", -1)[2]);
    }
}
