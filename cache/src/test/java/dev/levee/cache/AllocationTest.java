package dev.levee.cache;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.management.ThreadMXBean;
import dev.levee.core.Deadline;
import dev.levee.core.Environment;
import dev.levee.core.testing.ManualTime;
import java.lang.management.ManagementFactory;
import java.time.Duration;
import java.util.Random;
import java.util.function.IntConsumer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A hit allocates nothing: bytes of this thread over many hits, after enough of them to be compiled. */
class AllocationTest {
    private static final int HITS = 200_000;
    private static final Integer[] KEYS = new Integer[64];

    static {
        for (int i = 0; i < KEYS.length; i++) {
            KEYS[i] = 1_000 + i;
        }
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void aHitAllocatesNothing(boolean totals) {
        Cache<Integer, String> cache = Cache.over("hot", key -> "v" + key, c -> c.totals(totals));
        assertThat(bytesPerHit(i -> cache.get(KEYS[i & 63]))).isLessThan(0.01);
    }

    @Test
    void aHitWithALoaderThatCapturesNothingAllocatesNothing() {
        Cache<Integer, String> cache = Cache.of("hot");
        assertThat(bytesPerHit(i -> cache.get(KEYS[i & 63], key -> "v" + key))).isLessThan(0.01);
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void aHitWithEverythingOnAllocatesNothing(boolean coarse) {
        Cache<Integer, String> cache = everything(coarse, 0);
        assertThat(bytesPerHit(i -> cache.get(KEYS[i & 63]))).isLessThan(0.01);
    }

    @Test
    void aHitOfAnAbsentValueAllocatesNothing() {
        Cache<Integer, String> cache = Cache.over("hot", key -> null, c -> c.expireAbsentAfter(Deadline.FOREVER));
        assertThat(bytesPerHit(i -> cache.get(KEYS[i & 63]))).isLessThan(0.01);
    }

    /** At each hit a number is drawn: a load has taken a tenth of the life, and none of the numbers is small enough. */
    @Test
    void aHitThatDrawsANumberAllocatesNothing() {
        Cache<Integer, String> cache = everything(false, 1_000);
        assertThat(bytesPerHit(i -> cache.get(KEYS[i & 63]))).isLessThan(0.01);
    }

    private static Cache<Integer, String> everything(boolean coarse, long loadMillis) {
        ManualTime time = new ManualTime();
        Environment environment = time.environment().toBuilder()
                .random(new Random(1) {
                    @Override
                    public double nextDouble() {
                        return 0;
                    }
                })
                .build();
        return Cache.over(
                "hot",
                key -> {
                    time.advance(Duration.ofMillis(loadMillis));
                    return "v" + key;
                },
                c -> {
                    c.refreshAfter(Duration.ofMinutes(4))
                            .staleWhileRevalidate(Duration.ofMinutes(1))
                            .staleIfError(Duration.ofMinutes(10))
                            .expireAbsentAfter(Duration.ofSeconds(10))
                            .expireFailuresAfter(Duration.ofSeconds(10))
                            .earlyExpiry(10)
                            .totals(true);
                    if (coarse) {
                        c.coarseClock();
                    }
                },
                environment);
    }

    @Test
    void aHitOfGetIfPresentAllocatesNothing() {
        Cache<Integer, String> cache = Cache.of("hot");
        for (Integer key : KEYS) {
            cache.put(key, "v");
        }
        assertThat(bytesPerHit(i -> cache.getIfPresent(KEYS[i & 63]))).isLessThan(0.01);
    }

    private static double bytesPerHit(IntConsumer hit) {
        ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
        long id = Thread.currentThread().getId();
        double least = Double.MAX_VALUE;
        for (int round = 0; round < 5; round++) {
            long before = threads.getThreadAllocatedBytes(id);
            for (int i = 0; i < HITS; i++) {
                hit.accept(i);
            }
            least = Math.min(least, (double) (threads.getThreadAllocatedBytes(id) - before) / HITS);
        }
        return least;
    }
}
