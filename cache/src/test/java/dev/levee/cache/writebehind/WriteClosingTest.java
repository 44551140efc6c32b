package dev.levee.cache.writebehind;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import dev.levee.cache.writebehind.WriteRefusedException.Reason;
import dev.levee.core.Deadline;
import dev.levee.core.Environment;
import dev.levee.core.OutcomeRule;
import dev.levee.core.policy.Backoff;
import dev.levee.core.testing.ManualTime;
import java.io.IOException;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.FutureTask;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;

class WriteClosingTest {
    private static final Duration SECOND = Duration.ofSeconds(1);

    private final ManualTime time = new ManualTime();
    private final Environment threads =
            time.environment().toBuilder().executor(time::start).build();
    private final RowStore store = new RowStore();
    private final CountDownLatch release = new CountDownLatch(1);
    private WriteBehind<String, String> writes = make(c -> {}, time.environment());

    private WriteBehind<String, String> make(
            Consumer<WriteBehindConfig.Builder<String, String>> configure, Environment environment) {
        return WriteBehind.of(
                "rows", store, c -> configure.accept(c.workers(2).backoff(Backoff.fixed(SECOND))), environment);
    }

    @AfterEach
    void the_counts_add_up() {
        WriteBehindTest.assertAddsUp(writes.counts());
        release.countDown();
    }

    private <T> FutureTask<T> start(Callable<T> call) {
        FutureTask<T> task = new FutureTask<>(call);
        time.start(task);
        return task;
    }

    private static <T> T result(FutureTask<T> task) throws Exception {
        return task.get(10, TimeUnit.SECONDS);
    }

    private static void pass(CountDownLatch latch) {
        try {
            latch.await();
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }

    /** Blocks the calls that begin with a text, and returns what tells that one has come. */
    private CountDownLatch hold(String part) {
        CountDownLatch reached = new CountDownLatch(1);
        store.before = call -> {
            if (call.startsWith(part)) {
                reached.countDown();
                release.await();
            }
        };
        return reached;
    }

    @Nested
    class AFlush {
        @Test
        void sends_everything_without_its_delay_and_waits_for_it() throws Exception {
            writes = make(c -> c.delay(Duration.ofHours(1)), threads);
            writes.save("a", "1");
            writes.save("b", "1");
            FutureTask<Boolean> flush = start(() -> writes.flush(SECOND));
            time.runReady();
            assertThat(result(flush)).isTrue();
            assertThat(store.rows).containsOnlyKeys("a", "b");
        }

        @Test
        void covers_what_was_accepted_before_it_and_not_what_comes_later() throws Exception {
            CountDownLatch reached = hold("save a");
            writes = make(c -> c.delay(Duration.ofHours(1)), threads);
            writes.save("a", "1");
            FutureTask<Boolean> flush = start(() -> writes.flush(SECOND));
            reached.await();
            writes.save("a", "2");
            writes.save("b", "1");
            release.countDown();
            time.runReady();
            assertThat(result(flush)).isTrue();
            assertThat(store.log).containsExactly("save a 1");
        }

        @Test
        void covers_a_write_that_is_replaced_while_it_waits() throws Exception {
            store.failAt("save a 1");
            writes = make(c -> c.delay(Duration.ofHours(1)), threads);
            writes.save("a", "1");
            FutureTask<Boolean> flush = start(() -> writes.flush(Duration.ofMinutes(1)));
            time.runReady();
            writes.save("a", "2");
            assertThat(flush).isNotDone();
            time.advance(SECOND);
            assertThat(result(flush)).isTrue();
            assertThat(store.log).containsExactly("save a 2");
        }

        @Test
        void covers_the_newer_write_that_stands_for_one_that_has_failed() throws Exception {
            writes = make(c -> c.delay(Duration.ofHours(1)), time.environment());
            Boolean[] flushed = new Boolean[1];
            store.before = call -> {
                if (call.equals("save a 1")) {
                    writes.flush(Duration.ZERO);
                    writes.save("a", "2");
                    throw new java.io.IOException("no " + call);
                }
                flushed[0] = writes.flush(Duration.ZERO);
            };
            writes.save("a", "1");
            assertThat(writes.flush(Duration.ZERO)).isFalse();
            time.runReady();
            assertThat(store.log).containsExactly("save a 2");
            assertThat(flushed).containsExactly(false);
            assertThat(writes.flush(Duration.ZERO)).isTrue();
        }

        @Test
        void does_not_end_before_the_newer_write_of_one_that_has_failed_is_in_the_store() throws Exception {
            CountDownLatch reached = hold("save a 2");
            CountDownLatch second = new CountDownLatch(1);
            RowStore.Hook holding = store.before;
            store.before = call -> {
                if (call.equals("save a 1")) {
                    second.await();
                    throw new java.io.IOException("no " + call);
                }
                holding.at(call);
            };
            writes = make(c -> c.delay(Duration.ofHours(1)), threads);
            writes.save("a", "1");
            FutureTask<Boolean> flush = start(() -> writes.flush(Duration.ofMinutes(1)));
            time.awaitSleepers(1);
            writes.save("a", "2");
            time.advance(SECOND);
            second.countDown();
            reached.await();
            assertThat(flush).isNotDone();
            assertThat(WriteBehindTest.metrics(writes)).containsEntry("oldest.age.nanos", 1e9);
            release.countDown();
            assertThat(result(flush)).isTrue();
            assertThat(store.log).containsExactly("save a 2");
        }

        @Test
        void is_not_held_up_by_what_came_later_and_waits_for_its_delay() throws Exception {
            writes = make(c -> c.workers(1).delay(Duration.ofHours(1)), time.environment());
            store.before = call -> {
                if (call.equals("save a 1")) {
                    writes.save("a", "2");
                    writes.flush(Duration.ZERO);
                    writes.save("b", "1");
                }
            };
            writes.save("a", "1");
            writes.flush(Duration.ZERO);
            time.runReady();
            assertThat(store.log).startsWith("save a 1").contains("save a 2");
        }

        @Test
        void of_a_key_that_is_written_all_the_time_and_fails_lets_others_through() throws Exception {
            int[] newest = {1};
            store.before = call -> {
                if (call.startsWith("save a") && newest[0] < 50) {
                    writes.save("a", "" + ++newest[0]);
                    throw new java.io.IOException("no " + call);
                }
            };
            writes = make(c -> c.workers(1).batchSize(1).delay(Duration.ofHours(1)), time.environment());
            writes.save("a", "1");
            writes.save("b", "1");
            writes.flush(Duration.ZERO);
            time.runReady();
            assertThat(store.log).startsWith("save b 1").endsWith("save a 50");
        }

        @Test
        void ends_at_its_deadline_and_says_so() throws Exception {
            store.failAt("save");
            writes = make(c -> c.maxTries(1000), threads);
            writes.save("a", "1");
            FutureTask<Boolean> flush = start(() -> writes.flush(Deadline.after(SECOND, threads.clock())));
            time.awaitSleepers(1);
            time.advance(SECOND);
            assertThat(result(flush)).isFalse();
            assertThat(writes.counts().pending()).isEqualTo(1);
        }

        @Test
        void of_nothing_and_for_no_time_ends_at_once() throws Exception {
            assertThat(writes.flush(Duration.ZERO)).isTrue();
            writes.save("a", "1");
            assertThat(writes.flush(Duration.ZERO)).isFalse();
            time.runReady();
            assertThat(store.log).containsExactly("save a 1");
        }

        @Test
        void ends_when_a_write_becomes_a_dead_letter() throws Exception {
            store.failAt("save");
            writes = make(c -> c.maxTries(1), threads);
            writes.save("a", "1");
            FutureTask<Boolean> flush = start(() -> writes.flush(SECOND));
            time.runReady();
            assertThat(result(flush)).isTrue();
            assertThat(writes.deadWrites()).hasSize(1);
        }
    }

    @Nested
    class AClose {
        @Test
        void flushes_reports_and_refuses_what_comes_later() throws Exception {
            writes = make(c -> c.delay(Duration.ofHours(1)), threads);
            writes.save("a", "1");
            FutureTask<WriteBehindReport<String, String>> close = start(() -> writes.close(SECOND));
            time.runReady();
            WriteBehindReport<String, String> report = result(close);
            assertThat(report.counts()).isEqualTo(new WriteBehindCounts(1, 1, 0, 0, 0, 0, 0, 0));
            assertThat(report.left()).isEmpty();
            assertThat(report.kept()).isFalse();
            assertThatExceptionOfType(WriteRefusedException.class)
                    .isThrownBy(() -> writes.save("b", "1"))
                    .satisfies(refused -> {
                        assertThat(refused.reason()).isEqualTo(Reason.CLOSED);
                        assertThat(refused.retryAfterNanos()).isEqualTo(OutcomeRule.DO_NOT_RETRY);
                    });
            assertThat(writes.close(Duration.ZERO)).isSameAs(report);
            assertThat(time.pendingTimers()).isZero();
        }

        @Test
        void wakes_what_waits_for_its_backoff() throws Exception {
            writes = make(c -> c.backoff(Backoff.fixed(Duration.ofHours(1))), threads);
            store.failAt("save");
            writes.save("a", "1");
            time.advance(SECOND);
            store.mend();
            FutureTask<WriteBehindReport<String, String>> close = start(() -> writes.close(SECOND));
            time.runReady();
            assertThat(result(close).left()).isEmpty();
            assertThat(store.rows).containsKey("a");
        }

        @Test
        void goes_on_trying_until_its_deadline_and_returns_what_is_left_in_order() throws Exception {
            writes = make(c -> c.maxTries(1000), threads);
            store.failAt("save");
            writes.save("b", "1");
            writes.save("a", "1");
            writes.delete("c");
            FutureTask<WriteBehindReport<String, String>> close = start(() -> writes.close(SECOND.multipliedBy(3)));
            time.awaitSleepers(1);
            time.advance(SECOND.multipliedBy(3));
            assertThat(result(close).left()).extracting(PendingWrite::key).containsExactly("b", "a");
            assertThat(result(close).counts().returned()).isEqualTo(2);
            assertThat(writes.load("a")).isEqualTo("1");
        }

        @Test
        void ends_early_if_everything_that_is_left_would_be_tried_too_late() throws Exception {
            writes = make(c -> c.backoff(Backoff.fixed(Duration.ofHours(1))), threads);
            store.failAt("save");
            writes.save("a", "1");
            FutureTask<WriteBehindReport<String, String>> close = start(() -> writes.close(Duration.ofMinutes(1)));
            time.runReady();
            assertThat(result(close).left()).hasSize(1);
        }

        @Test
        void does_not_hang_on_a_store_that_does() throws Exception {
            writes = make(c -> c.delay(Duration.ZERO), threads);
            CountDownLatch reached = hold("save a");
            writes.save("a", "1");
            reached.await();
            FutureTask<WriteBehindReport<String, String>> close = start(() -> writes.close(SECOND));
            time.awaitSleepers(1);
            time.advance(SECOND);
            assertThat(result(close).left()).hasSize(1);
            WriteBehindCounts counts = writes.counts();
            release.countDown();
            time.runReady();
            assertThat(store.rows).containsKey("a");
            assertThat(writes.counts()).isEqualTo(counts);
        }

        @Test
        void stops_a_batch_between_its_rows() throws Exception {
            writes = make(c -> c.workers(1), threads);
            CountDownLatch reached = hold("save a");
            writes.save("a", "1");
            writes.save("b", "1");
            time.advance(SECOND);
            reached.await();
            assertThat(writes.close(Duration.ZERO).left()).hasSize(2);
            release.countDown();
            time.runReady();
            assertThat(store.rows).containsOnlyKeys("a");
        }

        @Test
        void two_at_a_time_give_the_same_report_at_the_earlier_deadline() throws Exception {
            writes = make(c -> c.delay(Duration.ZERO), threads);
            CountDownLatch reached = hold("save a");
            writes.save("a", "1");
            reached.await();
            FutureTask<WriteBehindReport<String, String>> first = start(() -> writes.close(Duration.ofHours(1)));
            time.awaitSleepers(1);
            WriteBehindReport<String, String> second = writes.close(Duration.ZERO);
            time.runReady();
            assertThat(result(first)).isSameAs(second);
        }

        @Test
        void two_at_a_time_end_when_the_journal_is_closed() throws Exception {
            MemoryJournal<String, String> journal = new MemoryJournal<>();
            CountDownLatch reached = new CountDownLatch(1);
            journal.closing = () -> {
                reached.countDown();
                pass(release);
            };
            writes = make(c -> c.journal(journal), threads);
            FutureTask<WriteBehindReport<String, String>> first = start(() -> writes.close(SECOND));
            reached.await();
            FutureTask<WriteBehindReport<String, String>> second = start(() -> {
                WriteBehindReport<String, String> report = writes.close(SECOND);
                assertThat(journal.closed).as("the journal is closed").isTrue();
                return report;
            });
            time.awaitSleepers(1);
            release.countDown();
            assertThat(result(second)).isSameAs(result(first));
        }

        @Test
        void an_interrupt_ends_it_as_the_deadline_does() throws Exception {
            store.failAt("save");
            writes.save("a", "1");
            Thread.currentThread().interrupt();
            try {
                assertThat(writes.close(Duration.ofHours(1)).left()).hasSize(1);
                assertThat(Thread.currentThread().isInterrupted()).isTrue();
            } finally {
                Thread.interrupted();
            }
        }

        @Test
        void as_a_resource_it_takes_the_time_that_was_set() throws Exception {
            writes = make(c -> c.closeWithin(SECOND.multipliedBy(2)).maxTries(1000), threads);
            store.failAt("save");
            writes.save("a", "1");
            FutureTask<Void> close = start(() -> {
                writes.close();
                return null;
            });
            time.awaitSleepers(1);
            time.advance(SECOND);
            assertThat(close).isNotDone();
            time.advance(SECOND);
            result(close);
            assertThat(writes.close(Duration.ZERO).left()).hasSize(1);
        }
    }

    @Nested
    class WithBrokenParts {
        @Test
        void a_store_that_hangs_stops_only_the_keys_of_its_worker() throws Exception {
            writes = make(c -> c.workers(8).delay(Duration.ZERO), threads);
            CountDownLatch reached = hold("save k0");
            writes.save("k0", "1");
            reached.await();
            for (int i = 1; i < 64; i++) {
                writes.save("k" + i, "1");
            }
            time.runReady();
            assertThat(store.rows).hasSizeGreaterThan(40);
            release.countDown();
            time.runReady();
            assertThat(store.rows).hasSize(64);
        }

        @Test
        void an_executor_that_rejects_is_asked_again() throws Exception {
            AtomicInteger rejections = new AtomicInteger(3);
            Environment environment = time.environment().toBuilder()
                    .executor(task -> {
                        if (rejections.getAndDecrement() > 0) {
                            throw new RejectedExecutionException("full");
                        }
                        time.start(task);
                    })
                    .build();
            writes = make(c -> c.delay(Duration.ZERO), environment);
            writes.save("a", "1");
            time.advance(SECOND);
            assertThat(store.rows).isEqualTo(Map.of("a", "1"));
        }

        @Test
        void an_executor_that_drops_workers_is_asked_again() throws Exception {
            AtomicInteger drops = new AtomicInteger(3);
            Environment environment = time.environment().toBuilder()
                    .executor(task -> {
                        if (drops.getAndDecrement() <= 0) {
                            time.start(task);
                        }
                    })
                    .build();
            writes = make(c -> c.delay(Duration.ZERO), environment);
            writes.save("a", "1");
            time.advance(Duration.ofMinutes(2));
            assertThat(store.rows).isEqualTo(Map.of("a", "1"));
        }

        @Test
        void an_environment_that_is_closed_loses_nothing_and_hangs_nothing() throws Exception {
            Environment closed = Environment.closeable("closed");
            writes = make(c -> c.delay(Duration.ZERO), closed);
            closed.close();
            writes.save("a", "1");
            assertThat(writes.close(Duration.ofMillis(1)).left()).hasSize(1);
        }

        @Test
        void an_executor_that_runs_tasks_on_the_caller_works() throws Exception {
            Environment inline =
                    time.environment().toBuilder().executor(Runnable::run).build();
            writes = make(c -> c.delay(Duration.ZERO), inline);
            store.after = call -> {
                if (call.equals("save a 1")) {
                    writes.save("b", "1");
                    throw new IOException("after the effect");
                }
            };
            Thread.currentThread().interrupt();
            writes.save("a", "1");
            assertThat(Thread.interrupted()).as("the caller's own").isTrue();
            time.advance(SECOND);
            assertThat(store.rows).containsOnlyKeys("a", "b");
        }
    }
}
