package dev.levee.cache;

import static org.assertj.core.api.Assertions.assertThat;

import dev.levee.core.Environment;
import dev.levee.core.Operation;
import dev.levee.core.Readings;
import dev.levee.core.testing.EndOfStack;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;

/** Loads and writes that use up their stack: nothing stays in flight, and each key can be loaded and written after. */
class EndOfStackOfLoadsTest {
    private static final int OVERFLOWS = 400;
    /** Few, so that keys share the cells of tables. */
    private static final int CACHED = 50;

    private final Environment environment = Environment.closeable("end-of-stack");
    private final Cache<Long, Long> aside =
            Cache.of("aside", c -> c.maxSize(CACHED).totals(true), environment);
    private final Cache<Long, Long> through =
            Cache.over("through", new Recursive(), c -> c.writeThrough().maxSize(CACHED), environment);
    private final AtomicLong keys = new AtomicLong();

    /** What the store of the thread does next. */
    private Operation<Long, RuntimeException> next = () -> 1L;

    /** A store whose writes are the guarded code. */
    private final class Recursive implements Store<Long, Long> {
        @Override
        public Long load(Long key) {
            return key;
        }

        @Override
        public void save(Long key, Long value) {
            next.run();
        }

        @Override
        public void delete(Long key) {
            next.run();
        }
    }

    private List<EndOfStack.Form> forms() {
        return List.of(
                operation -> Objects.requireNonNull(aside.get(keys.incrementAndGet(), key -> operation.run())),
                operation -> { // hits, which do maintenance of Caffeine's
                    for (long key = 0; key < CACHED; key++) {
                        aside.getIfPresent(key % 8);
                    }
                    return operation.run();
                },
                operation -> {
                    List<Long> two = List.of(keys.incrementAndGet(), keys.incrementAndGet());
                    return aside.getAll(two, asked -> Map.of(two.get(0), operation.run(), two.get(1), 1L))
                            .getOrDefault(two.get(0), 1L);
                },
                operation -> {
                    aside.put(keys.incrementAndGet() % CACHED, 1L);
                    aside.invalidate(keys.incrementAndGet() % CACHED);
                    return operation.run();
                },
                operation -> {
                    next = operation;
                    through.put(keys.incrementAndGet(), 1L);
                    return 1L;
                },
                operation -> {
                    next = operation;
                    through.remove(keys.incrementAndGet());
                    return 1L;
                });
    }

    private void nothing_stays_in_flight(long stackSize) throws Exception {
        EndOfStack.overflow(OVERFLOWS, stackSize, forms());
        next = () -> 1L;
        for (Cache<Long, Long> cache : List.of(aside, through)) {
            assertThat(Readings.of(cache, "cache.loading")).as(cache.name()).isZero();
        }
        CompletableFuture.runAsync(
                        () -> { // from another thread: a lock that is held would not end
                            for (long key = 0; key <= keys.get(); key++) {
                                long found = key;
                                through.put(key, key);
                                aside.invalidate(key);
                                assertThat(aside.get(key, k -> found)).isEqualTo(key);
                                assertThat(through.get(key)).isEqualTo(key);
                            }
                        })
                .get(60, TimeUnit.SECONDS);
        environment.close();
    }

    @Test
    void nothing_stays_in_flight_on_a_small_stack() throws Exception {
        nothing_stays_in_flight(EndOfStack.SMALL);
    }

    @Test
    void nothing_stays_in_flight_on_a_stack_of_the_default_size() throws Exception {
        nothing_stays_in_flight(EndOfStack.DEFAULT);
    }
}
