package dev.levee.cache;

import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.levee.core.Environment;
import dev.levee.core.testing.LongForm;
import dev.levee.core.testing.ModelChecking;
import dev.levee.core.testing.PlantedFault;
import java.lang.ref.ReferenceQueue;
import java.time.temporal.ChronoUnit;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicInteger;
import org.jetbrains.lincheck.datastructures.IntGen;
import org.jetbrains.lincheck.datastructures.ModelCheckingOptions;
import org.jetbrains.lincheck.datastructures.Operation;
import org.jetbrains.lincheck.datastructures.Param;
import org.junit.jupiter.api.Test;

/** Every interleaving of a few single and bulk loads with invalidations of a tag: cache and row are one variable. */
class TagInterleavingsTest {
    @Test
    void a_cache_whose_store_changes_and_then_its_tag_is_invalidated_is_linearizable() {
        options(3).check(Tagged.class);
    }

    @Test
    void tags_that_miss_loads_whose_tags_are_not_known_are_caught() {
        assertThatThrownBy(() -> options(40).check(TaggedMutant.class)).satisfies(PlantedFault::isCaught);
    }

    private static ModelCheckingOptions options(int scenarios) {
        return ModelChecking.optionsThatTrust(
                        Entries.class,
                        LinkedHashMap.class,
                        LinkedHashSet.class,
                        ReferenceQueue.class,
                        ConcurrentHashMap.class,
                        ConcurrentLinkedQueue.class)
                .threads(2)
                .actorsPerThread(2)
                .actorsBefore(1)
                .actorsAfter(1)
                .iterations(LongForm.iterations(scenarios))
                .invocationsPerIteration(LongForm.invocations(100))
                .sequentialSpecification(OneVariable.class);
    }

    /** What it must be equivalent to. */
    public static class OneVariable {
        private int value;

        public int get() {
            return value;
        }

        public int getAll() {
            return value;
        }

        public void set(int to) {
            value = to;
        }

        public void forgetTag() {}
    }

    @Param(name = "value", gen = IntGen.class, conf = "1:9")
    public static class Tagged {
        private final AtomicInteger row = new AtomicInteger();
        private final LocalCache<Integer, Integer> cache;

        public Tagged() {
            this(new Tags());
        }

        Tagged(Tags tags) {
            cache = new LocalCache<>(
                    "one",
                    new OneRow(),
                    CacheConfig.<Integer, Integer>builder()
                            .expireAfter(ChronoUnit.FOREVER.getDuration())
                            .tags((key, value) -> List.of("t"))
                            .build(),
                    Environment.builder().scheduler(new ParkingScheduler()).build(),
                    InFlight::new,
                    tags);
        }

        private final class OneRow implements BulkLoader<Integer, Integer> {
            @Override
            public Map<Integer, Integer> loadAll(Set<Integer> keys) {
                Map<Integer, Integer> rows = new LinkedHashMap<>();
                keys.forEach(key -> rows.put(key, row.get()));
                return rows;
            }

            @Override
            public Integer load(Integer key) {
                return row.get();
            }
        }

        @Operation
        public int get() {
            Integer value = cache.get(1);
            return value == null ? -1 : value;
        }

        @Operation
        public int getAll() {
            return cache.getAll(List.of(1)).getOrDefault(1, -1);
        }

        @Operation
        public void set(@Param(name = "value") int to) {
            row.set(to);
            cache.invalidateTag("t");
        }

        @Operation
        public void forgetTag() {
            cache.invalidateTag("t");
        }
    }

    public static class TaggedMutant extends Tagged {
        public TaggedMutant() {
            super(new Forgetting());
        }

        private static final class Forgetting extends Tags {
            @Override
            long epochOfUnknown(String name) {
                return 0;
            }
        }
    }
}
