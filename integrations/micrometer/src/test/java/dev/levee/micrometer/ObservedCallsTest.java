package dev.levee.micrometer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.levee.core.CapturedLog;
import dev.levee.core.Environment;
import dev.levee.core.Inner;
import dev.levee.core.InterruptibleOperation;
import dev.levee.core.Operation;
import dev.levee.core.OutcomeRule;
import dev.levee.core.Pipeline;
import dev.levee.core.policy.Bulkhead;
import dev.levee.core.policy.BulkheadFullException;
import dev.levee.core.policy.Fallback;
import dev.levee.core.policy.Retry;
import dev.levee.core.policy.Timeout;
import dev.levee.core.testing.ManualTime;
import io.micrometer.core.instrument.observation.DefaultMeterObservationHandler;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import io.micrometer.observation.Observation;
import io.micrometer.observation.ObservationHandler;
import io.micrometer.observation.ObservationRegistry;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class ObservedCallsTest {
    /** What happened to observations, and on which threads. */
    static final class Events implements ObservationHandler<Observation.Context> {
        final List<String> lines = Collections.synchronizedList(new ArrayList<>());
        final List<Observation.Context> stopped = Collections.synchronizedList(new ArrayList<>());

        @Override
        public void onStart(Observation.Context context) {
            lines.add("start " + context.getContextualName());
        }

        @Override
        public void onScopeOpened(Observation.Context context) {
            lines.add("open " + Thread.currentThread().getName());
        }

        @Override
        public void onScopeClosed(Observation.Context context) {
            lines.add("close " + Thread.currentThread().getName());
        }

        @Override
        public void onStop(Observation.Context context) {
            stopped.add(context);
            lines.add("stop " + context.getLowCardinalityKeyValue("verdict").getValue());
        }

        @Override
        public boolean supportsContext(Observation.Context context) {
            return true;
        }
    }

    final Events events = new Events();
    final ObservationRegistry registry = ObservationRegistry.create();
    final ExecutorService worker = Executors.newSingleThreadExecutor(task -> new Thread(task, "worker"));
    final String here = Thread.currentThread().getName();

    ObservedCallsTest() {
        registry.observationConfig().observationHandler(events);
    }

    @AfterEach
    void stop() {
        worker.shutdownNow();
        assertThat(registry.getCurrentObservation()).isNull();
    }

    ObservedCalls observed() {
        return ObservedCalls.of("catalog", registry);
    }

    @Test
    void a_call_is_one_observation_with_its_scope_open_while_it_runs() {
        String result = observed().call(() -> {
            assertThat(registry.getCurrentObservation()).isNotNull();
            return "done";
        });

        assertThat(result).isEqualTo("done");
        assertThat(events.lines).containsExactly("start catalog", "open " + here, "close " + here, "stop success");
        assertThat(events.stopped.get(0).getName()).isEqualTo("levee.call");
        assertThat(events.stopped.get(0).getLowCardinalityKeyValue("name").getValue())
                .isEqualTo("catalog");
        assertThat(events.stopped.get(0).getHighCardinalityKeyValues()).isEmpty();
    }

    @Test
    void an_exception_is_recorded_and_comes_out_as_the_same_object() {
        IOException failure = new IOException("down");
        assertThatThrownBy(() -> observed().call(() -> {
                    throw failure;
                }))
                .isSameAs(failure);

        assertThat(events.stopped.get(0).getError()).isSameAs(failure);
        assertThat(events.lines).endsWith("close " + here, "stop failure");
    }

    @Test
    void a_refusal_of_a_policy_further_in_has_a_verdict_of_its_own() {
        Bulkhead bulkhead = Bulkhead.of("full", 1);
        Pipeline guard = Pipeline.of(observed(), bulkhead);
        bulkhead.run(() -> assertThatThrownBy(() -> guard.run(() -> {})).isInstanceOf(BulkheadFullException.class));

        assertThat(events.lines).endsWith("stop refused");
        assertThat(events.stopped.get(0).getError()).isInstanceOf(BulkheadFullException.class);
    }

    @Test
    void a_rule_of_the_user_decides_the_verdict() {
        ObservedCalls policy = ObservedCalls.of(
                "catalog",
                OutcomeRule.standard().onResult(String.class, "bad"::equals, dev.levee.core.Verdict.THROTTLED),
                registry,
                Environment.system());
        policy.call(() -> "bad");
        assertThat(events.lines).endsWith("stop throttled");
    }

    @Test
    void an_operation_on_the_thread_of_a_timeout_has_a_scope_of_that_thread() throws Exception {
        Timeout timeout = Timeout.of("slow", Duration.ofMinutes(1)).onExecutor(worker);
        Pipeline.of(observed(), timeout)
                .run(() -> assertThat(registry.getCurrentObservation()).isNotNull());

        assertThat(events.lines)
                .containsExactly(
                        "start catalog",
                        "open " + here,
                        "open worker",
                        "close worker",
                        "close " + here,
                        "stop success");
        assertThat(worker.submit(() -> registry.getCurrentObservation()).get()).isNull();
    }

    @Test
    void each_attempt_of_a_retry_later_on_has_the_scope() throws Exception {
        ManualTime time = new ManualTime();
        Pipeline guard = Pipeline.of(
                ObservedCalls.of("catalog", OutcomeRule.standard(), registry, time.environment()),
                Retry.of("catalog", config -> config.maxAttempts(3).idempotent(true), time.environment()));
        AtomicInteger attempts = new AtomicInteger();
        List<Observation> seen = Collections.synchronizedList(new ArrayList<>());
        CompletableFuture<String> future = guard.callAsync(() -> {
            seen.add(registry.getCurrentObservation());
            return attempts.incrementAndGet() < 3
                    ? CompletableFuture.failedFuture(new IOException("down"))
                    : CompletableFuture.completedFuture("up");
        });
        assertThat(registry.getCurrentObservation()).isNull();
        while (!future.isDone()) {
            time.advance(Duration.ofSeconds(10));
        }

        assertThat(future.join()).isEqualTo("up");
        assertThat(seen).hasSize(3).doesNotContainNull();
        assertThat(seen.get(1)).isSameAs(seen.get(0));
        assertThat(events.stopped).hasSize(1);
        assertThat(events.lines.stream().filter(line -> line.startsWith("open")))
                .hasSameSizeAs(events.lines.stream()
                        .filter(line -> line.startsWith("close"))
                        .toList());
        assertThat(events.lines).endsWith("stop success");
    }

    @Test
    void an_asynchronous_call_ends_with_its_stage_and_carries_its_error() {
        CompletableFuture<String> stage = new CompletableFuture<>();
        CompletableFuture<String> future = observed().callAsync(() -> stage);
        assertThat(events.lines).containsExactly("start catalog", "open " + here, "close " + here);

        IOException failure = new IOException("down");
        stage.completeExceptionally(new CompletionException(failure));
        assertThatThrownBy(future::join).hasCause(failure);
        assertThat(events.stopped.get(0).getError()).isSameAs(failure);
        assertThat(events.lines).endsWith("stop failure");
    }

    @Test
    void a_cancel_reaches_the_work_and_the_observation_ends_with_it() {
        CompletableFuture<String> stage = new CompletableFuture<>();
        CompletableFuture<String> future = observed().callAsync(() -> stage);
        future.cancel(true);

        assertThat(stage).isCancelled();
        assertThat(events.lines).endsWith("stop ignored");
        assertThat(events.stopped.get(0).getError()).isInstanceOf(CancellationException.class);
    }

    @Test
    void an_operation_that_throws_instead_of_giving_a_stage_ends_the_observation() {
        CompletableFuture<String> future = observed().callAsync(() -> {
            throw new IllegalStateException("no stage");
        });
        assertThat(future).isCompletedExceptionally();
        assertThat(events.lines).endsWith("close " + here, "stop failure");
        assertThat(observed().callAsync(() -> (CompletionStage<String>) null)).isCompletedExceptionally();
    }

    @Test
    void an_interruptible_call_stays_interruptible() throws Throwable {
        ObservedCalls policy = observed();
        assertThatThrownBy(() -> policy.callInterruptibly(() -> {
                    throw new InterruptedException("stop");
                }))
                .isInstanceOf(InterruptedException.class);
        List<Operation<?, ?>> seen = new ArrayList<>();
        policy.around(spy(seen), (InterruptibleOperation<String, IOException>) () -> "a");
        policy.around(spy(seen), (Operation<String, IOException>) () -> "a");
        assertThat(seen.get(0)).isInstanceOf(InterruptibleOperation.class);
        assertThat(seen.get(1)).isNotInstanceOf(InterruptibleOperation.class);
    }

    private static Inner spy(List<Operation<?, ?>> seen) {
        return new Inner() {
            @Override
            public <T, X extends Throwable> T call(Operation<T, X> operation) throws X {
                seen.add(operation);
                return operation.run();
            }

            @Override
            public <T> CompletableFuture<T> callAsync(
                    java.util.function.Supplier<? extends CompletionStage<T>> operation) {
                return operation.get().toCompletableFuture();
            }
        };
    }

    interface Client {
        String read(String key) throws IOException;

        CompletableFuture<String> readLater(String key);
    }

    @Test
    void a_fallback_further_in_still_sees_the_call_of_a_client() throws Exception {
        Fallback fallback = Fallback.chain(
                "catalog", config -> config.thenFor("cached", (call, error) -> "instead of " + call.arguments()));
        Client failing = new Client() {
            @Override
            public String read(String key) throws IOException {
                throw new IOException("down");
            }

            @Override
            public CompletableFuture<String> readLater(String key) {
                return CompletableFuture.failedFuture(new IOException("down"));
            }
        };
        Client client = Pipeline.of(observed(), fallback).wrap(Client.class, failing);

        assertThat(client.read("a")).isEqualTo("instead of [a]");
        assertThat(client.readLater("b").get(10, TimeUnit.SECONDS)).isEqualTo("instead of [b]");
        assertThat(events.lines).filteredOn("stop success"::equals).hasSize(2);
    }

    @Test
    void a_handler_that_throws_does_not_disturb_the_call() {
        ObservationRegistry hostile = ObservationRegistry.create();
        hostile.observationConfig().observationHandler(new ObservationHandler<>() {
            @Override
            public void onScopeOpened(Observation.Context context) {
                throw new IllegalStateException("open");
            }

            @Override
            public void onScopeClosed(Observation.Context context) {
                throw new IllegalStateException("close");
            }

            @Override
            public void onError(Observation.Context context) {
                throw new IllegalStateException("error");
            }

            @Override
            public void onStop(Observation.Context context) {
                throw new IllegalStateException("stop");
            }

            @Override
            public boolean supportsContext(Observation.Context context) {
                return true;
            }
        });
        try (CapturedLog log = new CapturedLog(ObservedCalls.class)) {
            ObservedCalls policy = ObservedCalls.of("catalog", hostile);
            for (int i = 0; i < 3; i++) {
                assertThat(policy.<String, RuntimeException>call(() -> "done")).isEqualTo("done");
                assertThat(policy.callAsync(() -> CompletableFuture.completedFuture("done"))
                                .join())
                        .isEqualTo("done");
                assertThatThrownBy(() -> policy.run(() -> {
                            throw new IOException("down");
                        }))
                        .isInstanceOf(IOException.class)
                        .hasNoSuppressedExceptions();
            }
            assertThat(log.lines()).hasSizeBetween(2, 4).allMatch(line -> line.contains("observed calls \"catalog\""));
        }
    }

    @Test
    void without_handlers_nothing_is_made() {
        ObservedCalls policy = ObservedCalls.of("catalog", ObservationRegistry.NOOP);
        List<Operation<?, ?>> seen = new ArrayList<>();
        Operation<String, RuntimeException> operation = () -> "a";
        policy.around(spy(seen), operation);
        assertThat(seen).containsExactly(operation);
    }

    @Test
    void a_handler_of_meters_makes_a_timer_with_the_same_tags_for_all() {
        SimpleMeterRegistry meters = new SimpleMeterRegistry();
        registry.observationConfig().observationHandler(new DefaultMeterObservationHandler(meters));
        observed()
                .run(() -> assertThat(meters.get("levee.call.active")
                                .tags("name", "catalog")
                                .longTaskTimer()
                                .activeTasks())
                        .isEqualTo(1));

        assertThat(meters.get("levee.call")
                        .tags("name", "catalog", "verdict", "success")
                        .timer()
                        .count())
                .isEqualTo(1);
    }

    @Test
    void wrong_arguments_are_refused() {
        assertThatThrownBy(() -> ObservedCalls.of(" ", registry)).isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> ObservedCalls.of("a", null)).isInstanceOf(NullPointerException.class);
    }
}
