package dev.levee.cache.writebehind;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.catchThrowable;

import dev.levee.core.policy.Backoff;
import dev.levee.core.testing.ManualTime;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Writes of a key in a full room while others of that key are on their way to the journal: they need one place. */
class SharedPlacesTest {
    private static final Duration SECOND = Duration.ofSeconds(1);

    private final ManualTime time = new ManualTime();
    private final RowStore store = new RowStore();
    private final MemoryJournal<String, String> journal = new MemoryJournal<>();
    private WriteBehind<String, String> writes = make(c -> {});

    private WriteBehind<String, String> make(Consumer<WriteBehindConfig.Builder<String, String>> configure) {
        MemoryJournal<String, String> empty = journal.reopened();
        empty.before = step -> journal.before.at(step);
        return WriteBehind.of(
                "rows",
                store,
                c -> configure.accept(c.journal(empty)
                        .workers(1)
                        .maxPending(1)
                        .maxBytes(10, (key, value) -> value == null ? 0 : value.length())
                        .whenFull(WriteOverflow.REFUSE)
                        .backoff(Backoff.fixed(SECOND))),
                time.environment());
    }

    /** Does something while a write is being appended. */
    private void during(String append, Callable<?> step) {
        journal.before = it -> {
            if (it.equals(append)) {
                try {
                    step.call();
                } catch (RuntimeException | Error thrown) {
                    throw thrown;
                } catch (Exception thrown) {
                    throw new AssertionError(thrown);
                }
            }
        };
    }

    private Void save(String key, String value) throws Exception {
        writes.save(key, value);
        return null;
    }

    private void assertRefused(String key) {
        assertThatExceptionOfType(WriteRefusedException.class).isThrownBy(() -> writes.save(key, "x"));
    }

    private void assertEmpty() throws Exception {
        time.advance(SECOND);
        assertThat(WriteBehindTest.metrics(writes)).containsEntry("bytes", 0.0);
        writes.save("z", "0123456789");
        assertThat(WriteBehindTest.metrics(writes)).containsEntry("bytes", 10.0);
        time.advance(SECOND);
        assertThat(store.rows).containsEntry("z", "0123456789");
    }

    @AfterEach
    void the_counts_add_up() {
        WriteBehindTest.assertAddsUp(writes.counts());
    }

    @ParameterizedTest
    @EnumSource(
            value = WriteOverflow.class,
            names = {"REFUSE", "DROP_OLDEST"})
    void one_that_overtakes_the_first_of_its_key_replaces_it(WriteOverflow whenFull) throws Exception {
        writes = make(c -> c.whenFull(whenFull));
        during("append 1", () -> {
            save("a", "two");
            assertRefused("b");
            return null;
        });
        writes.save("a", "one");
        assertThat(writes.load("a")).isEqualTo("two");
        assertThat(writes.counts().dropped()).isZero();
        time.advance(SECOND);
        assertThat(store.log).contains("save a two").doesNotContain("save a one");
        assertEmpty();
    }

    @ParameterizedTest
    @EnumSource(
            value = WriteOverflow.class,
            names = {"REFUSE", "DROP_OLDEST"})
    void any_number_come_while_a_pending_one_is_replaced(WriteOverflow whenFull) throws Exception {
        writes = make(c -> c.whenFull(whenFull));
        writes.save("a", "one");
        during("append 2", () -> {
            save("a", "three");
            writes.delete("a");
            return save("a", "five");
        });
        writes.save("a", "two");
        assertThat(writes.load("a")).isEqualTo("five");
        assertThat(writes.counts().pending()).isEqualTo(1);
        time.advance(SECOND);
        assertThat(store.log).containsExactly("save a five");
        assertEmpty();
    }

    @Test
    void the_place_is_that_of_the_others_if_an_append_fails() throws Exception {
        IllegalArgumentException unfit = new IllegalArgumentException("too large");
        during("append 1", () -> {
            save("a", "two");
            throw unfit;
        });
        assertThat(catchThrowable(() -> writes.save("a", "one"))).isSameAs(unfit);
        assertRefused("b");
        assertThat(writes.load("a")).isEqualTo("two");
        assertEmpty();
        assertThat(store.rows).containsEntry("a", "two");
    }

    @Test
    void all_that_fail_leave_the_room_empty() throws Exception {
        IllegalArgumentException unfit = new IllegalArgumentException("too large");
        journal.before = step -> {
            if (step.equals("append 1")) {
                assertThat(catchThrowable(() -> writes.save("a", "7 bytes"))).isSameAs(unfit);
            }
            throw unfit;
        };
        assertThat(catchThrowable(() -> writes.save("a", "one"))).isSameAs(unfit);
        journal.before = step -> {};
        assertEmpty();
    }

    @Test
    void they_need_the_bytes_of_the_largest() throws Exception {
        during("append 1", () -> {
            save("a", "0123456789");
            assertRefused("a", "0123456789-");
            return save("a", "1");
        });
        writes.save("a", "one");
        assertThat(WriteBehindTest.metrics(writes)).containsEntry("bytes", 1.0);
        assertThat(writes.load("a")).isEqualTo("1");
        assertEmpty();
    }

    private void assertRefused(String key, String value) {
        assertThatExceptionOfType(WriteRefusedException.class).isThrownBy(() -> writes.save(key, value));
    }

    @Test
    void none_goes_to_the_store_before_one_is_left_and_then_it_does() throws Exception {
        writes = make(c -> c.delay(Duration.ZERO));
        during("append 1", () -> {
            save("a", "two");
            time.runReady();
            assertThat(store.log).isEmpty();
            assertRefused("a"); // its turn has come: another one would put it off
            return null;
        });
        writes.save("a", "one");
        time.runReady();
        assertThat(store.log).containsExactly("save a two");
        assertEmpty();
    }

    @ParameterizedTest
    @ValueSource(longs = {1, 2, 3, 4, 5, 6, 7, 8})
    void under_threads_the_bound_holds_and_all_room_comes_back(long seed) throws Exception {
        writes = make(c -> c.maxPending(2).delay(Duration.ZERO));
        Random fails = new Random(seed);
        journal.before = step -> {
            Thread.onSpinWait();
            boolean refuses;
            synchronized (fails) {
                refuses = step.startsWith("append") && fails.nextInt(10) == 0;
            }
            if (refuses) {
                throw new IllegalArgumentException("unfit");
            }
        };
        ExecutorService threads = Executors.newFixedThreadPool(4);
        List<Future<?>> ends = new ArrayList<>();
        for (int thread = 0; thread < 4; thread++) {
            Random random = new Random(seed * 31 + thread);
            ends.add(threads.submit(() -> {
                for (int i = 0; i < 400; i++) {
                    String key = random.nextBoolean() ? "a" : "b";
                    Throwable thrown = catchThrowable(() -> writes.save(key, "12345".substring(random.nextInt(5))));
                    assertThat(thrown == null
                                    || thrown instanceof WriteRefusedException
                                    || thrown instanceof IllegalArgumentException)
                            .as("%s", thrown)
                            .isTrue();
                    WriteBehindCounts counts = writes.counts();
                    assertThat(counts.pending() + counts.inFlight()).isLessThanOrEqualTo(2);
                }
                return null;
            }));
        }
        while (!ends.stream().allMatch(Future::isDone)) {
            time.runReady();
            Thread.onSpinWait();
        }
        for (Future<?> end : ends) {
            end.get(10, TimeUnit.SECONDS);
        }
        threads.shutdown();
        journal.before = step -> {};
        time.advance(SECOND);
        assertThat(WriteBehindTest.metrics(writes)).containsEntry("bytes", 0.0).containsEntry("pending", 0.0);
        writes.save("x", "1");
        writes.save("y", "1");
        assertRefused("z");
    }
}
