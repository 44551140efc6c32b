package dev.levee.cache;

import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.levee.core.Deadline;
import dev.levee.core.Environment;
import dev.levee.core.testing.PlantedFault;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Function;
import org.jetbrains.lincheck.datastructures.IntGen;
import org.jetbrains.lincheck.datastructures.ModelCheckingOptions;
import org.jetbrains.lincheck.datastructures.Operation;
import org.jetbrains.lincheck.datastructures.Param;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/** Every interleaving of a few changes of one key that depend on what it has: like a variable with a value or none. */
class ConditionalInterleavingsTest {
    @Test
    void changes_of_a_cache_alone_are_linearizable() {
        options(6).check(Alone.class);
    }

    @Test
    void changes_of_a_cache_that_writes_through_are_linearizable() {
        options(5).check(Through.class);
    }

    @Test
    void a_look_and_a_change_in_two_steps_are_caught() {
        assertThatThrownBy(() -> options(40).check(TwoSteps.class)).satisfies(PlantedFault::isCaught);
    }

    private static ModelCheckingOptions options(int scenarios) {
        return CacheInterleavingsTest.options(scenarios).sequentialSpecification(Variable.class);
    }

    /** What it must be equivalent to; zero is no value. */
    public static class Variable {
        private int value;

        public int get() {
            return value;
        }

        public void set(int to) {
            value = to;
        }

        public void remove() {
            value = 0;
        }

        public int putIfAbsent(int to) {
            int was = value;
            value = was == 0 ? to : was;
            return was;
        }

        public boolean replace(int from, int to) {
            boolean has = value == from;
            value = has ? to : value;
            return has;
        }

        public boolean removeIf(int from) {
            boolean has = value == from;
            value = has ? 0 : value;
            return has;
        }

        public void forget() {}
    }

    /** The operations; few values, so that conditions hold. */
    @Param(name = "value", gen = IntGen.class, conf = "1:2")
    abstract static class Operations {
        final Cache<Integer, Integer> cache;

        Operations(Cache<Integer, Integer> cache) {
            this.cache = cache;
        }

        static Environment environment() {
            return Environment.builder().scheduler(new ParkingScheduler()).build();
        }

        @Operation
        public abstract int get();

        static int number(@Nullable Integer value) {
            return value == null ? 0 : value;
        }

        @Operation
        public void set(@Param(name = "value") int to) {
            cache.put(1, to);
        }

        @Operation
        public void remove() {
            cache.remove(1);
        }

        @Operation
        public int putIfAbsent(@Param(name = "value") int to) {
            return number(cache.putIfAbsent(1, to));
        }

        @Operation
        public boolean replace(@Param(name = "value") int from, @Param(name = "value") int to) {
            return cache.replace(1, from, to);
        }

        @Operation
        public boolean removeIf(@Param(name = "value") int from) {
            return cache.remove(1, from);
        }
    }

    public static class Alone extends Operations {
        public Alone() {
            this(InFlight::new);
        }

        Alone(Function<Entries<Integer, Integer>, InFlight<Integer, Integer>> table) {
            super(new LocalCache<>(
                    "one",
                    null,
                    CacheConfig.<Integer, Integer>builder()
                            .expireAfter(Deadline.FOREVER)
                            .build(),
                    environment(),
                    table));
        }

        @Override
        public int get() {
            return number(cache.getIfPresent(1));
        }
    }

    public static class Through extends Operations {
        public Through() {
            super(new LocalCache<>(
                    "one",
                    new Row(),
                    CacheConfig.<Integer, Integer>builder()
                            .expireAfter(Deadline.FOREVER)
                            .writeThrough()
                            .build(),
                    environment()));
        }

        @Override
        public int get() {
            return number(cache.get(1));
        }

        @Operation
        public void forget() {
            cache.invalidate(1);
        }
    }

    private static final class Row implements Store<Integer, Integer> {
        final AtomicInteger value = new AtomicInteger();

        @Override
        public @Nullable Integer load(Integer key) {
            int read = value.get();
            return read == 0 ? null : read;
        }

        @Override
        public void save(Integer key, Integer to) {
            value.set(to);
        }

        @Override
        public void delete(Integer key) {
            value.set(0);
        }
    }

    public static class TwoSteps extends Alone {
        public TwoSteps() {
            super(Trusting::new);
        }

        /** Changes without a second look. */
        private static final class Trusting extends InFlight<Integer, Integer> {
            Trusting(Entries<Integer, Integer> entries) {
                super(entries);
            }

            @Override
            boolean changeIf(Integer key, @Nullable CacheEntry<Integer> seen, @Nullable CacheEntry<Integer> entry) {
                change(key, entry);
                return true;
            }
        }
    }
}
