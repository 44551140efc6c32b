package dev.levee.cache.writebehind;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.catchThrowable;

import dev.levee.cache.writebehind.WriteRefusedException.Reason;
import dev.levee.core.CallContext;
import dev.levee.core.Deadline;
import dev.levee.core.InterruptedWaitException;
import dev.levee.core.policy.Backoff;
import dev.levee.core.testing.ManualTime;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;

class WriteRoomTest {
    private static final Duration SECOND = Duration.ofSeconds(1);

    private final ManualTime time = new ManualTime();
    private final RowStore store = new RowStore();
    private WriteBehind<String, String> writes = make(c -> {});

    private WriteBehind<String, String> make(Consumer<WriteBehindConfig.Builder<String, String>> configure) {
        return WriteBehind.of(
                "rows",
                store,
                c -> configure.accept(c.workers(2).maxPending(2).backoff(Backoff.fixed(SECOND))),
                time.environment());
    }

    @AfterEach
    void the_counts_add_up() {
        WriteBehindTest.assertAddsUp(writes.counts());
    }

    private FutureTask<Void> start(Callable<Void> call) {
        FutureTask<Void> task = new FutureTask<>(call);
        time.start(task);
        time.awaitSleepers(1);
        return task;
    }

    private Callable<Void> saving(String key, String value) {
        return () -> {
            writes.save(key, value);
            return null;
        };
    }

    private static Throwable failure(FutureTask<?> task) {
        return catchThrowable(() -> task.get(10, TimeUnit.SECONDS)).getCause();
    }

    private void assertRefused(Throwable thrown, Reason reason) {
        assertThat(thrown).isInstanceOfSatisfying(WriteRefusedException.class, refused -> {
            assertThat(refused.reason()).isEqualTo(reason);
            assertThat(refused.mayHaveRun()).isFalse();
            assertThat(refused.policy()).isEqualTo("rows");
        });
    }

    private void fill() throws Exception {
        writes.save("a", "1");
        writes.save("b", "1");
    }

    @Nested
    class Refusing {
        @Test
        void a_write_without_room_is_refused_at_once_and_said_so() throws Exception {
            writes = make(c -> c.whenFull(WriteOverflow.REFUSE));
            fill();
            Throwable thrown = catchThrowable(() -> writes.save("c", "1"));
            assertRefused(thrown, Reason.FULL);
            assertThat(thrown).hasMessage("write-behind \"rows\" refused a write: it is full");
            assertThat(WriteBehindTest.metrics(writes)).containsEntry("refused", 1.0);
            time.runReady();
            writes.save("c", "1");
        }

        @Test
        void a_write_that_replaces_a_pending_one_needs_no_room() throws Exception {
            writes = make(c -> c.whenFull(WriteOverflow.REFUSE));
            fill();
            writes.save("a", "2");
            writes.delete("b");
            assertThat(writes.counts().pending()).isEqualTo(2);
        }

        @Test
        void what_is_on_its_way_or_has_failed_keeps_its_room() throws Exception {
            writes = make(c -> c.whenFull(WriteOverflow.REFUSE));
            fill();
            store.before = call -> {
                assertThat(writes.counts().inFlight()).isPositive();
                assertRefused(catchThrowable(() -> writes.save("c", "1")), Reason.FULL);
                throw new IOException("no");
            };
            time.advance(SECOND);
            assertRefused(catchThrowable(() -> writes.save("c", "1")), Reason.FULL);
        }

        @Test
        void bytes_are_bounded_as_well_and_a_replaced_value_gives_back_its_own() throws Exception {
            writes = make(c -> c.maxPending(100)
                    .maxBytes(10, (key, value) -> value == null ? 1 : value.length())
                    .whenFull(WriteOverflow.REFUSE));
            writes.save("a", "123456");
            assertRefused(catchThrowable(() -> writes.save("b", "12345")), Reason.FULL);
            writes.save("a", "1");
            assertThat(WriteBehindTest.metrics(writes)).containsEntry("bytes", 1.0);
            writes.save("b", "123456789");
            assertRefused(catchThrowable(() -> writes.save("a", "12")), Reason.FULL);
            writes.delete("a");
            time.advance(SECOND);
            assertThat(WriteBehindTest.metrics(writes)).containsEntry("bytes", 0.0);
            assertRefused(catchThrowable(() -> writes.save("b", "12345678901")), Reason.FULL);
        }

        @Test
        void weights_near_the_largest_long_do_not_wrap() throws Exception {
            writes = make(c ->
                    c.maxBytes(Long.MAX_VALUE, (key, value) -> Long.MAX_VALUE).whenFull(WriteOverflow.REFUSE));
            writes.save("a", "1");
            assertRefused(catchThrowable(() -> writes.save("b", "1")), Reason.FULL);
            time.advance(SECOND);
            writes.save("b", "1");
        }
    }

    @Nested
    class Blocking {
        @Test
        void a_caller_waits_until_there_is_room_and_what_waits_does_not_wait_for_its_delay() throws Exception {
            writes = make(c -> c.delay(Duration.ofHours(1)));
            fill();
            FutureTask<Void> third = start(saving("c", "1"));
            time.runReady();
            third.get(10, TimeUnit.SECONDS);
            assertThat(store.rows).containsOnlyKeys("a", "b");
            assertThat(writes.load("c")).isEqualTo("1");
        }

        @Test
        void no_longer_than_the_maximum_and_nothing_is_lost() throws Exception {
            store.failAt("save");
            writes = make(c -> c.maxWait(SECOND.multipliedBy(3)));
            fill();
            FutureTask<Void> third = start(saving("c", "1"));
            time.advance(SECOND.multipliedBy(3).minusNanos(1));
            assertThat(third).isNotDone();
            time.advance(Duration.ofNanos(1));
            assertRefused(failure(third), Reason.FULL);
            store.mend();
            time.advance(Duration.ofMinutes(1));
            assertThat(store.rows).containsOnlyKeys("a", "b");
        }

        @Test
        void no_longer_than_the_deadline_of_the_call() throws Exception {
            store.failAt("save");
            writes = make(c -> c.maxWait(Deadline.FOREVER));
            fill();
            Deadline deadline = Deadline.after(SECOND, time.environment().clock());
            FutureTask<Void> third =
                    start(() -> CallContext.current().withDeadline(deadline).call(saving("c", "1")::call));
            time.advance(SECOND);
            assertRefused(failure(third), Reason.FULL);
        }

        @Test
        void an_interrupt_ends_the_wait_and_stays_set() throws Exception {
            store.failAt("save");
            fill();
            boolean[] flag = new boolean[1];
            Thread[] thread = new Thread[1];
            FutureTask<Void> third = start(() -> {
                thread[0] = Thread.currentThread();
                try {
                    writes.save("c", "1");
                } finally {
                    flag[0] = Thread.currentThread().isInterrupted();
                }
                return null;
            });
            thread[0].interrupt();
            assertThat(failure(third)).isInstanceOf(InterruptedWaitException.class);
            assertThat(flag[0]).isTrue();
            assertThat(writes.counts().accepted()).isEqualTo(2);
        }

        @Test
        void first_come_first_served_also_when_a_large_write_waits_in_front() throws Exception {
            store.failAt("save a");
            writes = make(c -> c.maxPending(100)
                    .maxWait(Deadline.FOREVER)
                    .maxBytes(10, (key, value) -> value == null ? 0 : value.length()));
            writes.save("a", "1234567890");
            FutureTask<Void> large = start(saving("b", "123456789"));
            FutureTask<Void> small = new FutureTask<>(saving("c", "12"));
            time.start(small);
            time.awaitSleepers(2);
            writes.save("a", "12345");
            time.runReady();
            assertThat(small).as("must not overtake").isNotDone();
            writes.save("a", "1");
            time.runReady();
            large.get(10, TimeUnit.SECONDS);
            assertThat(writes.load("b")).isEqualTo("123456789");
            store.mend();
            time.advance(Duration.ofMinutes(1));
            small.get(10, TimeUnit.SECONDS);
        }

        @Test
        void a_close_refuses_those_that_wait() throws Exception {
            store.failAt("save");
            fill();
            FutureTask<Void> third = start(saving("c", "1"));
            WriteBehindReport<String, String> report = writes.close(Duration.ZERO);
            assertRefused(failure(third), Reason.CLOSED);
            assertThat(report.left()).hasSize(2);
        }
    }

    @Nested
    class WritingThrough {
        @Test
        void the_caller_writes_itself_and_gets_what_the_store_throws() throws Exception {
            writes = make(c -> c.whenFull(WriteOverflow.WRITE_THROUGH).delay(Duration.ofHours(1)));
            fill();
            Thread[] on = new Thread[1];
            store.before = call -> on[0] = Thread.currentThread();
            writes.save("c", "1");
            assertThat(on[0]).isSameAs(Thread.currentThread());
            assertThat(store.rows).containsOnlyKeys("c");
            store.failAt("save c");
            assertThatExceptionOfType(IOException.class).isThrownBy(() -> writes.save("c", "2"));
            assertThat(writes.counts()).isEqualTo(new WriteBehindCounts(3, 1, 0, 0, 0, 0, 2, 0));
        }

        @Test
        void it_comes_after_the_earlier_writes_of_its_key() throws Exception {
            writes = make(c -> c.whenFull(WriteOverflow.WRITE_THROUGH)
                    .maxPending(100)
                    .delay(Duration.ofHours(1))
                    .maxBytes(5, (key, value) -> value == null ? 0 : value.length()));
            writes.save("a", "12345");
            FutureTask<Void> second = start(saving("a", "123456"));
            assertThat(store.log).isEmpty();
            time.runReady();
            second.get(10, TimeUnit.SECONDS);
            assertThat(store.log).containsExactly("save a 12345", "save a 123456");
        }

        @Test
        void while_it_writes_later_writes_of_the_key_wait_for_it() throws Exception {
            writes = make(c -> c.whenFull(WriteOverflow.WRITE_THROUGH).delay(Duration.ZERO));
            fill();
            store.before = call -> {
                if (call.equals("save c 1")) {
                    time.runReady();
                    writes.save("c", "2");
                    assertThat(writes.load("c")).isEqualTo("2");
                    time.runReady();
                    assertThat(store.log).doesNotContain("save c 2");
                }
            };
            writes.save("c", "1");
            time.advance(SECOND);
            assertThat(store.log).endsWith("save c 1", "save c 2");
        }

        @Test
        void it_waits_no_longer_than_the_maximum() throws Exception {
            store.failAt("save");
            writes = make(c -> c.whenFull(WriteOverflow.WRITE_THROUGH)
                    .maxPending(100)
                    .maxBytes(5, (key, value) -> value == null ? 0 : value.length()));
            writes.save("a", "12345");
            FutureTask<Void> second = start(saving("a", "123456"));
            time.advance(SECOND);
            assertRefused(failure(second), Reason.FULL);
            assertThat(writes.load("a")).isEqualTo("12345");
        }
    }

    @Nested
    class Dropping {
        @Test
        void the_oldest_that_is_not_on_its_way_is_given_up_counted_and_told() throws Exception {
            List<String> told = new ArrayList<>();
            writes = make(c -> c.whenFull(WriteOverflow.DROP_OLDEST));
            writes.whenChanged(told::add);
            writes.save("a", "1");
            time.advance(Duration.ofMillis(1));
            writes.save("b", "1");
            time.advance(Duration.ofMillis(1));
            writes.save("c", "1");
            assertThat(told).containsExactly("a");
            assertThat(writes.counts()).isEqualTo(new WriteBehindCounts(3, 0, 0, 0, 1, 0, 2, 0));
            time.advance(SECOND);
            assertThat(store.rows).containsOnlyKeys("b", "c");
        }

        @Test
        void if_all_are_on_their_way_the_new_one_is_refused() throws Exception {
            writes = make(c -> c.workers(1).whenFull(WriteOverflow.DROP_OLDEST));
            fill();
            List<Throwable> thrown = new ArrayList<>();
            store.before = call -> {
                if (call.equals("save a 1")) {
                    thrown.add(catchThrowable(() -> writes.save("c", "1")));
                }
            };
            time.advance(SECOND);
            assertThat(thrown).hasSize(1);
            assertRefused(thrown.get(0), Reason.FULL);
        }

        @Test
        void none_is_given_up_where_that_would_not_make_room_enough() throws Exception {
            writes = make(c -> c.workers(1)
                    .maxPending(10)
                    .batchSize(1)
                    .maxBytes(10, (key, value) -> value == null ? 0 : value.length())
                    .whenFull(WriteOverflow.DROP_OLDEST));
            writes.save("a", "12345678");
            writes.save("b", "1");
            List<Throwable> thrown = new ArrayList<>();
            store.before = call -> {
                if (call.equals("save a 12345678")) {
                    writes.save("c", "1");
                    thrown.add(catchThrowable(() -> writes.save("d", "123")));
                    assertThat(writes.counts().dropped()).isZero();
                    writes.save("e", "12");
                }
            };
            time.advance(SECOND);
            assertRefused(thrown.get(0), Reason.FULL);
            assertThat(store.rows).containsOnlyKeys("a", "e");
            assertThat(writes.counts()).isEqualTo(new WriteBehindCounts(4, 2, 0, 0, 2, 0, 0, 0));
        }

        @Test
        void a_store_that_is_down_for_long_keeps_no_more_than_the_bound() throws Exception {
            store.failAt("save");
            writes = make(c -> c.whenFull(WriteOverflow.DROP_OLDEST));
            for (int i = 0; i < 1000; i++) {
                writes.save("k" + i, "1");
                time.advance(Duration.ofMillis(7));
            }
            assertThat(writes.counts().pending()).isEqualTo(2);
            store.mend();
            time.advance(Duration.ofMinutes(1));
            assertThat(store.rows).containsOnlyKeys("k998", "k999");
        }
    }
}
