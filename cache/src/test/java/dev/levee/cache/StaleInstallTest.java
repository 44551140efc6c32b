package dev.levee.cache;

import static org.assertj.core.api.Assertions.assertThat;

import dev.levee.core.testing.LongForm;
import java.util.HashMap;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * The promise that what was read before an invalidation is not cached after it, in random schedules of
 * {@link StoreRace}: none is stale, and each fault that is known from other caches is found. A build looks at 30,000
 * schedules of 30 operations and more, the long form at 1,000,000.
 */
class StaleInstallTest {
    private static final int IN_BUILDS = 30_000;
    private static final int IN_LONG_FORM = 1_000_000;

    /** How many schedules may be needed until a planted fault is found. */
    private static final int ENOUGH = 20_000;

    @Test
    @Timeout(value = 1, unit = TimeUnit.HOURS)
    void no_schedule_leaves_or_hands_out_a_value_that_was_read_before_an_invalidation() {
        boolean isLong = LongForm.iterations(1) > 1;
        assertThat(firstStale(isLong ? IN_LONG_FORM : IN_BUILDS, Fault.NONE)).isNull();
    }

    @ParameterizedTest
    @EnumSource(mode = EnumSource.Mode.EXCLUDE, names = "NONE")
    void a_planted_fault_is_found(Fault fault) {
        assertThat(firstStale(ENOUGH, fault)).isNotNull().doesNotContain("failed: ");
    }

    private static @Nullable String firstStale(int schedules, Fault fault) {
        for (int seed = 0; seed < schedules; seed++) {
            String stale = StoreRace.run(seed, fault.making);
            if (stale != null) {
                return "seed " + seed + ": " + stale;
            }
        }
        return null;
    }

    /** What other caches have got wrong. */
    @SuppressWarnings("ImmutableEnumChecker")
    private enum Fault {
        NONE(InFlight::new, new Plain()),
        /** Clears what is there, and not what is being loaded for the first time. */
        CLEAR_MISSES_FIRST_LOADS(ClearsEntries::new, new Plain()),
        /** Removes the entry of a key, and lets its load put its value. */
        INVALIDATION_FORGETS_THE_FLIGHT(RemovesEntries::new, new Plain()),
        /** Removes the load of a key without a look at which one it is. */
        FLIGHT_REMOVED_WITHOUT_COMPARE(EndsAnyLoad::new, new Plain()),
        /** Removes a value that is compared, and lets its load put its value. */
        COMPARED_REMOVAL_FORGETS_THE_FLIGHT(ComparesEntries::new, new Plain()),
        /** Puts what a load brings, whatever has happened since it began. */
        LOADS_ALWAYS_PUT(AlwaysPuts::new, new Plain()),
        /** Callers that come after all was invalidated share a load that began before. */
        LATER_CALLERS_JOIN(SharesOldLoads::new, new Plain()),
        /** Invalidates only the tags that entries have already. */
        TAG_MISSES_UNKNOWN_LOADS(InFlight::new, () -> new Tags() {
            @Override
            long epochOfUnknown(String name) {
                return 0;
            }
        }),
        /** Takes the time at which a load ended for that at which it began. */
        TAG_EPOCH_OF_THE_END(InFlight::new, () -> new Tags() {
            @Override
            Tags.@Nullable Stamp of(Set<String> names, long epoch) {
                return super.of(names, now());
            }
        });

        final StoreRace.Making making;

        Fault(Function<Entries<Integer, StoreRace.Row>, InFlight<Integer, StoreRace.Row>> table, Supplier<Tags> tags) {
            making = (loader, config, environment) ->
                    new LocalCache<>("race", loader, config, environment, table, tags.get());
        }
    }

    private static final class Plain implements Supplier<Tags> {
        @Override
        public Tags get() {
            return new Tags();
        }
    }

    private static class Mutant extends InFlight<Integer, StoreRace.Row> {
        final Entries<Integer, StoreRace.Row> entries;

        Mutant(Entries<Integer, StoreRace.Row> entries) {
            super(entries);
            this.entries = entries;
        }
    }

    private static final class ClearsEntries extends Mutant {
        ClearsEntries(Entries<Integer, StoreRace.Row> entries) {
            super(entries);
        }

        @Override
        void removeAll() {
            for (int key = 0; key < StoreRace.KEYS; key++) {
                entries.remove(key, entries.current());
            }
        }
    }

    private static final class RemovesEntries extends Mutant {
        RemovesEntries(Entries<Integer, StoreRace.Row> entries) {
            super(entries);
        }

        @Override
        void change(Integer key, @Nullable CacheEntry<StoreRace.Row> entry) {
            if (entry == null) {
                entries.remove(key, entries.current());
            } else {
                super.change(key, entry);
            }
        }
    }

    private static final class ComparesEntries extends Mutant {
        ComparesEntries(Entries<Integer, StoreRace.Row> entries) {
            super(entries);
        }

        @Override
        boolean changeIf(
                Integer key, @Nullable CacheEntry<StoreRace.Row> seen, @Nullable CacheEntry<StoreRace.Row> entry) {
            if (entry != null) {
                return super.changeIf(key, seen, entry);
            }
            entries.remove(key, entries.current());
            return true;
        }
    }

    private static final class EndsAnyLoad extends Mutant {
        EndsAnyLoad(Entries<Integer, StoreRace.Row> entries) {
            super(entries);
        }

        @Override
        void endLoad(Integer key, PendingLoad<StoreRace.Row> ended, @Nullable CacheEntry<StoreRace.Row> entry) {
            PendingLoad<StoreRace.Row> other = startLoad(key, new PendingLoad<>(new Loading("race", key)));
            super.endLoad(key, other, entry);
        }
    }

    private static final class AlwaysPuts extends Mutant {
        AlwaysPuts(Entries<Integer, StoreRace.Row> entries) {
            super(entries);
        }

        @Override
        void endLoad(Integer key, PendingLoad<StoreRace.Row> ended, @Nullable CacheEntry<StoreRace.Row> entry) {
            if (entry != null) {
                entries.put(key, entry, entries.current());
            }
            super.endLoad(key, ended, null);
        }
    }

    private static final class SharesOldLoads extends Mutant {
        private final Map<Integer, PendingLoad<StoreRace.Row>> running = new HashMap<>();

        SharesOldLoads(Entries<Integer, StoreRace.Row> entries) {
            super(entries);
        }

        @Override
        PendingLoad<StoreRace.Row> startLoad(Integer key, PendingLoad<StoreRace.Row> candidate) {
            PendingLoad<StoreRace.Row> old = running.get(key);
            if (old != null && !old.hasEnded()) {
                return old;
            }
            PendingLoad<StoreRace.Row> load = super.startLoad(key, candidate);
            running.put(key, load);
            return load;
        }
    }
}
