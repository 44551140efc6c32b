package dev.levee.cache;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.offset;

import com.github.benmanes.caffeine.cache.Caffeine;
import com.github.benmanes.caffeine.cache.LoadingCache;
import dev.levee.core.testing.ManualTime;
import java.time.Duration;
import java.util.Random;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.IntStream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * A cache finds as many keys as Caffeine alone, on traces whose shape is that of those in the literature: what is
 * evicted is decided by Caffeine, which has to learn of every hit. The traces themselves (of ARC, LIRS and others)
 * cannot be passed on, so that these are made.
 */
class HitRatioTest {
    private static final int KEYS = 20_000;
    private static final int REQUESTS = 200_000;
    private static final int MAX_SIZE = 1_000;

    /** Caffeine draws lots itself: one run in some differs from the next by 0.04, so the mean of several counts. */
    private static final int RUNS = 3;

    /** By how much the means of two caches differ. */
    private static final double SAME = 0.02;

    /** In a circle what was drawn first decides about the rest. */
    private static final double SAME_IN_A_LOOP = 0.06;

    /** Requests for keys. */
    enum Trace {
        /** A few keys are asked for most of the time, as on the web. */
        ZIPF {
            @Override
            IntStream keys() {
                return zipf(0.9, 7).limit(REQUESTS);
            }
        },
        /** As above, and every now and then all keys once, as by a report: what LRU lets wash everything away. */
        ZIPF_WITH_SCANS {
            @Override
            IntStream keys() {
                IntStream usual = zipf(0.9, 7).limit(REQUESTS);
                AtomicInteger at = new AtomicInteger();
                return usual.flatMap(key ->
                        at.incrementAndGet() % 20_000 == 0 ? IntStream.range(KEYS, KEYS + 10_000) : IntStream.of(key));
            }
        },
        /** More keys than fit, in a circle, for which LRU finds none: the loop of the paper on LIRS. */
        LOOP {
            @Override
            IntStream keys() {
                return IntStream.range(0, REQUESTS).map(i -> i % (MAX_SIZE + MAX_SIZE / 2));
            }
        },
        /** Other keys become popular all the time, for which LFU is too slow. */
        SHIFTING {
            @Override
            IntStream keys() {
                AtomicInteger at = new AtomicInteger();
                return zipf(0.9, 7).limit(REQUESTS).map(key -> key + at.incrementAndGet() / 20);
            }
        };

        abstract IntStream keys();

        private static IntStream zipf(double exponent, long seed) {
            double[] sums = new double[KEYS];
            double sum = 0;
            for (int i = 0; i < KEYS; i++) {
                sum += 1 / Math.pow(i + 1, exponent);
                sums[i] = sum;
            }
            double all = sum;
            Random random = new Random(seed);
            return IntStream.generate(() -> {
                int at = java.util.Arrays.binarySearch(sums, random.nextDouble() * all);
                return at < 0 ? -at - 1 : at;
            });
        }
    }

    @ParameterizedTest
    @EnumSource
    void is_that_of_Caffeine(Trace trace) {
        AtomicInteger requests = new AtomicInteger();
        AtomicInteger missed = new AtomicInteger();
        AtomicInteger missedAlone = new AtomicInteger();
        for (int run = 0; run < RUNS; run++) {
            Cache<Integer, Integer> cache = Cache.over(
                    "traced",
                    key -> {
                        missed.incrementAndGet();
                        return key;
                    },
                    c -> c.maxSize(MAX_SIZE).expireAfter(Duration.ofHours(1)),
                    new ManualTime().environment());
            LoadingCache<Integer, Integer> alone = Caffeine.newBuilder()
                    .maximumSize(MAX_SIZE)
                    .executor(Runnable::run)
                    .build(key -> {
                        missedAlone.incrementAndGet();
                        return key;
                    });

            trace.keys().forEach(key -> {
                requests.incrementAndGet();
                assertThat(cache.get(key)).isEqualTo(alone.get(key));
            });
        }

        double ratio = 1 - missed.get() / requests.doubleValue();
        double ratioAlone = 1 - missedAlone.get() / requests.doubleValue();
        System.out.printf("%s: %.3f, Caffeine %.3f%n", trace, ratio, ratioAlone);
        assertThat(ratio).isCloseTo(ratioAlone, offset(trace == Trace.LOOP ? SAME_IN_A_LOOP : SAME));
    }
}
