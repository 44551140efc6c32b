package dev.levee.benchmarks.limits;

import com.github.benmanes.caffeine.cache.Cache;
import com.github.benmanes.caffeine.cache.Caffeine;
import dev.levee.ratelimit.KeyedRateLimiter;
import dev.levee.ratelimit.Limit;
import io.github.bucket4j.Bucket;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.SplittableRandom;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.ToLongFunction;

/**
 * {@code keyed.attack}: what one of 100 000 known keys costs a thread while another one asks for 10^7 random keys, in a
 * limiter of 200 000 keys; and while that one makes the same keys and asks for none ({@code undisturbed}), so that both
 * share the machine in the same way. A map of buckets is not asked: it would grow without bound.
 *
 * <pre>benchmarks/compare '^keyed.attack$'</pre>
 */
public final class KeyedAttack {
    /** What is measured. */
    public static final List<String> SUBJECTS =
            List.of("levee", "levee-undisturbed", "bucket4j-caffeine", "bucket4j-caffeine-undisturbed");

    private static final String UNDISTURBED = "-undisturbed";
    private static final int KNOWN = 100_000;
    private static final int MAX_KEYS = 200_000;
    private static final long RANDOM_KEYS = 10_000_000;
    private static final int ROUNDS = 5;
    private static final int BLOCK = 1_000;

    /** Of Student's distribution with 4 degrees of freedom. */
    private static final double T_999 = 8.61;

    private KeyedAttack() {}

    /**
     * Measures, and prints a row for each subject: nanoseconds a call of a known key, and their error. The subjects of
     * one limiter take turns.
     *
     * @param arguments the subjects
     * @throws InterruptedException if it is interrupted
     */
    public static void main(String... arguments) throws InterruptedException {
        ZipfKeys keys = new ZipfKeys(KNOWN);
        double[][] figures = new double[arguments.length][ROUNDS];
        for (int round = -1; round < ROUNDS; round++) { // one to warm up
            for (int i = 0; i < arguments.length; i++) {
                double nanos = round(
                        limiter(arguments[i].replace(UNDISTURBED, "")), keys, !arguments[i].endsWith(UNDISTURBED));
                if (round >= 0) {
                    figures[i][round] = nanos;
                }
            }
        }
        for (int i = 0; i < arguments.length; i++) {
            Arrays.sort(figures[i]);
            double mean = Arrays.stream(figures[i]).average().orElse(0);
            double squares = Arrays.stream(figures[i])
                    .map(each -> (each - mean) * (each - mean))
                    .sum();
            double error = T_999 * Math.sqrt(squares / (ROUNDS - 1)) / Math.sqrt(ROUNDS);
            System.out.printf(Locale.ROOT, "row %s %.2f %.2f 0%n", arguments[i], figures[i][ROUNDS / 2], error);
        }
        System.exit(0);
    }

    private static ToLongFunction<String> limiter(String name) {
        if (name.equals("levee")) {
            KeyedRateLimiter<String> limiter = KeyedRateLimiter.of(
                    "keys",
                    config -> config.limit(
                                    Limit.perSecond(KeyedLimiters.PER_SECOND).burst(KeyedLimiters.BURST))
                            .maxKeys(MAX_KEYS));
            return limiter::tryAcquireOrWaitNanos;
        }
        Cache<String, Bucket> buckets = Caffeine.newBuilder()
                .maximumSize(MAX_KEYS)
                .expireAfterAccess(Duration.ofMinutes(1))
                .executor(Runnable::run)
                .build();
        return key -> buckets.get(key, KeyedLimiters::newBucket).tryConsume(1) ? 0 : 1;
    }

    /** Calls for known keys until the other thread has made all of its own. */
    private static double round(ToLongFunction<String> limiter, ZipfKeys keys, boolean attacked)
            throws InterruptedException {
        for (int i = 0; i < 2 * KNOWN; i++) {
            var unused = limiter.applyAsLong(keys.get(i));
        }
        AtomicBoolean done = new AtomicBoolean();
        Thread attacker = new Thread(() -> {
            SplittableRandom random = new SplittableRandom(42);
            long sum = 0;
            for (long i = 0; i < RANDOM_KEYS; i++) {
                String key = Long.toHexString(random.nextLong());
                sum += attacked ? limiter.applyAsLong(key) : key.length();
            }
            if (sum == 1) {
                System.out.println();
            }
            done.set(true);
        });
        attacker.start();
        long calls = 0;
        long sum = 0;
        long start = System.nanoTime();
        long end = start;
        while (!done.get()) {
            for (int i = 0; i < BLOCK; i++) {
                sum += limiter.applyAsLong(keys.get((int) calls + i));
            }
            calls += BLOCK;
            end = System.nanoTime();
        }
        attacker.join();
        if (sum == 1) {
            System.out.println();
        }
        return (end - start) / (double) calls;
    }
}
