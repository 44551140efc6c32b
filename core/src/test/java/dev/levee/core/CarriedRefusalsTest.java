package dev.levee.core;

import static java.time.Duration.ofMillis;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;

import dev.levee.core.policy.Backoff;
import dev.levee.core.policy.Bulkhead;
import dev.levee.core.policy.BulkheadFullException;
import dev.levee.core.policy.Hedge;
import dev.levee.core.policy.Retry;
import dev.levee.core.policy.RetryBudget;
import dev.levee.core.testing.ManualTime;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.UndeclaredThrowableException;
import java.net.ConnectException;
import java.net.SocketException;
import java.sql.SQLException;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Function;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Refusals, and errors of listed types, in exceptions that only carry them. */
class CarriedRefusalsTest {
    private final ManualTime time = new ManualTime();
    private final Environment environment =
            time.environment().toBuilder().executor(time::start).build();
    private final Bulkhead full = Bulkhead.of("full", 1, environment);
    private final CountingGate gate = new CountingGate(Bulkhead.of("b", 9, environment));

    CarriedRefusalsTest() {
        full.tryEnter(0);
    }

    private static Stream<Function<Throwable, Throwable>> wrappers() {
        return Stream.of(
                error -> new ExecutionException(error),
                error -> new CompletionException(error),
                error -> new ExecutionException(new CompletionException(error)),
                error -> new UndeclaredThrowableException(error),
                error -> new InvocationTargetException(error),
                error -> new SQLException("no connection", error),
                error -> new CompletionException(new UndeclaredThrowableException(new ExecutionException(error))));
    }

    private Operation<String, Throwable> refused(Function<Throwable, Throwable> wrapper, AtomicInteger calls) {
        return () -> {
            calls.incrementAndGet();
            try {
                return full.call(() -> "never");
            } catch (RefusedException refused) {
                throw wrapper.apply(refused);
            }
        };
    }

    private Retry retry(OutcomeRule rule) {
        return Retry.of(
                "r",
                c -> c.outcomes(rule)
                        .maxAttempts(5)
                        .backoff(Backoff.fixed(ofMillis(0)))
                        .budget(RetryBudget.unlimited()),
                environment);
    }

    @ParameterizedTest
    @MethodSource("wrappers")
    void are_no_evidence_and_are_repeated(Function<Throwable, Throwable> wrapper) {
        AtomicInteger calls = new AtomicInteger();
        Throwable thrown = catchThrowable(
                () -> Pipeline.of(retry(OutcomeRule.standard()), gate).call(refused(wrapper, calls)));
        assertThat(thrown).isInstanceOf(wrapper.apply(new IOException()).getClass());
        assertThat(calls).hasValue(5);
        assertThat(gate.verdicts()).hasSize(5).containsOnly(Verdict.IGNORED);
    }

    @ParameterizedTest
    @MethodSource("wrappers")
    void are_judged_by_a_rule_that_names_them(Function<Throwable, Throwable> wrapper) {
        OutcomeRule byType = OutcomeRule.standard().onError(BulkheadFullException.class, Verdict.IGNORED);
        OutcomeRule byCause = OutcomeRule.standard().onCause(BulkheadFullException.class, Verdict.IGNORED);
        for (OutcomeRule rule : new OutcomeRule[] {byType, byCause}) {
            AtomicInteger calls = new AtomicInteger();
            assertThat(catchThrowable(() -> retry(rule).call(refused(wrapper, calls))))
                    .isNotNull();
            assertThat(calls).hasValue(1);
        }
        Throwable thrown = wrapper.apply(full.refusal());
        OutcomeRule counts = OutcomeRule.standard().onCause(BulkheadFullException.class, Verdict.FAILURE);
        assertThat(Outcomes.judge(counts, null, thrown)).isEqualTo(Verdict.FAILURE);
        assertThat(Outcomes.judge(counts, null, full.refusal())).isEqualTo(Verdict.FAILURE);
        assertThat(Outcomes.judge(OutcomeRule.failures(BulkheadFullException.class), null, thrown))
                .isEqualTo(Verdict.FAILURE);
    }

    @ParameterizedTest
    @MethodSource("wrappers")
    void stop_a_hedge_from_starting_another_attempt(Function<Throwable, Throwable> wrapper) {
        AtomicInteger calls = new AtomicInteger();
        Hedge hedge = Hedge.of("h", c -> c.delay(ofMillis(9)).budget(RetryBudget.unlimited()), environment);
        Throwable[] thrown = new Throwable[1];
        time.start(() -> thrown[0] = catchThrowable(() -> hedge.call(refused(wrapper, calls))));
        time.runReady();
        assertThat(thrown[0]).isNotNull();
        assertThat(calls).hasValue(1);
    }

    @ParameterizedTest
    @MethodSource("wrappers")
    void of_listed_types_are_failures(Function<Throwable, Throwable> wrapper) {
        OutcomeRule listed = OutcomeRule.failures(SocketException.class);
        assertThat(Outcomes.judge(listed, null, wrapper.apply(new ConnectException())))
                .isEqualTo(Verdict.FAILURE);
        assertThat(Outcomes.judge(listed, null, wrapper.apply(new IOException())))
                .isEqualTo(Verdict.IGNORED);
        assertThat(Outcomes.judge(listed, null, new UncheckedIOException(new SocketException("reset"))))
                .isEqualTo(Verdict.FAILURE);
        assertThat(Outcomes.judge(listed, null, new IllegalStateException(new SocketException("of a client"))))
                .as("a type that is no mere wrapper")
                .isEqualTo(Verdict.IGNORED);
    }

    @Test
    void have_a_hint() {
        RefusedException hinting = new RefusedException("b", "full", () -> 7, false) {
            private static final long serialVersionUID = 1L;

            @Override
            public RefusedException detached() {
                return this;
            }
        };
        assertThat(Outcomes.retryAfterNanos(
                        OutcomeRule.standard(), Verdict.IGNORED, null, new UndeclaredThrowableException(hinting)))
                .isEqualTo(7);
    }
}
