package dev.levee.core.policy;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowable;

import dev.levee.core.CapturedLog;
import dev.levee.core.CountingGate;
import dev.levee.core.Pipeline;
import dev.levee.core.RefusedException;
import dev.levee.core.Verdict;
import java.io.IOException;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.stream.Stream;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class TranslateTest {
    private static final class Unavailable extends RuntimeException {
        private static final long serialVersionUID = 1L;

        Unavailable(Throwable cause) {
            super(cause);
        }
    }

    private final Translate domain =
            Translate.of("orders", failure -> failure instanceof SQLException ? new Unavailable(failure) : null);
    private final SQLException gone = new SQLException("gone");

    private String query(Exception failure) throws Exception {
        throw failure;
    }

    @Test
    void a_failure_is_thrown_as_another_one() {
        assertThatThrownBy(() -> domain.call(() -> query(gone)))
                .isInstanceOf(Unavailable.class)
                .hasCause(gone);
        CompletableFuture<String> future = domain.callAsync(() -> CompletableFuture.failedFuture(gone));
        assertThat(FutureWait.failureOf(future)).isInstanceOf(Unavailable.class).hasCause(gone);
    }

    @Test
    void a_stage_that_fails_later_is_translated_and_its_permit_is_free_by_then() {
        Bulkhead bulkhead = Bulkhead.of("b", 1);
        List<Integer> inFlight = new ArrayList<>();
        Translate looks = Translate.of("orders", failure -> {
            inFlight.add(bulkhead.inFlight());
            return new Unavailable(failure);
        });
        Pipeline guard = Pipeline.of(looks, bulkhead);
        CompletableFuture<String> stage = new CompletableFuture<>();
        CompletableFuture<String> future = guard.callAsync(() -> stage);
        stage.completeExceptionally(gone);
        assertThat(FutureWait.failureOf(future)).isInstanceOf(Unavailable.class);
        assertThat(catchThrowable(() -> guard.call(() -> query(gone)))).isInstanceOf(Unavailable.class);
        assertThat(inFlight).containsExactly(0, 0);
    }

    @Test
    void a_checked_exception_becomes_another_one_that_the_call_declares() {
        Translate disk = Translate.of("disk", failure -> new IOException(failure));
        assertThatThrownBy(() -> disk.call(() -> query(gone)))
                .isInstanceOf(IOException.class)
                .hasCause(gone);
    }

    @Test
    void results_and_other_failures_come_through_as_they_are() throws Exception {
        IOException other = new IOException("other");
        assertThat(domain.<String, RuntimeException>call(() -> "yes")).isEqualTo("yes");
        assertThat(domain.<String, RuntimeException>call(() -> null)).isNull();
        assertThat(catchThrowable(() -> domain.call(() -> query(other)))).isSameAs(other);
        CompletableFuture<String> done = CompletableFuture.completedFuture("yes");
        assertThat(domain.callAsync(() -> done)).isSameAs(done);
        CompletableFuture<String> later = new CompletableFuture<>();
        CompletableFuture<String> future = domain.callAsync(() -> later);
        later.complete("later");
        assertThat(future).isCompletedWithValue("later");
    }

    static Stream<Throwable> signals() {
        return Stream.of(
                new InterruptedException(),
                new CancellationException(),
                new AssertionError(),
                new StackOverflowError());
    }

    @ParameterizedTest
    @MethodSource("signals")
    void interrupts_cancels_and_errors_are_never_translated(Throwable signal) {
        Translate all = Translate.of("all", Unavailable::new);
        assertThat(catchThrowable(() -> all.call(() -> {
                    throw signal;
                })))
                .isSameAs(signal);
        assertThat(FutureWait.failureOf(all.callAsync(() -> CompletableFuture.failedFuture(signal))))
                .isSameAs(signal);
    }

    @Test
    void a_cancel_reaches_the_work() {
        CompletableFuture<String> stage = new CompletableFuture<>();
        domain.callAsync(() -> stage).cancel(true);
        assertThat(stage).isCancelled();
    }

    @Test
    void a_function_that_throws_is_logged_and_changes_nothing() {
        Translate broken = Translate.of("broken", failure -> {
            throw new IllegalStateException("no words");
        });
        try (CapturedLog log = new CapturedLog(Translate.class)) {
            assertThat(catchThrowable(() -> broken.call(() -> query(gone)))).isSameAs(gone);
            assertThat(FutureWait.failureOf(broken.callAsync(() -> CompletableFuture.failedFuture(gone))))
                    .isSameAs(gone);
            assertThat(log.lines()).hasSize(2).allMatch(line -> line.startsWith("WARN translate \"broken\": "));
        }
    }

    @Nested
    class A_refusal {
        private final Translate all = Translate.of("all", Unavailable::new);
        private final Bulkhead full = Bulkhead.of("full", 1);

        @Test
        void is_translated_for_the_caller() {
            full.run(() -> assertThatThrownBy(() -> Pipeline.of(all, full).call(() -> "never"))
                    .isInstanceOf(Unavailable.class)
                    .hasCauseInstanceOf(RefusedException.class));
        }

        @Test
        void that_is_translated_is_a_failure_to_what_stands_around() {
            CountingGate outside = new CountingGate(Bulkhead.of("outside", 5));
            full.run(() -> {
                assertThatThrownBy(() -> Pipeline.of(outside, full).call(() -> "never"));
                assertThatThrownBy(() -> Pipeline.of(outside, all, full).call(() -> "never"));
            });
            assertThat(outside.verdicts()).containsExactly(Verdict.IGNORED, Verdict.FAILURE);
        }
    }

    @Test
    void a_pipeline_prints_it_by_its_kind() {
        assertThat(Pipeline.of(domain, Timeout.of("t", Duration.ofSeconds(1)))).hasToString("translate(timeout(call))");
        assertThat(domain).hasToString("translate \"orders\"");
    }

    @Test
    void arguments_are_checked() {
        assertThatIllegalArgumentException().isThrownBy(() -> Translate.of(" ", failure -> null));
        assertThatThrownBy(() -> Translate.of("x", null)).hasMessage("translation");
        assertThatThrownBy(() -> Translate.of("x", failure -> null, null)).hasMessage("environment");
    }
}
