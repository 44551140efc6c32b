package dev.levee.cache;

import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.levee.core.Environment;
import dev.levee.core.testing.LongForm;
import dev.levee.core.testing.ModelChecking;
import dev.levee.core.testing.PlantedFault;
import java.time.temporal.ChronoUnit;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Function;
import org.jetbrains.lincheck.datastructures.IntGen;
import org.jetbrains.lincheck.datastructures.ModelCheckingOptions;
import org.jetbrains.lincheck.datastructures.Operation;
import org.jetbrains.lincheck.datastructures.Param;
import org.junit.jupiter.api.Test;

/** Every interleaving of a few operations on one key: store and cache together behave like one variable. */
class CacheInterleavingsTest {
    @Test
    void aCacheBesideAStoreThatChangesIsLinearizable() {
        options(8).check(Aside.class);
    }

    @Test
    void aCacheThatWritesThroughIsLinearizable() {
        options(8).check(Through.class);
    }

    @Test
    void aCacheThatTakesAValueFromAnOverhauledLoadIsCaught() {
        assertThatThrownBy(() -> options(40).check(AsideMutant.class)).satisfies(PlantedFault::isCaught);
    }

    static ModelCheckingOptions options(int scenarios) {
        return ModelChecking.optionsThatTrust(Entries.class, ConcurrentHashMap.class, ConcurrentLinkedQueue.class)
                .threads(2)
                .actorsPerThread(2)
                .actorsBefore(1)
                .actorsAfter(1)
                .iterations(LongForm.iterations(scenarios))
                .invocationsPerIteration(LongForm.invocations(200))
                .sequentialSpecification(Variable.class);
    }

    /** What it must be equivalent to. */
    public static class Variable {
        private int value;

        public int get() {
            return value;
        }

        public void set(int to) {
            value = to;
        }

        public void forget() {}

        public void forgetAll() {}
    }

    private static final class Row implements Store<Integer, Integer> {
        final AtomicInteger value = new AtomicInteger();

        @Override
        public Integer load(Integer key) {
            return value.get();
        }

        @Override
        public void save(Integer key, Integer to) {
            value.set(to);
        }

        @Override
        public void delete(Integer key) {
            throw new UnsupportedOperationException();
        }
    }

    /** The operations; zero in the row is a value like any other. */
    @Param(name = "value", gen = IntGen.class, conf = "1:9")
    abstract static class Operations {
        final Row row = new Row();
        final Cache<Integer, Integer> cache;

        Operations(
                CacheConfig.Builder<Integer, Integer> config,
                Function<Entries<Integer, Integer>, InFlight<Integer, Integer>> table) {
            cache = new LocalCache<>(
                    "one",
                    row,
                    config.expireAfter(ChronoUnit.FOREVER.getDuration()).build(),
                    Environment.builder().scheduler(new ParkingScheduler()).build(),
                    table);
        }

        @Operation
        public int get() {
            Integer value = cache.get(1);
            return value == null ? -1 : value;
        }

        @Operation
        public abstract void set(@Param(name = "value") int to);

        @Operation
        public void forget() {
            cache.invalidate(1);
        }
    }

    public static class Aside extends Operations {
        public Aside() {
            this(InFlight::new);
        }

        Aside(Function<Entries<Integer, Integer>, InFlight<Integer, Integer>> table) {
            super(CacheConfig.builder(), table);
        }

        @Override
        public void set(int to) {
            row.save(1, to);
            cache.invalidate(1);
        }

        @Operation
        public void forgetAll() {
            cache.invalidateAll();
        }
    }

    public static class Through extends Operations {
        public Through() {
            this(InFlight::new);
        }

        Through(Function<Entries<Integer, Integer>, InFlight<Integer, Integer>> table) {
            super(CacheConfig.<Integer, Integer>builder().writeThrough(), table);
        }

        @Override
        public void set(int to) {
            cache.put(1, to);
        }
    }

    public static class AsideMutant extends Aside {
        public AsideMutant() {
            super(Trusting::new);
        }

        /** Puts what a load brings, whatever has happened since it began. */
        private static final class Trusting extends InFlight<Integer, Integer> {
            private final Entries<Integer, Integer> entries;

            Trusting(Entries<Integer, Integer> entries) {
                super(entries);
                this.entries = entries;
            }

            @Override
            void endLoad(Integer key, PendingLoad<Integer> ended, CacheEntry<Integer> entry) {
                if (entry != null) {
                    entries.put(key, entry, entries.current());
                }
                super.endLoad(key, ended, null);
            }
        }
    }
}
