package dev.levee.core;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;

import dev.levee.core.internal.ThrowingLog;
import dev.levee.core.policy.Backoff;
import dev.levee.core.policy.Bulkhead;
import dev.levee.core.policy.Hedge;
import dev.levee.core.policy.Retry;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Every gate that was entered is left, whatever a rule, a listener, a clock, another gate and the log throw. */
class SurvivingGatesTest {
    private static final int[] COUNTS = {1, 2, 4, 6};

    private final RuntimeException failure = new IllegalStateException("the call failed");
    private final List<Permits> made = new ArrayList<>();
    private final ThrowingLog log = new ThrowingLog(
            Gate.class, OutcomeRule.class, Listener.class, Policy.class, Retry.class, Hedge.class, CallFuture.class);

    @AfterEach
    void everyPermitIsBack() {
        log.close();
        assertThat(made)
                .isNotEmpty()
                .allSatisfy(gate -> assertThat(gate.inFlight).hasValue(0));
    }

    private Policy of(int count, OutcomeRule rule, Environment environment, @Nullable Error onExit) {
        Policy[] gates = new Policy[count];
        for (int i = 0; i < count; i++) {
            Permits gate = new Permits("g" + i, rule, environment, i % 2 == 0 ? onExit : null);
            made.add(gate);
            gates[i] = gate;
        }
        return count == 1 ? gates[0] : Pipeline.of(gates);
    }

    private void callInAllForms(Policy policy) {
        assertThat(policy.call(() -> "yes")).isEqualTo("yes");
        assertThat(catchThrowable(() -> policy.call(() -> {
                    throw failure;
                })))
                .isSameAs(failure);
        assertThat(policy.callAsync(() -> CompletableFuture.completedFuture("yes")))
                .isCompletedWithValue("yes");
        CompletableFuture<String> later = new CompletableFuture<>();
        CompletableFuture<String> future = policy.callAsync(() -> later);
        later.completeExceptionally(failure);
        assertThat(catchThrowable(future::join)).hasCause(failure);
    }

    @Test
    void rules_and_the_log_throw() {
        for (int count : COUNTS) {
            callInAllForms(of(
                    count,
                    (result, error) -> {
                        throw new OutOfMemoryError("rule " + count);
                    },
                    Environment.system(),
                    null));
        }
        assertThat(log.events()).isPositive();
    }

    @Test
    void each_gate_has_a_rule_of_its_own_that_throws() {
        Permits[] gates = new Permits[3];
        for (int i = 0; i < 3; i++) {
            int number = i;
            gates[i] = new Permits(
                    "r" + i,
                    (result, error) -> {
                        throw new StackOverflowError("rule " + number);
                    },
                    Environment.system(),
                    null);
            made.add(gates[i]);
        }
        callInAllForms(Pipeline.of(gates));
    }

    @Test
    void listeners_and_the_log_throw() {
        Environment environment = Environment.builder()
                .listener(new Listener() {
                    @Override
                    public void onOutcome(Policy.Kind kind, String policy, Verdict verdict, long elapsedNanos) {
                        throw new OutOfMemoryError("listener");
                    }
                })
                .build();
        for (int count : COUNTS) {
            callInAllForms(of(count, OutcomeRule.standard(), environment, null));
        }
        assertThat(log.events()).isPositive();
    }

    @Test
    void an_exit_and_the_log_throw() {
        for (int count : COUNTS) {
            callInAllForms(of(count, OutcomeRule.standard(), Environment.system(), new OutOfMemoryError("exit")));
        }
        assertThat(log.events()).isPositive();
    }

    @Test
    void the_clock_throws_when_the_call_has_ended() {
        AtomicInteger readings = new AtomicInteger();
        Environment environment = Environment.builder()
                .clock(() -> {
                    if (readings.getAndIncrement() % 2 == 1) {
                        throw new IllegalStateException("clock");
                    }
                    return 0;
                })
                .build();
        for (int count : COUNTS) {
            readings.set(0);
            assertThat(of(count, OutcomeRule.standard(), environment, null).<String, RuntimeException>call(() -> "yes"))
                    .isEqualTo("yes");
        }
    }

    @Test
    void an_exception_whose_own_methods_throw_is_thrown_as_it_is() {
        Hostile hostile = new Hostile();
        for (int count : COUNTS) {
            Policy policy = of(count, OutcomeRule.standard(), Environment.system(), null);
            Throwable thrown = null;
            try {
                policy.call(() -> {
                    throw hostile;
                });
            } catch (Hostile expected) {
                thrown = expected;
            }
            assertThat(thrown == hostile).isTrue();
        }
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void retries_and_hedges_end_although_rule_and_log_throw(boolean hedged) {
        Bulkhead bulkhead = Bulkhead.of("b", 5);
        Permits gate = new Permits("g", OutcomeRule.standard(), Environment.system(), null);
        made.add(gate);
        OutcomeRule rule = (result, error) -> {
            throw new OutOfMemoryError("rule");
        };
        Policy policy = hedged
                ? Hedge.of("h", c -> c.outcomes(rule).delay(Duration.ofHours(1)))
                : Retry.of("r", c -> c.outcomes(rule).maxAttempts(2).backoff(Backoff.fixed(Duration.ZERO)));
        Pipeline pipeline = Pipeline.of(bulkhead, policy, gate);
        assertThat(pipeline.<String, RuntimeException>call(() -> "yes")).isEqualTo("yes");
        assertThat(catchThrowable(() -> pipeline.call(() -> {
                    throw failure;
                })))
                .isNotNull();
        assertThat(pipeline.callAsync(() -> CompletableFuture.completedFuture("yes"))
                        .join())
                .isEqualTo("yes");
        assertThat(bulkhead.inFlight()).isZero();
    }

    private static final class Hostile extends RuntimeException {
        private static final long serialVersionUID = 1L;

        @Override
        public synchronized Throwable getCause() {
            throw new IllegalStateException("cause");
        }
    }

    /** A gate that counts what is in flight, and may throw when it has been left. */
    private static final class Permits implements Gate {
        final AtomicInteger inFlight = new AtomicInteger();
        private final String name;
        private final OutcomeRule rule;
        private final Environment environment;
        private final @Nullable Error onExit;

        Permits(String name, OutcomeRule rule, Environment environment, @Nullable Error onExit) {
            this.name = name;
            this.rule = rule;
            this.environment = environment;
            this.onExit = onExit;
        }

        @Override
        public int timing() {
            return ENTRY | EXIT;
        }

        @Override
        public long tryEnter(long nowNanos) {
            inFlight.incrementAndGet();
            return 1;
        }

        @Override
        public void exit(long stamp, long startNanos, long endNanos, Verdict verdict, long retryAfterNanos) {
            inFlight.decrementAndGet();
            if (onExit != null) {
                throw onExit;
            }
        }

        @Override
        public OutcomeRule outcomes() {
            return rule;
        }

        @Override
        public RefusedException refusal() {
            throw new AssertionError();
        }

        @Override
        public String name() {
            return name;
        }

        @Override
        public Environment environment() {
            return environment;
        }
    }
}
