package dev.levee.core;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.catchThrowable;

import dev.levee.core.policy.Bulkhead;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.RejectedExecutionException;
import java.util.function.BiConsumer;
import java.util.function.Supplier;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;

/** Whatever the code of users does inside a gate, the permit comes back and the future ends. */
class HostileUserCodeTest {
    private final Bulkhead bulkhead = Bulkhead.of("b", 1);

    @AfterEach
    void everyPermitIsBack() {
        assertThat(bulkhead.inFlight()).isZero();
        assertThat(bulkhead.waiting()).isZero();
    }

    private static Throwable failureOf(CompletableFuture<?> future) {
        assertThat(future).isDone();
        Throwable[] seen = new Throwable[1];
        future.whenComplete((result, error) -> seen[0] = error);
        return seen[0];
    }

    @Nested
    class AnAroundInside {
        private final RuntimeException thrown = new IllegalStateException("around");

        @Test
        void that_throws_fails_the_future() {
            Pipeline pipeline = Pipeline.of(bulkhead, new Rude(() -> {
                throw thrown;
            }));
            assertThat(failureOf(pipeline.callAsync(() -> CompletableFuture.completedFuture("yes"))))
                    .isSameAs(thrown);
        }

        @Test
        void that_stands_alone_and_throws_fails_the_future() {
            Policy alone = new Rude(() -> {
                throw thrown;
            });
            assertThat(failureOf(alone.callAsync(() -> CompletableFuture.completedFuture("yes"))))
                    .isSameAs(thrown);
        }

        @Test
        void that_returns_null_fails_the_future() {
            Pipeline pipeline = Pipeline.of(bulkhead, new Rude(() -> null));
            assertThat(failureOf(pipeline.callAsync(() -> CompletableFuture.completedFuture("yes"))))
                    .isInstanceOf(NullPointerException.class);
        }

        @Test
        void that_returns_a_future_which_cannot_be_followed_fails_the_future() {
            Pipeline pipeline = Pipeline.of(bulkhead, new Rude(Unwatchable::new));
            assertThat(failureOf(pipeline.callAsync(() -> CompletableFuture.completedFuture("yes"))))
                    .isInstanceOf(UnsupportedOperationException.class);
        }
    }

    @Nested
    class AForeignPolicyInside {
        @Test
        void that_throws_fails_the_future() {
            RuntimeException thrown = new IllegalStateException("policy");
            Policy rude = new Policy() {
                @Override
                public String name() {
                    return "rude";
                }

                @Override
                public <T, X extends Throwable> T call(Operation<T, X> operation) throws X {
                    return operation.run();
                }

                @Override
                public <T> CompletableFuture<T> callAsync(Supplier<? extends CompletionStage<T>> operation) {
                    throw thrown;
                }
            };
            assertThat(failureOf(Pipeline.of(bulkhead, rude).callAsync(() -> CompletableFuture.completedFuture("yes"))))
                    .isSameAs(thrown);
        }
    }

    @Nested
    class AStageWhoseCancelThrows {
        private final CompletableFuture<String> stage = new CompletableFuture<>() {
            @Override
            public boolean cancel(boolean mayInterruptIfRunning) {
                throw new IllegalStateException("cancel");
            }
        };

        @AfterEach
        void theWorkEnds() {
            stage.complete("late");
        }

        @Test
        void does_not_disturb_the_thread_that_cancels() {
            CompletableFuture<String> future = bulkhead.callAsync(() -> stage);
            assertThatCode(() -> future.cancel(true)).doesNotThrowAnyException();
            assertThat(future).isCancelled();
            assertThat(bulkhead.inFlight()).as("held until the work ends").isOne();
        }
    }

    @Nested
    class ACancellerThatThrows {
        @Test
        void does_not_disturb_the_thread_that_cancels_or_that_sets_it() {
            CallFuture<String> future = new CallFuture<>();
            future.onCancel(reason -> {
                throw new IllegalStateException("canceller");
            });
            assertThatCode(() -> future.cancel(true)).doesNotThrowAnyException();
            assertThatCode(() -> future.onCancel(reason -> {
                        throw new IllegalStateException("canceller");
                    }))
                    .doesNotThrowAnyException();
            assertThat(future).isCancelled();
        }
    }

    @Nested
    class ARefusalWhoseWaitThrows {
        private final RefusedException refusal =
                new RefusedException(
                        "mine",
                        "no",
                        () -> {
                            throw new IllegalStateException("wait");
                        },
                        false) {
                    @Override
                    public RefusedException detached() {
                        return this;
                    }
                };

        @Test
        void gives_the_permit_back() {
            assertThat(catchThrowable(() -> bulkhead.call(() -> {
                        throw refusal;
                    })))
                    .isSameAs(refusal);
        }

        @Test
        void ends_the_future() {
            assertThat(failureOf(bulkhead.callAsync(() -> CompletableFuture.failedFuture(refusal))))
                    .isSameAs(refusal);
        }
    }

    @Nested
    class AnExecutorThatRejectsCallsThatWaited {
        private final Throwable[] rejection = new Throwable[1];
        private final Environment environment = Environment.builder()
                .executor(task -> {
                    if (rejection[0] instanceof Error error) {
                        throw error;
                    }
                    throw (RuntimeException) rejection[0];
                })
                .build();
        private final Bulkhead queueing =
                Bulkhead.of("q", config -> config.maxConcurrent(1).queue(1, Duration.ofSeconds(9)), environment);

        @Test
        void fails_the_future_and_gives_the_permit_back() {
            rejection[0] = new RejectedExecutionException("full");
            failsTheWaiter();
        }

        @Test
        void fails_the_future_and_gives_the_permit_back_when_no_thread_can_be_made() {
            rejection[0] = new InternalError("unable to create native thread");
            failsTheWaiter();
        }

        private void failsTheWaiter() {
            CompletableFuture<String> running = new CompletableFuture<>();
            queueing.callAsync(() -> running);
            CompletableFuture<String> waiting = queueing.callAsync(() -> CompletableFuture.completedFuture("no"));
            running.complete("yes");
            Throwable failure = failureOf(waiting);
            if (failure instanceof ExecutorRejectedException) {
                assertThat(failure).hasMessage("bulkhead \"q\": the executor takes no more calls");
                assertThat(failure.getSuppressed()).containsExactly(rejection[0]);
            } else {
                assertThat(failure).isSameAs(rejection[0]).isInstanceOf(Error.class);
            }
            assertThat(queueing.inFlight()).isZero();
            assertThat(queueing.waiting()).isZero();
        }
    }

    @Nested
    class ASchedulerThatThrows {
        private final RuntimeException thrown = new RejectedExecutionException("shut down");
        private final Environment environment = Environment.builder()
                .scheduler(new Scheduler() {
                    @Override
                    public Timer schedule(Runnable task, long delayNanos) {
                        throw thrown;
                    }

                    @Override
                    public void sleep(long nanos) {
                        throw thrown;
                    }

                    @Override
                    public void park(Object blocker, long nanos) {
                        throw thrown;
                    }
                })
                .build();
        private final Bulkhead queueing =
                Bulkhead.of("q", config -> config.maxConcurrent(1).queue(1, Duration.ofSeconds(9)), environment);
        private final Bulkhead outer = Bulkhead.of("outer", config -> config.maxConcurrent(9), environment);
        private final Pipeline both = Pipeline.of(outer, queueing);
        private final CompletableFuture<String> running = new CompletableFuture<>();

        @AfterEach
        void nothingIsLeftBehind() {
            running.complete("yes");
            assertThat(queueing.inFlight()).isZero();
            assertThat(queueing.waiting()).isZero();
            assertThat(outer.inFlight()).isZero();
        }

        @Test
        void leaves_no_call_in_the_queue_that_waits_without_a_thread() {
            queueing.callAsync(() -> running);
            assertThat(failureOf(both.callAsync(() -> CompletableFuture.completedFuture("no"))))
                    .isSameAs(thrown);
        }

        @Test
        void leaves_no_call_in_the_queue_that_waits_with_one() {
            queueing.callAsync(() -> running);
            assertThat(catchThrowable(() -> both.call(() -> "no"))).isSameAs(thrown);
        }
    }

    /** Returns a given answer, whatever it should run. */
    private record Rude(Supplier<CompletableFuture<?>> answer) implements Around {
        @Override
        public String name() {
            return "rude";
        }

        @Override
        public <T, X extends Throwable> T around(Inner inner, Operation<T, X> operation) throws X {
            return inner.call(operation);
        }

        @Override
        @SuppressWarnings("unchecked")
        public <T> CompletableFuture<T> aroundAsync(Inner inner, Supplier<? extends CompletionStage<T>> operation) {
            return (CompletableFuture<T>) answer.get();
        }
    }

    private static final class Unwatchable extends CompletableFuture<Object> {
        @Override
        public CompletableFuture<Object> whenComplete(BiConsumer<? super Object, ? super Throwable> action) {
            throw new UnsupportedOperationException("whenComplete");
        }
    }
}
