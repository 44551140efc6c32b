package dev.levee.ratelimit.work;

import static dev.levee.ratelimit.work.WorkQueueTest.assertBalanced;
import static org.assertj.core.api.Assertions.assertThat;

import dev.levee.core.CapturedLog;
import dev.levee.core.Environment;
import dev.levee.core.Listener;
import dev.levee.core.Policy;
import dev.levee.core.Verdict;
import dev.levee.core.policy.Backoff;
import dev.levee.core.policy.RetryBudget;
import dev.levee.core.testing.ManualTime;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.BiConsumer;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Whatever user code does, no item is lost and nothing is stuck. */
class HostileWorkTest {
    private final ManualTime time = new ManualTime();
    private final List<String> handled = new ArrayList<>();

    private WorkQueue<String> queue(
            Consumer<WorkQueueConfig.Builder<String>> configure, WorkHandler<String> handler, Environment environment) {
        return WorkQueue.of(
                "mail",
                c -> configure.accept(c.workers(1).maxAttempts(2).backoff(Backoff.fixed(Duration.ofSeconds(1)))),
                handler,
                environment);
    }

    private Environment with(Executor executor) {
        return time.environment().toBuilder().executor(executor).build();
    }

    private static RuntimeException sneaky(Throwable thrown) {
        return HostileWorkTest.<RuntimeException>asDeclared(thrown);
    }

    @SuppressWarnings({"unchecked", "TypeParameterUnusedInFormals"})
    private static <X extends Throwable> X asDeclared(Throwable thrown) throws X {
        throw (X) thrown;
    }

    @Test
    void an_executor_that_rejects_once_or_has_no_thread_delays_items_and_loses_none() {
        for (Throwable thrown : List.of(new RejectedExecutionException(), new OutOfMemoryError("no thread"))) {
            AtomicBoolean first = new AtomicBoolean(true);
            WorkQueue<String> queue = queue(c -> {}, (item, attempt) -> handled.add(item), with(task -> {
                if (first.getAndSet(false)) {
                    throw sneaky(thrown);
                }
                time.environment().executor().execute(task);
            }));
            assertThat(queue.offer("a")).isTrue();
            time.runReady();
            assertThat(queue.counts().waiting()).isEqualTo(1);
            time.advance(Duration.ofMillis(100));
            assertThat(queue.counts().done()).isEqualTo(1);
        }
    }

    @Test
    void an_executor_that_drops_workers_delays_items_and_loses_none() {
        int[] drops = {2};
        WorkQueue<String> queue = queue(c -> {}, (item, attempt) -> handled.add(item), with(task -> {
            if (drops[0] > 0) {
                drops[0]--;
            } else {
                time.environment().executor().execute(task);
            }
        }));
        queue.offer("a");
        queue.offer("b");
        time.advance(Duration.ofSeconds(29));
        assertThat(handled).isEmpty();
        time.advance(Duration.ofMinutes(2));
        assertThat(handled).containsExactly("a", "b");
        assertBalanced(queue);
    }

    @Test
    void a_budget_is_not_asked_on_the_thread_of_the_timers() {
        Deque<Runnable> tasks = new ArrayDeque<>();
        int[] asked = {0};
        RetryBudget budget = new RetryBudget() {
            @Override
            public String name() {
                return "own";
            }

            @Override
            public void onFirstAttempt() {}

            @Override
            public boolean tryWithdraw(double cost) {
                return ++asked[0] > 2;
            }

            @Override
            public void measure(Sink sink) {}
        };
        WorkQueue<String> queue = queue(
                c -> c.budget(budget),
                (item, attempt) -> {
                    handled.add(item);
                    throw new IOException();
                },
                with(tasks::add));
        queue.offer("a");
        tasks.remove().run();
        assertThat(asked[0]).isEqualTo(1);
        time.advance(Duration.ofSeconds(1));
        assertThat(asked[0]).as("asked by the timer").isEqualTo(1);
        tasks.remove().run();
        assertThat(asked[0]).isEqualTo(2);
        time.advance(Duration.ofSeconds(1));
        tasks.remove().run();
        assertThat(asked[0]).isEqualTo(3);
        tasks.remove().run();
        assertThat(handled).containsExactly("a", "a");
    }

    @Test
    void an_executor_that_takes_nothing_leaves_all_items_to_the_close() {
        WorkQueue<String> queue = queue(c -> {}, (item, attempt) -> null, with(task -> {
            throw new RejectedExecutionException();
        }));
        queue.offer("a");
        time.advance(Duration.ofSeconds(5));
        queue.offer("b");
        assertThat(queue.close(Duration.ZERO).returned()).containsExactly("a", "b");
        time.advance(Duration.ofSeconds(5));
        assertThat(time.pendingTimers()).isZero();
    }

    @Test
    void errors_of_all_kinds_end_an_attempt_and_no_worker() {
        for (Throwable thrown : List.of(
                new StackOverflowError(), new OutOfMemoryError(), new AssertionError(), new Throwable(), new Error())) {
            WorkQueue<String> queue = queue(
                    c -> {},
                    (item, attempt) -> {
                        if (item.equals("a")) {
                            throw sneaky(thrown);
                        }
                        return handled.add(item);
                    },
                    time.environment());
            queue.offer("a");
            queue.offer("b");
            time.advance(Duration.ofSeconds(1));
            assertThat(queue.deadLetters().get(0).cause()).isSameAs(thrown);
            assertThat(queue.deadLetters().get(0).attempts()).isEqualTo(2);
            assertThat(queue.counts().done()).isEqualTo(1);
        }
    }

    @Test
    void an_exception_whose_own_methods_throw_ends_an_attempt_too() {
        @SuppressWarnings({"serial", "UnsynchronizedOverridesSynchronized", "OverrideThrowableToString"})
        class Unreadable extends RuntimeException {
            @Override
            public Throwable getCause() {
                throw new IllegalStateException();
            }

            @Override
            public String toString() {
                throw new IllegalStateException();
            }
        }
        WorkQueue<String> queue = queue(
                c -> c.orderedBy(item -> item),
                (item, attempt) -> {
                    throw new Unreadable();
                },
                time.environment());
        queue.offer("a");
        queue.offer("a");
        time.advance(Duration.ofSeconds(5));
        assertThat(queue.counts().deadLettered()).isEqualTo(2);
        assertBalanced(queue);
    }

    @Test
    void rules_listeners_and_backoffs_that_throw_stop_nothing() {
        Environment hostile = time.environment().toBuilder()
                .listener(new Listener() {
                    @Override
                    public void onOutcome(Policy.Kind kind, String policy, Verdict verdict, long elapsedNanos) {
                        throw new IllegalStateException();
                    }

                    @Override
                    public void onAttempt(Policy.Kind kind, String policy, int attempt, long delayNanos) {
                        throw new IllegalStateException();
                    }
                })
                .build();
        WorkQueue<String> queue = queue(
                c -> c.backoff((attempt, random) -> -1).outcomes((result, error) -> {
                    throw new IllegalStateException();
                }),
                (item, attempt) -> {
                    handled.add(item + attempt);
                    throw new IOException();
                },
                hostile);
        queue.offer("a");
        time.advance(Duration.ofSeconds(1));
        assertThat(handled).containsExactly("a1", "a2");
        assertBalanced(queue);
    }

    @Test
    void an_interrupt_that_a_handler_leaves_behind_is_not_for_the_next_item() {
        WorkQueue<String> queue = queue(
                c -> {},
                (item, attempt) -> {
                    handled.add(item + Thread.currentThread().isInterrupted());
                    Thread.currentThread().interrupt();
                    return null;
                },
                time.environment());
        queue.offer("a");
        queue.offer("b");
        time.runReady();
        assertThat(Thread.interrupted()).isFalse();
        assertThat(handled).containsExactly("afalse", "bfalse");
    }

    @Test
    void an_interrupt_that_is_thrown_says_nothing_about_the_item_which_is_tried_again() {
        WorkQueue<String> queue = queue(
                c -> {},
                (item, attempt) -> {
                    if (attempt == 1) {
                        throw new InterruptedException();
                    }
                    return null;
                },
                time.environment());
        queue.offer("a");
        time.advance(Duration.ofSeconds(1));
        assertThat(queue.counts().done()).isEqualTo(1);
    }

    /** A stage that answers as it is told to. */
    private static CompletionStage<Object> stage(Consumer<BiConsumer<Object, Throwable>> whenComplete) {
        return new CompletableFuture<>() {
            @Override
            public CompletableFuture<Object> whenComplete(BiConsumer<? super Object, ? super Throwable> action) {
                whenComplete.accept(action::accept);
                return this;
            }

            @Override
            public CompletableFuture<Object> toCompletableFuture() {
                throw new UnsupportedOperationException();
            }
        };
    }

    @Test
    void hostile_stages_end_an_item_once() {
        AtomicReference<BiConsumer<Object, Throwable>> later = new AtomicReference<>();
        for (CompletionStage<Object> stage : List.of(
                stage(action -> {
                    throw new IllegalStateException();
                }),
                stage(action -> {
                    action.accept(null, null);
                    action.accept(null, new IOException());
                    throw new IllegalStateException();
                }),
                stage(later::set))) {
            WorkQueue<String> queue = queue(c -> c.maxAttempts(1), (item, attempt) -> stage, time.environment());
            queue.offer("a");
            time.runReady();
            if (later.get() != null) {
                assertThat(queue.counts().running()).isEqualTo(1);
                later.get().accept(null, null);
                later.get().accept(null, new IOException());
            }
            assertThat(queue.counts().running()).isZero();
            assertBalanced(queue);
        }
    }

    @Test
    void a_stage_that_cannot_be_cancelled_does_not_disturb_a_close() {
        WorkQueue<String> queue = queue(c -> {}, (item, attempt) -> stage(action -> {}), time.environment());
        queue.offer("a");
        time.runReady();
        assertThat(queue.close(Duration.ZERO).unfinished()).containsExactly("a");
    }

    @Test
    void without_timers_an_item_that_fails_is_a_dead_letter() {
        Environment closed = Environment.closeable("work-test");
        WorkQueue<String> queue = queue(
                c -> {},
                (item, attempt) -> {
                    throw new IOException();
                },
                closed.toBuilder().executor(Runnable::run).build());
        closed.close();
        queue.offer("a");
        assertThat(queue.deadLetters()).hasSize(1);
        assertBalanced(queue);
    }

    @Test
    void a_timer_runs_no_code_of_the_user() {
        Deque<Runnable> tasks = new ArrayDeque<>();
        WorkQueue<String> queue = queue(
                c -> {},
                (item, attempt) -> {
                    handled.add(item);
                    throw new IOException();
                },
                with(tasks::add));
        queue.offer("a");
        tasks.remove().run();
        time.advance(Duration.ofSeconds(1));
        assertThat(handled).hasSize(1);
        tasks.remove().run();
        assertThat(handled).hasSize(2);
    }

    /** Another thread that needs the lock is waited for in each of them. */
    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void user_code_is_called_without_locks(boolean ordered) {
        AtomicReference<WorkQueue<String>> own = new AtomicReference<>();
        Runnable elsewhere = () -> CompletableFuture.runAsync(() -> own.get().counts())
                .orTimeout(10, java.util.concurrent.TimeUnit.SECONDS)
                .join();
        Environment environment = time.environment().toBuilder()
                .listener(new Listener() {
                    @Override
                    public void onAttempt(Policy.Kind kind, String policy, int attempt, long delayNanos) {
                        elsewhere.run();
                    }

                    @Override
                    public void onOutcome(Policy.Kind kind, String policy, Verdict verdict, long elapsedNanos) {
                        elsewhere.run();
                    }

                    @Override
                    public void onRefused(Policy.Kind kind, String policy) {
                        elsewhere.run();
                    }
                })
                .executor(task -> {
                    elsewhere.run();
                    time.environment().executor().execute(task);
                })
                .build();
        own.set(queue(
                c -> {
                    c.capacity(1)
                            .backoff((attempt, random) -> {
                                elsewhere.run();
                                return 0;
                            })
                            .outcomes((result, error) -> {
                                elsewhere.run();
                                return error == null ? Verdict.SUCCESS : Verdict.FAILURE;
                            });
                    if (ordered) {
                        c.orderedBy(item -> {
                            elsewhere.run();
                            return item;
                        });
                    }
                },
                (item, attempt) -> {
                    elsewhere.run();
                    if (attempt == 1) {
                        throw new IOException();
                    }
                    return null;
                },
                environment));
        own.get().offer("a");
        own.get().offer("b");
        time.runReady();
        assertThat(own.get().counts().done()).isEqualTo(1);
    }

    @Test
    void an_offer_at_the_end_of_the_stack_accepts_or_changes_nothing() {
        WorkQueue<String> queue = queue(
                c -> c.capacity(100_000).workers(0).orderedBy(item -> item),
                (item, attempt) -> null,
                time.environment());
        long[] accepted = {0};
        class Deep {
            @SuppressWarnings("InfiniteRecursion") // until the stack ends
            void offer() {
                try {
                    if (queue.offer("a")) {
                        accepted[0]++;
                    }
                } catch (StackOverflowError noRoom) {
                    return;
                }
                offer();
            }
        }
        new Deep().offer();
        assertThat(queue.counts().accepted()).isGreaterThanOrEqualTo(accepted[0]);
        queue.close(Duration.ZERO);
        assertBalanced(queue);
    }

    @Test
    void a_direct_executor_makes_the_offer_the_work_and_a_handler_that_offers_goes_on() {
        AtomicReference<WorkQueue<String>> own = new AtomicReference<>();
        own.set(queue(
                c -> c.workers(2),
                (item, attempt) -> {
                    handled.add(item);
                    if (item.length() < 100) {
                        own.get().offer(item + "a");
                    }
                    return null;
                },
                with(Runnable::run)));
        own.get().offer("a");
        assertThat(handled).hasSize(100);
        assertThat(own.get().counts().running()).isZero();
    }

    @Test
    void the_log_names_the_queue_and_says_each_thing_once() {
        try (CapturedLog log = new CapturedLog(WorkQueue.class)) {
            WorkQueue<String> queue = queue(
                    c -> c.maxAttempts(1).maxDeadLetters(1),
                    (item, attempt) -> {
                        throw new IOException(item);
                    },
                    time.environment());
            for (String item : List.of("a", "b", "c")) {
                queue.offer(item);
            }
            time.runReady();
            assertThat(log.lines())
                    .containsExactly(
                            "WARN queue \"mail\": an item is a dead letter after 1 attempts. Further ones are counted"
                                    + " and not logged",
                            "WARN queue \"mail\": there are more than 1 dead letters, the oldest was dropped. Further"
                                    + " ones are counted and not logged");
        }
    }
}
