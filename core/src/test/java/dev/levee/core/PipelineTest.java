package dev.levee.core;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.levee.core.policy.Bulkhead;
import dev.levee.core.policy.Fallback;
import dev.levee.core.policy.Retry;
import dev.levee.core.policy.Timeout;
import dev.levee.core.testing.ManualTime;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Supplier;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;

class PipelineTest {
    private final ManualTime time = new ManualTime();
    private final AtomicInteger clockReads = new AtomicInteger();
    private final NanoClock clock = () -> {
        clockReads.incrementAndGet();
        return time.environment().clock().nanoTime();
    };
    private final Environment environment =
            time.environment().toBuilder().clock(clock).build();
    private final List<String> events = new ArrayList<>();

    @Nested
    class Reading {
        @Test
        void prints_the_order_outermost_first() {
            Pipeline pipeline = Pipeline.of(
                    Fallback.of("f", error -> null),
                    Retry.of("r"),
                    new TestGate("mine", 0, Environment.system()),
                    Timeout.of("t", Duration.ofSeconds(1)),
                    Bulkhead.of("b", 1));
            assertThat(pipeline).hasToString("fallback(retry(mine(timeout(bulkhead(call)))))");
        }

        @Test
        void takes_nested_pipelines_apart() {
            Policy inner = Bulkhead.of("b", 1);
            Policy outer = Retry.of("r");
            Pipeline pipeline = Pipeline.of(outer, Pipeline.of(inner));
            assertThat(pipeline.policies()).containsExactly(outer, inner);
            assertThat(pipeline.name()).isEqualTo("r");
        }

        @Test
        void measures_every_member() {
            List<String> metrics = new ArrayList<>();
            Pipeline.of(Retry.of("r"), Bulkhead.of("b", 7))
                    .measure((policy, metric, value) -> metrics.add(policy + " " + metric + " " + value));
            assertThat(metrics).contains("r retry.repeated 0.0", "b bulkhead.limit 7.0");
        }
    }

    @Nested
    class Building {
        @Test
        void without_policies_calls_go_straight_through() throws Exception {
            Pipeline empty = Pipeline.of();

            assertThat(empty.call(() -> "done")).isEqualTo("done");
            assertThat(empty.callAsync(() -> CompletableFuture.completedFuture("done"))
                            .get())
                    .isEqualTo("done");
            assertThatThrownBy(() -> empty.run(() -> {
                        throw new IOException("down");
                    }))
                    .isInstanceOf(IOException.class);
            assertThat(empty.policies()).isEmpty();
            assertThat(empty.name()).isEqualTo("empty");
            assertThat(empty).hasToString("call");
            assertThat(Pipeline.of(empty, Retry.of("r"))).hasToString("retry(call)");
            empty.measure((policy, metric, value) -> {
                throw new AssertionError(metric);
            });
        }

        @Test
        void refuses_the_same_object_twice() {
            Policy twice = Bulkhead.of("db", 1);
            assertThatThrownBy(() -> Pipeline.of(twice, Retry.of("r"), twice))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessageContaining("\"db\" stands in the pipeline twice");
        }

        @Test
        void refuses_different_clocks() {
            assertThatThrownBy(() -> Pipeline.of(new TestGate("manual", 0), Bulkhead.of("system", 1)))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessageContaining("one clock")
                    .hasMessageContaining("manual")
                    .hasMessageContaining("system");
        }

        @Test
        void names_a_null_policy() {
            assertThatThrownBy(() -> Pipeline.of(Retry.of("r"), null))
                    .isInstanceOf(NullPointerException.class)
                    .hasMessage("policy");
        }
    }

    @Test
    void two_policies_of_one_kind_and_name_are_warned_about_once() {
        try (CapturedLog log = new CapturedLog(Pipeline.class)) {
            for (int i = 0; i < 2; i++) {
                Pipeline.of(Bulkhead.of("same", 1), Timeout.of("same", Duration.ofSeconds(1)), Bulkhead.of("same", 2));
            }

            assertThat(log.lines())
                    .filteredOn(line -> line.contains("two policies"))
                    .singleElement()
                    .asString()
                    .contains("WARN", "bulkhead \"same\"", "different names");
        }
    }

    @Nested
    class HarmfulOrders {
        private List<String> warningsOf(Runnable building) {
            try (CapturedLog log = new CapturedLog(Pipeline.class)) {
                building.run();
                building.run();
                return log.lines();
            }
        }

        @Test
        void each_is_warned_about_once_with_pair_and_reason() {
            Policy timeout = Timeout.of("order-t", Duration.ofSeconds(1));
            Policy bulkhead = Bulkhead.of("order-b", 1);
            assertThat(warningsOf(() -> Pipeline.of(bulkhead, timeout)))
                    .singleElement()
                    .asString()
                    .startsWith("WARN")
                    .contains("bulkhead(timeout)", "order-b", "order-t", "inside the timeout");
        }

        @Test
        void a_policy_in_between_does_not_hide_it() {
            assertThat(warningsOf(() -> Pipeline.of(
                            Retry.of("between-r"),
                            Timeout.of("between-t", Duration.ofSeconds(1)),
                            Fallback.of("between-f", error -> null))))
                    .singleElement()
                    .asString()
                    .contains("retry(fallback)");
        }

        @Test
        void all_others_are_known() {
            assertThat(warningsOf(() -> Pipeline.of(Retry.of("twice-1"), Retry.of("twice-2"))))
                    .singleElement()
                    .asString()
                    .contains("retry(retry)", "multiply");
            assertThat(warningsOf(() -> Pipeline.of(
                            new TestGate("known-b", 0).as(Policy.Kind.BREAKER),
                            Fallback.of("known-f", error -> true, error -> null, environment))))
                    .singleElement()
                    .asString()
                    .contains("breaker(fallback)");
            assertThat(warningsOf(() -> Pipeline.of(
                            new TestGate("known-h", 0).as(Policy.Kind.HEDGE),
                            Retry.of("known-r", config -> {}, environment))))
                    .singleElement()
                    .asString()
                    .contains("hedge(retry)");
        }

        @Test
        void a_breaker_around_a_timeout_around_a_bulkhead_is_warned_about_if_calls_may_wait_there() {
            Policy breaker = new TestGate("queue-cb", 0).as(Policy.Kind.BREAKER);
            Policy timeout = Timeout.of("queue-t", Duration.ofSeconds(1), environment);
            Policy between = Retry.of("queue-r", config -> config.idempotent(true), environment);
            Policy queue = Bulkhead.of("queue-b", config -> config.queue(1, Duration.ofSeconds(1)), environment);
            assertThat(warningsOf(() -> Pipeline.of(breaker, Pipeline.of(timeout, between), queue)))
                    .singleElement()
                    .asString()
                    .startsWith("WARN Harmful order breaker(timeout(bulkhead)): breaker \"queue-cb\" stands around")
                    .contains("\"queue-t\" stands around bulkhead \"queue-b\": ", "give the bulkhead no queue");
            Policy plain = Bulkhead.of("queue-none", 1, environment);
            assertThat(warningsOf(() -> {
                        Pipeline.of(breaker, timeout, plain);
                        Pipeline.of(timeout, breaker, queue);
                        Pipeline.of(timeout, queue, breaker);
                    }))
                    .isEmpty();
        }

        @Test
        void the_recommended_order_is_silent() {
            assertThat(warningsOf(() -> Pipeline.of(
                            Fallback.of("fine-f", error -> null),
                            Retry.of("fine-r"),
                            Timeout.of("fine-t", Duration.ofSeconds(1)),
                            Bulkhead.of("fine-b", 1))))
                    .isEmpty();
        }
    }

    @Nested
    class Stamps {
        @Test
        void no_clock_is_read_when_no_gate_needs_time() {
            Pipeline.of(new TestGate("a", 0), new TestGate("b", 0)).run(() -> {});
            assertThat(clockReads).hasValue(0);
        }

        @Test
        void adjacent_gates_share_one_stamp_at_the_start_and_one_at_the_end() {
            for (int gates = 1; gates <= 6; gates++) {
                Policy[] all = new Policy[gates];
                for (int i = 0; i < gates; i++) {
                    all[i] = new TestGate("g" + i, Gate.ENTRY | Gate.EXIT);
                }
                clockReads.set(0);
                Pipeline.of(all).run(() -> time.advance(Duration.ofNanos(7)));
                assertThat(clockReads).as("%d gates", gates).hasValue(2);
                for (Policy gate : all) {
                    assertThat(((TestGate) gate).elapsed).containsExactly(7L);
                }
            }
        }

        @Test
        void a_gate_that_needs_only_the_entry_costs_one_read() {
            Pipeline.of(new TestGate("a", 0), new TestGate("limiter", Gate.ENTRY))
                    .run(() -> {});
            assertThat(clockReads).hasValue(1);
        }

        @Test
        void a_policy_that_repeats_starts_a_new_segment() {
            TestGate outer = new TestGate("outer", Gate.ENTRY | Gate.EXIT);
            TestGate inner = new TestGate("inner", Gate.ENTRY | Gate.EXIT);
            AtomicInteger calls = new AtomicInteger();
            Pipeline.of(outer, new Twice(), inner).run(() -> time.advance(Duration.ofNanos(calls.incrementAndGet())));
            assertThat(outer.elapsed).containsExactly(3L);
            assertThat(inner.elapsed).containsExactly(1L, 2L);
        }

        @Test
        void time_in_the_queue_is_never_part_of_the_duration() {
            TestGate outer = new TestGate("outer", Gate.ENTRY | Gate.EXIT);
            TestGate inner = new TestGate("inner", Gate.ENTRY | Gate.EXIT);
            Bulkhead queue =
                    Bulkhead.of("q", config -> config.maxConcurrent(1).queue(1, Duration.ofHours(1)), environment);
            Pipeline pipeline = Pipeline.of(outer, queue, inner);
            CompletableFuture<String> first = new CompletableFuture<>();
            CompletableFuture<String> second = new CompletableFuture<>();
            pipeline.callAsync(() -> first);
            CompletableFuture<String> waiting = pipeline.callAsync(() -> second);
            time.advance(Duration.ofNanos(100));
            first.complete("first");
            time.runReady();
            time.advance(Duration.ofNanos(5));
            second.complete("second");
            assertThat(waiting).isCompletedWithValue("second");
            assertThat(outer.elapsed).containsExactly(100L, 5L);
            assertThat(inner.elapsed).containsExactly(100L, 5L);
        }

        @Test
        void a_listener_makes_every_call_timed_and_gets_the_outcome_of_each_gate() {
            List<String> heard = new ArrayList<>();
            Environment listening = environment.toBuilder()
                    .listener(new Listener() {
                        @Override
                        public void onOutcome(Policy.Kind kind, String policy, Verdict verdict, long elapsedNanos) {
                            heard.add(policy + " " + verdict + " " + elapsedNanos);
                        }
                    })
                    .build();
            Pipeline.of(new TestGate("a", 0, listening), new TestGate("b", 0, listening))
                    .run(() -> time.advance(Duration.ofNanos(3)));
            assertThat(heard).containsExactlyInAnyOrder("a SUCCESS 3", "b SUCCESS 3");
        }
    }

    @Nested
    class Judging {
        private final AtomicInteger judged = new AtomicInteger();
        private final OutcomeRule counting = (result, error) -> {
            judged.incrementAndGet();
            return Verdict.SUCCESS;
        };

        @Test
        void happens_once_for_each_distinct_rule() {
            TestGate[] gates = {
                new TestGate("a", 0).with(counting),
                new TestGate("b", 0).with((result, error) -> Verdict.FAILURE),
                new TestGate("c", 0).with(counting)
            };
            Pipeline.of(gates).run(() -> {});
            assertThat(judged).hasValue(1);
            assertThat(gates[0].verdicts).containsExactly(Verdict.SUCCESS);
            assertThat(gates[1].verdicts).containsExactly(Verdict.FAILURE);
            assertThat(gates[2].verdicts).containsExactly(Verdict.SUCCESS);
        }
    }

    @Nested
    class Walking {
        @Test
        void gates_are_left_in_the_reverse_order_of_entering() {
            for (int gates = 2; gates <= 6; gates++) {
                events.clear();
                List<Policy> all = new ArrayList<>();
                List<String> expected = new ArrayList<>();
                for (int i = 0; i < gates; i++) {
                    all.add(new TestGate("g" + i, 0));
                    expected.add(i, "+g" + i);
                    expected.add(i + 1, "-g" + i);
                }
                Pipeline.of(all.toArray(new Policy[0])).run(() -> {});
                assertThat(events).containsExactlyElementsOf(expected);
            }
        }

        @Test
        void a_foreign_policy_takes_part() {
            Policy foreign = new Policy() {
                @Override
                public String name() {
                    return "foreign";
                }

                @Override
                public Environment environment() {
                    return environment;
                }

                @Override
                public <T, X extends Throwable> T call(Operation<T, X> operation) throws X {
                    events.add("foreign");
                    return operation.run();
                }

                @Override
                public <T> CompletableFuture<T> callAsync(Supplier<? extends CompletionStage<T>> operation) {
                    events.add("foreign async");
                    return operation.get().toCompletableFuture();
                }
            };
            Pipeline pipeline = Pipeline.of(new TestGate("a", 0), foreign, new TestGate("b", 0));
            assertThat(pipeline).hasToString("a(foreign(b(call)))");
            assertThat(pipeline.<String, RuntimeException>call(() -> "yes")).isEqualTo("yes");
            assertThat(pipeline.callAsync(() -> CompletableFuture.completedFuture("yes")))
                    .isCompletedWithValue("yes");
            assertThat(events)
                    .containsExactly("+a", "foreign", "+b", "-b", "-a", "+a", "foreign async", "+b", "-b", "-a");
        }
    }

    /** A policy that runs everything inside it twice. */
    private final class Twice implements Around {
        @Override
        public String name() {
            return "twice";
        }

        @Override
        public Environment environment() {
            return environment;
        }

        @Override
        public <T, X extends Throwable> T around(Inner inner, Operation<T, X> operation) throws X {
            inner.call(operation);
            return inner.call(operation);
        }

        @Override
        public <T> CompletableFuture<T> aroundAsync(Inner inner, Supplier<? extends CompletionStage<T>> operation) {
            return inner.callAsync(operation).thenCompose(ignored -> inner.callAsync(operation));
        }
    }

    /** Admits every call and records what is reported to it. */
    private final class TestGate implements Gate {
        private final String name;
        private final int timing;
        private final Environment environment;
        private OutcomeRule rule = OutcomeRule.standard();
        private Kind kind = Kind.OTHER;
        final List<Long> elapsed = new ArrayList<>();
        final List<Verdict> verdicts = new ArrayList<>();

        TestGate(String name, int timing) {
            this(name, timing, PipelineTest.this.environment);
        }

        TestGate(String name, int timing, Environment environment) {
            this.name = name;
            this.timing = timing;
            this.environment = environment;
        }

        TestGate with(OutcomeRule other) {
            rule = other;
            return this;
        }

        TestGate as(Kind other) {
            kind = other;
            return this;
        }

        @Override
        public int timing() {
            return timing;
        }

        @Override
        public long tryEnter(long nowNanos) {
            events.add("+" + name);
            return 1;
        }

        @Override
        public void exit(long stamp, long startNanos, long endNanos, Verdict verdict, long retryAfterNanos) {
            events.add("-" + name);
            elapsed.add(endNanos - startNanos);
            verdicts.add(verdict);
        }

        @Override
        public OutcomeRule outcomes() {
            return rule;
        }

        @Override
        public RefusedException refusal() {
            throw new AssertionError("never refuses");
        }

        @Override
        public String name() {
            return name;
        }

        @Override
        public Kind kind() {
            return kind;
        }

        @Override
        public Environment environment() {
            return environment;
        }
    }
}
