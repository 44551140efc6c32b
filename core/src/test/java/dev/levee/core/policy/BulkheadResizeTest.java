package dev.levee.core.policy;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowable;

import dev.levee.core.Deadline;
import dev.levee.core.Environment;
import dev.levee.core.Gate;
import dev.levee.core.RefusedException;
import dev.levee.core.Verdict;
import dev.levee.core.testing.ManualTime;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.random.RandomGenerator;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;

/** A limit that changes while calls are under way and others wait. */
class BulkheadResizeTest {
    private final ManualTime time = new ManualTime();
    private final Environment environment = time.environment();
    private final Bulkhead bulkhead = bulkhead(2, 10);

    private Bulkhead bulkhead(int permits, int queue) {
        return Bulkhead.of(
                "db", config -> config.maxConcurrent(permits).queue(queue, Duration.ofSeconds(1)), environment);
    }

    @Nested
    class Raised {
        @Test
        void it_admits_calls_up_to_the_new_limit() {
            fill(2);
            bulkhead.setMaxConcurrent(4);
            assertThat(bulkhead.maxConcurrent()).isEqualTo(4);
            fill(2);
            assertThat(bulkhead.tryEnter(0)).isEqualTo(Gate.REFUSED);
            assertThat(bulkhead.inFlight()).isEqualTo(4);
        }

        @Test
        void it_admits_calls_that_wait_at_once_first_come_first_served() {
            fill(2);
            List<CompletableFuture<Long>> turns = List.of(queue(), queue(), queue());
            bulkhead.setMaxConcurrent(4);
            assertThat(turns).map(CompletableFuture::isDone).containsExactly(true, true, false);
            assertThat(bulkhead.inFlight()).isEqualTo(4);
            assertThat(bulkhead.waiting()).isOne();
        }

        @Test
        void it_wakes_threads_that_wait() throws Exception {
            fill(2);
            ExecutorService thread = Executors.newSingleThreadExecutor();
            try {
                Future<String> waiting = thread.submit(() -> bulkhead.<String, RuntimeException>call(() -> "mine"));
                time.awaitSleepers(1);
                bulkhead.setMaxConcurrent(3);
                assertThat(waiting.get()).isEqualTo("mine");
            } finally {
                thread.shutdownNow();
            }
        }
    }

    @Nested
    class Lowered {
        @Test
        void it_returns_at_once_and_takes_effect_as_calls_end() {
            Bulkhead bulkhead = bulkhead(3, 1);
            List<Long> stamps = List.of(bulkhead.tryEnter(0), bulkhead.tryEnter(0), bulkhead.tryEnter(0));
            bulkhead.setMaxConcurrent(1);
            assertThat(bulkhead.maxConcurrent()).isOne();
            assertThat(bulkhead.inFlight()).isEqualTo(3);
            for (int ended = 0; ended < 2; ended++) {
                assertThat(bulkhead.tryEnter(0)).isEqualTo(Gate.REFUSED);
                exit(bulkhead, stamps.get(ended));
            }
            assertThat(bulkhead.inFlight()).isOne();
            assertThat(bulkhead.tryEnter(0)).isEqualTo(Gate.REFUSED);
            exit(bulkhead, stamps.get(2));
            assertThat(bulkhead.tryEnter(0)).isNotEqualTo(Gate.REFUSED);
            assertThat(bulkhead.tryEnter(0)).isEqualTo(Gate.REFUSED);
        }

        @Test
        void it_keeps_calls_waiting_until_there_is_room_again() {
            long first = bulkhead.tryEnter(0);
            long second = bulkhead.tryEnter(0);
            CompletableFuture<Long> turn = queue();
            bulkhead.setMaxConcurrent(1);
            exit(bulkhead, first);
            assertThat(turn).as("two were too many").isNotDone();
            exit(bulkhead, second);
            assertThat(turn).isCompleted();
            assertThat(bulkhead.inFlight()).isOne();
        }

        @Test
        void it_takes_back_what_was_free() {
            Bulkhead wide = bulkhead(1_000, 1);
            wide.setMaxConcurrent(3);
            for (int call = 0; call < 3; call++) {
                assertThat(wide.tryEnter(0)).isNotEqualTo(Gate.REFUSED);
            }
            assertThat(wide.tryEnter(0)).isEqualTo(Gate.REFUSED);
        }

        @Test
        void it_can_be_raised_again_before_the_calls_have_ended() {
            fill(2);
            bulkhead.setMaxConcurrent(1);
            bulkhead.setMaxConcurrent(3);
            assertThat(bulkhead.tryEnter(0)).isNotEqualTo(Gate.REFUSED);
            assertThat(bulkhead.tryEnter(0)).isEqualTo(Gate.REFUSED);
            assertThat(bulkhead.inFlight()).isEqualTo(3);
        }
    }

    @Test
    void what_is_printed_and_measured_is_the_present_limit() {
        bulkhead.setMaxConcurrent(7);
        assertThat(bulkhead).hasToString("bulkhead \"db\" 0/7");
        assertThat(bulkhead.refusal()).hasMessageStartingWith("bulkhead \"db\" is full: 7 calls in flight");
        Map<String, Double> figures = new HashMap<>();
        bulkhead.measure((policy, metric, value) -> figures.put(metric, value));
        assertThat(figures).containsEntry("bulkhead.limit", 7.0).containsEntry("bulkhead.in.flight", 0.0);
    }

    @Test
    void no_limit_is_too_high_and_less_than_one_is_refused() {
        bulkhead.setMaxConcurrent(Integer.MAX_VALUE);
        fill(10);
        bulkhead.setMaxConcurrent(1);
        assertThat(bulkhead.inFlight()).isEqualTo(10);
        bulkhead.setMaxConcurrent(Integer.MAX_VALUE);
        fill(10);
        assertThat(bulkhead.inFlight()).isEqualTo(20);
        assertThatThrownBy(() -> bulkhead.setMaxConcurrent(0))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("maxConcurrent must be at least 1, but was 0");
        assertThat(catchThrowable(() -> Bulkhead.of("b", Integer.MAX_VALUE).run(() -> {})))
                .isNull();
    }

    /** Random histories against a plain model: a number of calls in flight, a queue of names, a limit. */
    @Property(tries = 500)
    void limit_queue_and_calls_are_what_a_plain_model_says(@ForAll long seed) {
        RandomGenerator random = new java.util.Random(seed);
        int limit = 1 + random.nextInt(40);
        Bulkhead real = bulkhead(limit, 4);
        List<CompletableFuture<Long>> held = new ArrayList<>();
        List<CompletableFuture<Long>> waiters = new ArrayList<>();
        for (int step = 0; step < 150; step++) {
            switch (random.nextInt(6)) {
                case 0, 1 -> {
                    CompletableFuture<Long> turn = real.enterAsync(never());
                    if (held.size() < limit && waiters.isEmpty()) {
                        assertThat(turn).isCompletedWithValueMatching(stamp -> stamp != Gate.REFUSED);
                        held.add(turn);
                    } else if (waiters.size() < 4) {
                        assertThat(turn).isNotDone();
                        waiters.add(turn);
                    } else {
                        assertThat(turn).isCompletedWithValue(Gate.REFUSED);
                    }
                }
                case 2 -> {
                    long stamp = real.tryEnter(0);
                    assertThat(stamp != Gate.REFUSED).isEqualTo(held.size() < limit && waiters.isEmpty());
                    if (stamp != Gate.REFUSED) {
                        held.add(CompletableFuture.completedFuture(stamp));
                    }
                }
                case 3 -> {
                    if (!held.isEmpty()) {
                        exit(real, held.remove(random.nextInt(held.size())).join());
                    }
                }
                case 4 -> {
                    if (!waiters.isEmpty()) {
                        assertThat(waiters.remove(random.nextInt(waiters.size()))
                                        .cancel(false))
                                .isTrue();
                    }
                }
                default -> {
                    limit = 1 + random.nextInt(random.nextBoolean() ? 40 : 4);
                    real.setMaxConcurrent(limit);
                }
            }
            while (held.size() < limit && !waiters.isEmpty()) {
                assertThat(waiters.get(0)).as("first come, first served").isCompleted();
                held.add(waiters.remove(0));
            }
            assertThat(waiters).noneMatch(CompletableFuture::isDone);
            assertThat(real.inFlight()).isEqualTo(held.size());
            assertThat(real.waiting()).isEqualTo(waiters.size());
        }
    }

    /** Whatever several threads do: in the end each permit is there, once. */
    @Test
    void nothing_is_lost_when_threads_enter_wait_give_up_and_resize() throws Exception {
        Bulkhead shared = Bulkhead.of("db", config -> config.maxConcurrent(64).queue(8, Duration.ofNanos(20_000)));
        ExecutorService threads = Executors.newFixedThreadPool(4);
        try {
            List<Future<?>> all = new ArrayList<>();
            for (int thread = 0; thread < 4; thread++) {
                RandomGenerator random = new java.util.Random(thread);
                all.add(threads.submit(() -> {
                    for (int i = 0; i < 10_000; i++) {
                        switch (random.nextInt(8)) {
                            case 0 -> shared.setMaxConcurrent(1 + random.nextInt(3));
                            case 1 -> {
                                CompletableFuture<Long> turn = shared.enterAsync(Deadline.after(
                                        Duration.ofSeconds(1),
                                        shared.environment().clock()));
                                if (!turn.cancel(false) && turn.join() != Gate.REFUSED) {
                                    exit(shared, turn.join());
                                }
                            }
                            default -> {
                                Throwable refused = catchThrowable(() -> shared.run(Thread::onSpinWait));
                                assertThat(refused == null || refused instanceof BulkheadFullException)
                                        .isTrue();
                            }
                        }
                    }
                }));
            }
            for (Future<?> each : all) {
                each.get();
            }
        } finally {
            threads.shutdownNow();
        }
        shared.setMaxConcurrent(20);
        assertThat(shared.inFlight()).isZero();
        assertThat(shared.waiting()).isZero();
        for (int call = 0; call < 20; call++) {
            assertThat(shared.tryEnter(0)).isNotEqualTo(Gate.REFUSED);
        }
        assertThat(shared.tryEnter(0)).isEqualTo(Gate.REFUSED);
    }

    private void fill(int calls) {
        for (int call = 0; call < calls; call++) {
            assertThat(bulkhead.tryEnter(0)).isNotEqualTo(Gate.REFUSED);
        }
    }

    private CompletableFuture<Long> queue() {
        CompletableFuture<Long> turn = bulkhead.enterAsync(never());
        assertThat(turn).isNotDone();
        return turn;
    }

    private Deadline never() {
        return Deadline.after(Duration.ofSeconds(Long.MAX_VALUE), environment.clock());
    }

    private static void exit(Bulkhead bulkhead, long stamp) {
        bulkhead.exit(stamp, 0, 0, Verdict.SUCCESS, RefusedException.UNKNOWN);
    }
}
