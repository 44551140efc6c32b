package dev.levee.core;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatNullPointerException;

import dev.levee.core.policy.Backoff;
import dev.levee.core.policy.Retry;
import dev.levee.core.policy.Timeout;
import dev.levee.core.testing.ManualTime;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.slf4j.MDC;

class ContextCarrierTest {
    private final ManualTime time = new ManualTime();
    private final Queue<Runnable> handed = new ArrayDeque<>();
    private final List<String> steps = new ArrayList<>();

    @AfterEach
    void clear() {
        MDC.clear();
    }

    private Environment carrying(ContextCarrier... carriers) {
        return time.environment().toBuilder()
                .executor(handed::add)
                .context(carriers)
                .build();
    }

    private void runHanded() {
        while (!handed.isEmpty()) {
            handed.remove().run();
        }
    }

    /** Notes what is done with it. */
    private ContextCarrier noting(String name) {
        return () -> {
            steps.add("capture " + name);
            return () -> {
                steps.add("restore " + name);
                return () -> steps.add("close " + name);
            };
        };
    }

    private Retry retry(Environment environment) {
        return Retry.of(
                "catalog", config -> config.maxAttempts(3).backoff(Backoff.fixed(Duration.ofMillis(1))), environment);
    }

    @Test
    void the_mdc_of_the_caller_is_seen_by_each_attempt_and_the_thread_gets_back_its_own() {
        List<Map<String, String>> seen = new ArrayList<>();
        List<CompletableFuture<String>> stages = new ArrayList<>();
        MDC.put("order", "17");

        CompletableFuture<String> call = retry(carrying(ContextCarrier.mdc())).callAsync(() -> {
            seen.add(MDC.getCopyOfContextMap());
            MDC.put("attempt", "spoils it");
            CompletableFuture<String> stage = new CompletableFuture<>();
            stages.add(stage);
            return stage;
        });
        MDC.clear();
        MDC.put("worker", "1"); // from here on, the thread is that of a pool
        for (int i = 0; i < 2; i++) {
            stages.get(i).completeExceptionally(new IOException("down"));
            time.advance(Duration.ofMillis(1));
            runHanded();
        }
        stages.get(2).complete("answer");

        assertThat(call).isCompletedWithValue("answer");
        assertThat(seen).hasSize(3).allMatch(map -> map.equals(Map.of("order", "17")));
        assertThat(MDC.getCopyOfContextMap()).containsExactlyEntriesOf(Map.of("worker", "1"));
    }

    @Test
    void a_thread_without_an_mdc_has_none_again_and_a_caller_without_one_hides_that_of_the_thread() {
        Environment environment = carrying(ContextCarrier.mdc());
        CallContext none = environment.capture();
        MDC.put("order", "17");
        CallContext one = environment.capture();

        none.run(() -> assertThat(MDC.get("order")).isNull());
        assertThat(MDC.get("order")).isEqualTo("17");
        MDC.clear();
        one.run(() -> assertThat(MDC.get("order")).isEqualTo("17"));
        assertThat(MDC.get("order")).isNull();
    }

    @Test
    void a_capture_is_not_written_to_by_one_of_the_attempts_it_is_for() {
        MDC.put("user", "caller");
        CallContext captured = carrying(ContextCarrier.mdc()).capture();

        captured.run(() -> MDC.put("user", "another"));

        captured.run(() -> assertThat(MDC.get("user")).isEqualTo("caller"));
        assertThat(MDC.get("user")).isEqualTo("caller");
    }

    @Test
    void carriers_are_restored_in_their_order_and_closed_in_the_reverse_one_also_after_an_exception() {
        CallContext captured = carrying(noting("a"), noting("b")).capture();

        assertThat(org.assertj.core.api.Assertions.catchThrowable(() -> captured.call(() -> {
                    steps.add("run");
                    throw new IOException("down");
                })))
                .isInstanceOf(IOException.class);

        assertThat(steps)
                .containsExactly("capture a", "capture b", "restore a", "restore b", "run", "close b", "close a");
    }

    @Test
    void what_a_carrier_throws_costs_neither_the_call_nor_the_other_carriers() {
        ContextCarrier noCapture = () -> {
            throw new IllegalStateException("no capture");
        };
        ContextCarrier noRestore = () -> () -> {
            throw new IllegalStateException("no restore");
        };
        ContextCarrier noClose = () -> () -> () -> {
            throw new IllegalStateException("no close");
        };
        try (CapturedLog log = new CapturedLog(ContextCarrier.class)) {
            CallContext captured = carrying(noting("a"), noCapture, noRestore, noClose, () -> null, noting("b"))
                    .capture();
            assertThat(captured.<String, RuntimeException>call(() -> "answer")).isEqualTo("answer");
            assertThat(log.lines()).hasSize(3).allMatch(line -> line.startsWith("WARN context carrier \""));
        }
        assertThat(steps).containsExactly("capture a", "capture b", "restore a", "restore b", "close b", "close a");
    }

    @Test
    void a_context_that_is_made_of_a_captured_one_carries_too_and_the_current_one_within_does_not() {
        CallContext captured = carrying(noting("a")).capture().withAttempt(2).withCohort(3);
        steps.clear();

        captured.run(() -> {
            assertThat(CallContext.current().attempt()).isEqualTo(2);
            assertThat(CallContext.current().cohort()).isEqualTo(3);
            CallContext.current().withAttempt(4).run(() -> steps.add("within"));
        });

        assertThat(steps).containsExactly("restore a", "within", "close a");
        assertThat(CallContext.current().attempt()).isEqualTo(1);
    }

    @Test
    void a_task_is_carried_with_what_its_maker_had_and_without_the_context_of_the_call() {
        Environment environment = carrying(noting("a"));
        Runnable[] task = {() -> {}};
        CallContext.current()
                .withAttempt(2)
                .run(() -> task[0] = environment.carry(
                        () -> steps.add("attempt " + CallContext.current().attempt())));

        task[0].run();

        assertThat(steps).containsExactly("capture a", "restore a", "attempt 1", "close a");
    }

    @Test
    void without_a_carrier_nothing_is_wrapped_and_no_object_is_made() {
        Environment environment = time.environment();
        Runnable task = () -> {};

        assertThat(environment.carriesContext()).isFalse();
        assertThat(environment.carry(task)).isSameAs(task);
        assertThat(environment.capture()).isSameAs(CallContext.current());
        assertThat(environment.capture().carry(task)).isSameAs(task);
        assertThat(carrying().carriesContext()).isFalse();
        assertThat(carrying(noting("a")).toBuilder().build().carriesContext()).isTrue();
        assertThat(carrying(noting("a")).toBuilder().context().build().carriesContext())
                .isFalse();
    }

    @Test
    void a_call_that_stays_on_its_thread_captures_nothing() throws Exception {
        AtomicInteger attempts = new AtomicInteger();
        ContextCarrier never = () -> {
            throw new AssertionError("captured");
        };
        Environment environment = Environment.builder().context(never).build();
        Timeout timeout = Timeout.of("slow", Duration.ofSeconds(1), environment);

        Pipeline.of(retry(environment), timeout).run(() -> {
            if (attempts.incrementAndGet() < 3) {
                throw new IOException("down");
            }
        });

        assertThat(attempts).hasValue(3);
    }

    @Test
    void carriers_that_are_null_are_refused() {
        Environment.Builder builder = Environment.builder();

        assertThatNullPointerException()
                .isThrownBy(() -> builder.context((ContextCarrier[]) null))
                .withMessageContaining("values");
        assertThatNullPointerException()
                .isThrownBy(() -> builder.context(ContextCarrier.mdc(), null))
                .withMessageContaining("carrier");
    }
}
