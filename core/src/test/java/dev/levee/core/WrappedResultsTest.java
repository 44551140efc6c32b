package dev.levee.core;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.levee.core.policy.Backoff;
import dev.levee.core.policy.Bulkhead;
import dev.levee.core.policy.Fallback;
import dev.levee.core.policy.Retry;
import dev.levee.core.testing.ManualTime;
import java.io.Closeable;
import java.io.IOException;
import java.lang.reflect.UndeclaredThrowableException;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Executor;
import java.util.concurrent.Flow;
import java.util.concurrent.Future;
import java.util.concurrent.FutureTask;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledFuture;
import java.util.function.Function;
import java.util.function.Supplier;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;

/** What {@link Policy#wrap} guards of a result that ends later than the method that returns it. */
class WrappedResultsTest {
    private final Deque<Runnable> tasks = new ArrayDeque<>();
    private final Environment environment =
            Environment.builder().executor(tasks::add).build();
    private final Bulkhead policy = Bulkhead.of("b", 2, environment);
    private final CompletableFuture<String> stage = new CompletableFuture<>();

    interface Untyped {
        Object get();
    }

    interface Generic<T> {
        T get();

        default T again() {
            return get();
        }
    }

    interface Bound extends Generic<CompletionStage<String>> {}

    interface ByMethod {
        <T> T get(Class<T> type);
    }

    @Test
    void that_a_result_ends_later_is_found_out_without_a_trace_whatever_the_rule() {
        CountingGate gate = new CountingGate(policy) {
            @Override
            public OutcomeRule outcomes() {
                return OutcomeRule.standard().onError(IllegalStateException.class, Verdict.FAILURE);
            }
        };
        List<Throwable> replaced = new ArrayList<>();
        Fallback all = Fallback.of("f", failure -> true, failure -> replaced.add(failure) ? "substitute" : "");
        Untyped safe = Pipeline.of(all, gate).wrap(Untyped.class, () -> stage);
        CompletableFuture<?> guarded = (CompletableFuture<?>) safe.get();
        stage.complete("yes");
        assertThat(guarded).isCompleted();
        assertThat(gate.verdicts()).containsExactly(Verdict.IGNORED, Verdict.SUCCESS);
        assertThat(replaced).isEmpty();
    }

    @Test
    void a_caller_that_is_interrupted_while_a_value_is_waited_for_is_no_evidence() {
        ManualTime time = new ManualTime();
        CountingGate gate = new CountingGate(Bulkhead.of("around", 9, time.environment())) {
            @Override
            public OutcomeRule outcomes() {
                return (result, error) -> error == null ? Verdict.SUCCESS : Verdict.FAILURE;
            }
        };
        Retry retry = Retry.of(
                "r",
                c -> c.backoff(Backoff.fixed(Duration.ofSeconds(9)))
                        .discard(result -> {})
                        .outcomes(rule -> rule.onResult(String.class, "503"::equals, Verdict.FAILURE)),
                time.environment());
        Deque<Object> results = new ArrayDeque<>(List.of(CompletableFuture.completedFuture("stage"), "503"));
        Untyped safe = Pipeline.of(gate, retry).wrap(Untyped.class, results::remove);
        assertThat(((CompletableFuture<?>) safe.get()).join()).isEqualTo("stage");
        gate.verdicts().clear();
        Thread.currentThread().interrupt();
        assertThatThrownBy(safe::get).isInstanceOf(InterruptedWaitException.class);
        assertThat(Thread.interrupted()).isTrue();
        assertThat(gate.verdicts()).containsExactly(Verdict.IGNORED);
    }

    @Nested
    class Guard_to_their_end {
        @Test
        void a_stage_of_a_method_that_returns_an_object() throws Exception {
            Untyped safe = policy.wrap(Untyped.class, () -> stage);
            assertHeldUntilEnd(safe.get());
            assertHeldUntilEnd(policy.wrap(Untyped.class, () -> stage).get());
        }

        @Test
        void a_stage_of_a_type_parameter() throws Exception {
            Generic<?> safe = policy.wrap(Generic.class, () -> stage);
            assertHeldUntilEnd(safe.get());
        }

        @Test
        void a_stage_of_a_default_method_with_a_type_parameter() throws Exception {
            Generic<?> safe = policy.wrap(Generic.class, () -> stage);
            assertHeldUntilEnd(safe.again());
        }

        @Test
        void a_stage_of_a_type_parameter_of_the_method() throws Exception {
            ByMethod safe = policy.wrap(ByMethod.class, new ByMethod() {
                @Override
                public <T> T get(Class<T> type) {
                    return type.cast(stage);
                }
            });
            assertHeldUntilEnd(safe.get(CompletableFuture.class));
        }

        @Test
        void every_call_of_a_method_and_not_the_first_alone() throws Exception {
            Callable<?> safe = policy.wrap(Callable.class, () -> stage);
            Object first = safe.call();
            Object second = safe.call();
            assertThat(policy.inFlight()).isEqualTo(2);
            assertThatThrownBy(() -> ((CompletableFuture<?>) safe.call()).join())
                    .hasCauseInstanceOf(RefusedException.class);
            stage.complete("yes");
            assertThat(policy.inFlight()).isZero();
            assertThat((CompletableFuture<?>) first).isCompleted();
            assertThat((CompletableFuture<?>) second).isCompleted();
        }

        @Test
        void a_stage_of_a_type_parameter_that_the_interface_binds() throws Exception {
            CountingGate gate = new CountingGate(policy);
            Bound safe = gate.wrap(Bound.class, () -> stage);
            assertHeldUntilEnd(safe.get());
            assertThat(gate.entered()).isOne();
        }

        @Test
        void a_stage_of_a_type_parameter_that_the_client_binds() throws Exception {
            class Client implements Generic<CompletableFuture<String>> {
                @Override
                public CompletableFuture<String> get() {
                    return stage;
                }
            }
            CountingGate gate = new CountingGate(policy);
            assertHeldUntilEnd(gate.wrap(Generic.class, new Client()).get());
            assertThat(gate.entered()).isOne();
        }

        @Test
        void a_stage_that_only_the_method_of_the_client_declares() throws Exception {
            class Client implements Untyped {
                @Override
                public CompletionStage<String> get() {
                    return stage;
                }
            }
            CountingGate gate = new CountingGate(policy);
            assertHeldUntilEnd(gate.wrap(Untyped.class, new Client()).get());
            assertThat(gate.entered()).isOne();
        }

        @Test
        @SuppressWarnings("unchecked") // a class literal has no type arguments
        void a_stage_whose_class_is_a_future_of_its_own() throws Exception {
            class OwnFuture extends CompletableFuture<String> {}
            OwnFuture own = new OwnFuture();
            Supplier<CompletionStage<String>> safe = policy.wrap(Supplier.class, () -> own);
            CompletionStage<String> given = safe.get();
            assertThat(policy.inFlight()).isOne();
            own.complete("own");
            assertThat(given.toCompletableFuture()).isCompletedWithValue("own");
            assertThat(policy.inFlight()).isZero();
        }

        private void assertHeldUntilEnd(Object given) throws Exception {
            if (!stage.isDone()) {
                assertThat(policy.inFlight()).isOne();
                stage.complete("yes");
            }
            assertThat(policy.inFlight()).isZero();
            assertThat(((CompletionStage<?>) given).toCompletableFuture().get()).isEqualTo("yes");
        }
    }

    @Nested
    class Guard_stages_found_late {
        @Test
        void as_the_outcome_of_the_call() {
            CountingGate gate = new CountingGate(policy);
            Untyped safe = gate.wrap(Untyped.class, () -> CompletableFuture.failedFuture(new IOException("disk")));
            assertThat((CompletableFuture<?>) safe.get()).isCompletedExceptionally();
            assertThat((CompletableFuture<?>) safe.get()).isCompletedExceptionally();
            assertThat(gate.verdicts()).containsExactly(Verdict.IGNORED, Verdict.FAILURE, Verdict.FAILURE);
            assertThat(policy.inFlight()).isZero();
        }

        @Test
        void with_retries_that_start_the_work_again_and_not_twice_at_once() {
            List<String> started = new ArrayList<>();
            ManualTime time = new ManualTime();
            Retry retry = Retry.of("r", c -> c.backoff(Backoff.fixed(Duration.ZERO)), time.environment());
            Untyped safe = retry.wrap(Untyped.class, () -> {
                started.add("start");
                return started.size() == 1
                        ? CompletableFuture.failedFuture(new IOException("reset"))
                        : CompletableFuture.completedFuture("good");
            });
            CompletableFuture<?> given = (CompletableFuture<?>) safe.get();
            assertThat(started).hasSize(1);
            time.advance(Duration.ZERO);
            assertThat(given).isCompletedWithValueMatching("good"::equals);
            assertThat(started).hasSize(2);
        }

        @Test
        void and_values_of_the_same_method_as_they_come() {
            List<Object> results = List.of("a", CompletableFuture.completedFuture("b"), "c", "d");
            int[] next = {0};
            Untyped safe = policy.wrap(Untyped.class, () -> results.get(next[0]++));
            assertThat(safe.get()).isEqualTo("a");
            assertThat((CompletableFuture<?>) safe.get()).isCompletedWithValueMatching("b"::equals);
            assertThat(safe.get()).isEqualTo("c");
            assertThat(safe.get()).isEqualTo("d");
            assertThat(policy.inFlight()).isZero();
        }

        @Test
        void and_cancel_them() {
            Untyped safe = policy.wrap(Untyped.class, () -> stage);
            ((Future<?>) safe.get()).cancel(true);
            assertThat(stage).isCancelled();
            assertThat(policy.inFlight()).isZero();
        }
    }

    @Nested
    class Guard_futures {
        @Test
        void that_are_no_stages_until_they_end() throws Exception {
            FutureTask<String> task = new FutureTask<>(() -> "yes");
            Futures safe = policy.wrap(Futures.class, () -> task);
            Future<String> given = safe.get();
            assertThat(policy.inFlight()).isOne();
            assertThat(given.isDone()).isFalse();
            task.run();
            runTasks();
            assertThat(given.get()).isEqualTo("yes");
            assertThat(policy.inFlight()).isZero();
        }

        @Test
        void that_are_stages_without_a_thread() throws Exception {
            Futures safe = policy.wrap(Futures.class, () -> stage);
            Future<String> given = safe.get();
            assertThat(policy.inFlight()).isOne();
            assertThat(tasks).isEmpty();
            stage.complete("yes");
            assertThat(given.get()).isEqualTo("yes");
            assertThat(policy.inFlight()).isZero();
        }

        @Test
        void that_have_ended_without_a_thread() {
            FutureTask<String> task = new FutureTask<>(() -> {
                throw new IOException("disk");
            });
            task.run();
            assertThatThrownBy(
                            () -> policy.wrap(Futures.class, () -> task).get().get())
                    .hasCauseInstanceOf(IOException.class);
            assertThat(tasks).isEmpty();
            assertThat(policy.inFlight()).isZero();
        }

        @Test
        void that_a_method_returns_as_an_object() throws Exception {
            FutureTask<String> task = new FutureTask<>(() -> "yes");
            Future<?> given = (Future<?>) policy.wrap(Untyped.class, () -> task).get();
            assertThat(policy.inFlight()).isOne();
            task.run();
            runTasks();
            assertThat(given.get()).isEqualTo("yes");
            assertThat(policy.inFlight()).isZero();
        }

        @Test
        void that_are_cancelled() {
            FutureTask<String> task = new FutureTask<>(() -> "yes");
            policy.wrap(Futures.class, () -> task).get().cancel(true);
            assertThat(task.isCancelled()).isTrue();
            runTasks();
            assertThat(policy.inFlight()).isZero();
        }

        @Test
        void or_cancel_them_if_no_thread_can_wait_for_them() {
            Executor full = task -> {
                throw new RejectedExecutionException("full");
            };
            Bulkhead other =
                    Bulkhead.of("full", 1, Environment.builder().executor(full).build());
            FutureTask<String> task = new FutureTask<>(() -> "yes");
            assertThatThrownBy(() -> other.wrap(Futures.class, () -> task).get().get())
                    .hasCauseInstanceOf(RejectedExecutionException.class);
            assertThat(task.isCancelled()).isTrue();
            assertThat(other.inFlight()).isZero();
        }

        @Test
        void and_take_no_future_for_no_result() {
            assertThatThrownBy(
                            () -> policy.wrap(Futures.class, () -> null).get().get())
                    .hasCauseInstanceOf(NullPointerException.class);
        }
    }

    private void runTasks() {
        while (!tasks.isEmpty()) {
            tasks.remove().run();
        }
    }

    interface Futures {
        Future<String> get();
    }

    static class Own extends CompletableFuture<String> {}

    interface OwnStage extends CompletionStage<String> {}

    interface Refused<T> {
        T get(String argument);
    }

    interface Publishes extends Refused<Flow.Publisher<String>> {}

    interface Processes extends Refused<Flow.Processor<String, String>> {}

    interface OwnFutures extends Refused<Own> {}

    interface OwnStages extends Refused<OwnStage> {}

    interface Schedules extends Refused<ScheduledFuture<String>> {}

    interface Tasks extends Refused<FutureTask<String>> {}

    interface Declares {
        Flow.Publisher<String> stream();
    }

    @Nested
    class Refuse_to_wrap {
        @Test
        void what_cannot_be_guarded_to_its_end() {
            assertRefused(Publishes.class, argument -> null);
            assertRefused(Processes.class, argument -> null);
            assertRefused(OwnFutures.class, argument -> null);
            assertRefused(OwnStages.class, argument -> null);
            assertRefused(Schedules.class, argument -> null);
            assertRefused(Tasks.class, argument -> null);
            assertRefused(Declares.class, () -> null);
        }

        private <I> void assertRefused(Class<I> type, I target) {
            assertThatIllegalArgumentException()
                    .isThrownBy(() -> policy.wrap(type, target))
                    .withMessageContaining(type.getMethods()[0].getName())
                    .withMessageContaining("cannot be guarded to its end")
                    .withMessageContaining("Policy.wrap");
        }

        @Test
        void a_publisher_that_only_the_method_of_the_client_declares() {
            class Client implements Untyped {
                @Override
                public Flow.Publisher<String> get() {
                    throw new AssertionError();
                }
            }
            assertThatIllegalArgumentException()
                    .isThrownBy(() -> policy.wrap(Untyped.class, new Client()))
                    .withMessageContaining("because it returns java.util.concurrent.Flow$Publisher");
        }

        @Test
        void but_not_if_the_method_is_left_unguarded() {
            Flow.Publisher<String> publisher = subscriber -> {};
            Declares open = Policy.wrap(Declares.class, () -> publisher, method -> null);
            assertThat(open.stream()).isSameAs(publisher);
        }

        @Test
        @SuppressWarnings({"unchecked", "rawtypes"})
        void a_target_of_another_type() {
            Class raw = Callable.class;
            assertThatIllegalArgumentException()
                    .isThrownBy(() -> policy.wrap(raw, "text"))
                    .withMessageContaining("java.util.concurrent.Callable")
                    .withMessageContaining("java.lang.String");
        }
    }

    @Test
    void a_publisher_that_comes_as_an_object_is_an_error_that_names_the_method() {
        Flow.Publisher<String> publisher = subscriber -> {};
        Untyped safe = policy.wrap(Untyped.class, () -> publisher);
        assertThatThrownBy(safe::get)
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("Untyped.get()")
                .hasMessageContaining("cannot be guarded to its end");
    }

    interface Job {}

    interface Jobs {
        Job start();
    }

    static class LaterJob extends CompletableFuture<String> implements Job {}

    @Test
    void a_value_that_happens_to_be_a_stage_is_passed_on_and_warned_about_once() {
        LaterJob job = new LaterJob();
        Jobs safe = policy.wrap(Jobs.class, () -> job);
        try (CapturedLog log = new CapturedLog(Policy.class)) {
            assertThat(safe.start()).isSameAs(job);
            assertThat(safe.start()).isSameAs(job);
            assertThat(log.lines())
                    .singleElement()
                    .asString()
                    .contains("WARN")
                    .contains("Jobs.start()")
                    .contains("only its start");
        }
    }

    interface Values {
        Optional<String> optional();

        java.util.stream.Stream<String> stream();

        java.util.Iterator<String> iterator();
    }

    @Test
    void values_that_are_read_later_are_guarded_until_they_are_returned() {
        Values safe = policy.wrap(Values.class, new Values() {
            @Override
            public Optional<String> optional() {
                return Optional.of("a" + policy.inFlight());
            }

            @Override
            public java.util.stream.Stream<String> stream() {
                return java.util.stream.Stream.of("b").map(it -> it + policy.inFlight());
            }

            @Override
            public java.util.Iterator<String> iterator() {
                return List.of("c").iterator();
            }
        });
        assertThat(safe.optional()).hasValue("a1");
        assertThat(safe.stream()).containsExactly("b0");
        assertThat(safe.iterator()).toIterable().containsExactly("c");
    }

    interface Connection extends Closeable {
        String ask() throws IOException;
    }

    interface Door {
        void close();
    }

    interface Pool extends AutoCloseable {
        @Override
        default void close() {
            shut("by default");
        }

        void shut(String how);

        void close(String how);
    }

    @Nested
    class Close {
        private final List<String> calls = new ArrayList<>();
        private final Policy refusing = new RefusingGate(environment);

        @Test
        void is_not_refused() throws IOException {
            class Real implements Connection {
                @Override
                public String ask() {
                    return "answer";
                }

                @Override
                public void close() {
                    calls.add("closed");
                }
            }
            Connection safe = refusing.wrap(Connection.class, new Real());
            assertThatThrownBy(safe::ask).isInstanceOf(RefusedException.class);
            try (safe) {
                calls.add("in use");
            }
            assertThat(calls).containsExactly("in use", "closed");
        }

        @Test
        void is_not_refused_if_only_the_client_is_closeable() {
            class Real implements Door, AutoCloseable {
                @Override
                public void close() {
                    calls.add("closed");
                }
            }
            refusing.wrap(Door.class, new Real()).close();
            assertThat(calls).containsExactly("closed");
        }

        @Test
        void is_guarded_where_it_closes_no_resource() {
            Door door = refusing.wrap(Door.class, () -> calls.add("closed"));
            assertThatThrownBy(door::close).isInstanceOf(RefusedException.class);
            assertThat(calls).isEmpty();
        }

        @Test
        void with_arguments_is_guarded_and_a_default_one_is_not() {
            Pool pool = Policy.wrap(
                    Pool.class,
                    new Pool() {
                        @Override
                        public void shut(String how) {
                            calls.add(how);
                        }

                        @Override
                        public void close(String how) {
                            calls.add(how);
                        }
                    },
                    method -> refusing);
            pool.close();
            assertThatThrownBy(() -> pool.close("hard")).isInstanceOf(RefusedException.class);
            assertThatThrownBy(() -> pool.shut("hard")).isInstanceOf(RefusedException.class);
            assertThat(calls).containsExactly("by default");
        }
    }

    interface Sneaky {
        String get();
    }

    @Test
    void an_exception_that_the_method_does_not_declare_reaches_the_policy_bare_and_the_caller_wrapped() {
        IOException disk = new IOException("disk");
        List<Throwable> judged = new ArrayList<>();
        Retry retry = Retry.of(
                "r",
                c -> c.maxAttempts(1).outcomes((result, error) -> {
                    judged.add(error);
                    return Verdict.FAILURE;
                }));
        Sneaky safe = retry.wrap(Sneaky.class, () -> WrappedResultsTest.<RuntimeException>sneak(disk));
        assertThatThrownBy(safe::get)
                .isInstanceOf(UndeclaredThrowableException.class)
                .hasCause(disk);
        assertThat(judged).containsOnly(disk);
    }

    @SuppressWarnings("unchecked")
    private static <X extends Throwable> String sneak(Throwable thrown) throws X {
        throw (X) thrown;
    }

    interface Shapes extends Function<String, String> {
        static Shapes of(Shapes shapes) {
            return shapes;
        }

        default String joined(String separator, Object... parts) {
            return glue(separator, parts);
        }

        private String glue(String separator, Object... parts) {
            StringBuilder text = new StringBuilder(separator);
            for (Object part : parts) {
                text.append(apply(String.valueOf(part)));
            }
            return text.toString();
        }

        @Override
        String apply(String text);

        @Override
        boolean equals(Object other);

        @Override
        int hashCode();
    }

    @Test
    void methods_of_every_shape_are_guarded_once() {
        CountingGate gate = new CountingGate(policy);
        Shapes shapes = gate.wrap(Shapes.class, text -> "<" + text + ">");
        Function<String, String> bridge = shapes;
        assertThat(shapes.apply("a")).isEqualTo("<a>");
        assertThat(bridge.apply("b")).isEqualTo("<b>");
        assertThat(shapes.joined("-", "c", 1, null)).isEqualTo("-<c><1><null>");
        assertThat(shapes.joined("-")).isEqualTo("-");
        assertThat(bridge.andThen(String::length).apply("d")).isEqualTo(3);
        assertThat(gate.entered()).isEqualTo(gate.exited()).isEqualTo(5);
        assertThat(shapes.equals(shapes)).isTrue();
        assertThat(shapes.hashCode()).isEqualTo(shapes.hashCode());
        assertThat((Object) shapes).isNotEqualTo("other");
        assertThat(gate.entered()).as("methods of every object are not guarded").isEqualTo(5);
    }
}
