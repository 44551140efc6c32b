package dev.levee.cache.writebehind;

import static org.assertj.core.api.Assertions.assertThat;

import dev.levee.cache.Cache;
import dev.levee.core.policy.Backoff;
import dev.levee.core.testing.ManualTime;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Combinators;
import net.jqwik.api.EdgeCasesMode;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import net.jqwik.api.Tuple;
import org.jspecify.annotations.Nullable;

/**
 * Random histories of a cache in front of a write-behind with a journal and a store that fails in every way, against a
 * map: what was acknowledged is read and reaches the store, through evictions, crashes and closes, and the store never
 * gets an older write of a key after a newer one.
 */
class WriteBehindModelTest {
    private static final List<String> KEYS = List.of("a", "b", "c", "d");

    private enum Kind {
        SAVE,
        DELETE,
        GET,
        EVICT,
        ADVANCE,
        FLUSH,
        STORE_FAILS_BEFORE,
        STORE_FAILS_AFTER,
        STORE_FAILS_IN_THE_MIDDLE,
        STORE_TAKES_ONE,
        STORE_HAS_A_POISON,
        STORE_TALKS_NONSENSE,
        MEND,
        CRASH,
        CRASH_BEFORE_A_STEP,
        CRASH_AFTER_A_STEP,
        CLOSE,
        REPLAY,
        DISCARD
    }

    private record Step(Kind kind, String key, int number) {}

    @Provide
    Arbitrary<List<Step>> histories() {
        Arbitrary<Kind> kinds = Arbitraries.frequencyOf(
                Tuple.of(6, Arbitraries.of(Kind.SAVE, Kind.DELETE, Kind.GET, Kind.ADVANCE)),
                Tuple.of(3, Arbitraries.of(Kind.values())),
                Tuple.of(1, Arbitraries.just(Kind.MEND)));
        return Combinators.combine(
                        kinds, Arbitraries.of(KEYS), Arbitraries.integers().between(0, 1500))
                .as(Step::new)
                .list()
                .ofMinSize(20)
                .ofMaxSize(200);
    }

    @Property(tries = 500, edgeCases = EdgeCasesMode.NONE)
    void what_was_acknowledged_is_read_and_reaches_the_store_in_order(
            @ForAll("histories") List<Step> history, @ForAll long origin, @ForAll boolean givesUp) {
        World world = new World(origin, givesUp);
        for (Step step : history) {
            world.apply(step);
        }
        world.settle();
    }

    /** Everything that a history acts on, and what must be seen of it. */
    private static final class World {
        private final ManualTime time;
        private final boolean givesUp;
        private final Map<String, String> rows = new HashMap<>();
        private final Map<String, Long> applied = new HashMap<>();
        private final List<String> done = new ArrayList<>();
        private final List<PendingWrite<String, String>> outOfOrder = new ArrayList<>();

        /** What a read may return: one value, or two after a write whose outcome is not known. */
        private final Map<String, Set<String>> allowed = new HashMap<>();

        private MemoryJournal<String, String> journal = new MemoryJournal<>();
        private WriteBehind<String, String> writes;
        private Cache<String, String> cache;
        private Kind mode = Kind.MEND;
        private String poison = "";
        private int values;

        World(long origin, boolean givesUp) {
            time = ManualTime.startingAt(origin);
            this.givesUp = givesUp;
            KEYS.forEach(key -> allow(key, null));
            writes = writes();
            cache = cache();
        }

        private WriteBehind<String, String> writes() {
            return WriteBehind.batching(
                    "rows",
                    new Rows(),
                    c -> c.journal(journal)
                            .workers(2)
                            .batchSize(3)
                            .delay(Duration.ofMillis(500))
                            .maxTries(3)
                            .maxDead(givesUp ? 3 : 0)
                            .whenDead(DeadKey.KEEP)
                            .backoff(Backoff.exponential(Duration.ofMillis(100), Duration.ofSeconds(1))),
                    time.environment());
        }

        private Cache<String, String> cache() {
            return Cache.over("rows", writes, c -> c.writeThrough(), time.environment());
        }

        void apply(Step step) {
            String key = step.key;
            done.add(step.toString());
            try {
                switch (step.kind) {
                    case SAVE -> save(key);
                    case DELETE -> delete(key);
                    case GET -> read(key);
                    case EVICT -> cache.invalidate(key);
                    case ADVANCE -> time.advance(Duration.ofMillis(step.number));
                    case FLUSH -> {
                        writes.flush(Duration.ZERO);
                        time.runReady();
                    }
                    case CRASH -> restart(step.number % 2 == 0);
                    case CRASH_BEFORE_A_STEP -> journal.before = it -> crash(step.number % 2 == 0);
                    case CRASH_AFTER_A_STEP -> journal.after = it -> crash(step.number % 2 == 0);
                    case CLOSE -> {
                        writes.close(Duration.ZERO);
                        restart(false);
                    }
                    case REPLAY -> replay();
                    case DISCARD -> discard();
                    case STORE_HAS_A_POISON -> {
                        mode = step.kind;
                        poison = key;
                    }
                    default -> mode = step.kind;
                }
            } catch (AssertionError wrong) {
                throw new AssertionError(String.join("\n", done), wrong);
            }
            WriteBehindTest.assertAddsUp(writes.counts());
            assertThat(outOfOrder).as("%s", done).isEmpty();
        }

        private void crash(boolean bringsBack) throws IOException {
            journal.crash(bringsBack);
            throw new IOException("killed");
        }

        /** The process is gone, with all of its memory; the next one begins. */
        private void restart(boolean bringsBack) {
            journal.crash(bringsBack);
            writes.close(Duration.ZERO);
            journal = journal.reopened();
            writes = writes();
            cache = cache();
            for (DeadWrite<String, String> letter : writes.deadWrites()) {
                String key = letter.write().key();
                allowed.get(key).add(String.valueOf(rows.get(key))); // it is not kept beyond the process
            }
        }

        private void save(String key) {
            String value = key + ++values;
            write(key, value, () -> cache.put(key, value));
        }

        private void delete(String key) {
            write(key, null, () -> cache.remove(key));
        }

        private void write(String key, @Nullable String value, Runnable call) {
            try {
                call.run();
                allow(key, value);
            } catch (WriteRefusedException refused) {
                assertThat(refused.reason()).isEqualTo(WriteRefusedException.Reason.JOURNAL);
                if (refused.mayHaveRun()) {
                    allowed.get(key).add(String.valueOf(value));
                }
                restart(false);
            }
        }

        private void allow(String key, @Nullable String value) {
            allowed.put(key, new HashSet<>(Set.of(String.valueOf(value))));
        }

        private void read(String key) {
            if (mode == Kind.STORE_FAILS_BEFORE) {
                return; // it cannot be read
            }
            String value = String.valueOf(cache.get(key));
            assertThat(allowed.get(key)).as(key).contains(value);
            allowed.put(key, new HashSet<>(Set.of(value)));
        }

        private void replay() {
            for (DeadWrite<String, String> letter : writes.deadWrites()) {
                String key = letter.write().key();
                try {
                    if (writes.replay(letter)) {
                        allow(key, letter.write().value());
                    }
                } catch (WriteRefusedException refused) {
                    allowed.get(key).add(String.valueOf(letter.write().value()));
                    restart(false);
                    return;
                }
            }
        }

        private void discard() {
            for (DeadWrite<String, String> letter : writes.deadWrites()) {
                String key = letter.write().key();
                allowed.get(key).add(String.valueOf(rows.get(key)));
                try {
                    assertThat(writes.discard(letter)).isTrue();
                } catch (WriteRefusedException refused) {
                    restart(false);
                    return;
                }
            }
        }

        /** In the end everything that was acknowledged is in the store. */
        void settle() {
            restart(true);
            mode = Kind.MEND;
            replay();
            time.advance(Duration.ofMinutes(1));
            assertThat(writes.flush(Duration.ZERO)).as("%s", done).isTrue();
            for (String key : KEYS) {
                assertThat(allowed.get(key)).as("%s in %s", key, done).contains(String.valueOf(rows.get(key)));
                assertThat(cache.get(key)).isEqualTo(rows.get(key));
            }
        }

        /** The store, in the mood of the moment. */
        private final class Rows implements BatchStore<String, String> {
            @Override
            public @Nullable String load(String key) {
                return rows.get(key);
            }

            @Override
            @SuppressWarnings("NullAway") // nonsense is part of the test
            public Map<String, ? extends Throwable> write(List<PendingWrite<String, String>> batch) throws Exception {
                return switch (mode) {
                    case STORE_FAILS_BEFORE -> throw new IOException("before");
                    case STORE_FAILS_AFTER -> {
                        batch.forEach(this::take);
                        throw new IOException("after");
                    }
                    case STORE_FAILS_IN_THE_MIDDLE -> {
                        batch.subList(0, batch.size() / 2).forEach(this::take);
                        throw new StackOverflowError("in the middle");
                    }
                    case STORE_TAKES_ONE -> {
                        take(batch.get(0));
                        Map<String, Throwable> failures = new HashMap<>();
                        batch.subList(1, batch.size()).forEach(it -> failures.put(it.key(), new IOException("no")));
                        yield failures;
                    }
                    case STORE_HAS_A_POISON -> {
                        if (batch.stream().anyMatch(it -> it.key().equals(poison))) {
                            throw new IllegalArgumentException(poison);
                        }
                        batch.forEach(this::take);
                        yield Map.of();
                    }
                    case STORE_TALKS_NONSENSE -> values % 2 == 0 ? null : Map.of("z", new IOException("foreign"));
                    default -> {
                        batch.forEach(this::take);
                        yield Map.of();
                    }
                };
            }

            private void take(PendingWrite<String, String> write) {
                if (write.sequence() < applied.getOrDefault(write.key(), 0L)) {
                    outOfOrder.add(write); // an exception would be a failure of the store
                }
                applied.put(write.key(), write.sequence());
                if (write.value() == null) {
                    rows.remove(write.key());
                } else {
                    rows.put(write.key(), write.value());
                }
            }
        }
    }
}
