package dev.levee.core;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowable;

import dev.levee.core.testing.ManualTime;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.Supplier;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;

/**
 * The contract of every gate: a permit that is acquired is released exactly once, whatever happens, alone and in a
 * pipeline.
 *
 * <p>Subclass it for each gate. Every test runs the gate behind a {@link CountingGate}, and checks at the end that each
 * stamp has come back once and that the gate itself says that nothing is held.
 */
public abstract class GateContract {
    protected final ManualTime time = new ManualTime();
    private CountingGate gate;

    /**
     * Returns a gate that admits at least four calls at once; or one that admits only one, if {@link #makeRoom} is
     * overridden.
     *
     * @param environment for the gate
     * @param rule for the gate, if it judges
     */
    protected abstract Gate newGate(Environment environment, OutcomeRule rule);

    /** Returns how many permits of the gate are held right now. */
    protected abstract long held(Gate gate);

    /** Does what the gate needs so that it admits one more call, such as to let time pass. Default: nothing. */
    protected void makeRoom() {}

    private CountingGate counted(Environment environment, OutcomeRule rule) {
        return new CountingGate(newGate(environment, rule));
    }

    @BeforeEach
    final void aGate() {
        gate = counted(time.environment(), OutcomeRule.standard());
    }

    @AfterEach
    final void everyPermitHasComeBackOnce() {
        assertThat(gate.entered()).as("the test must have used the gate").isPositive();
        assertEverythingReturned(gate);
    }

    private void assertEverythingReturned(CountingGate counting) {
        assertThat(counting.exited()).as("exits").isEqualTo(counting.entered());
        assertThat(held(counting.inner())).as("permits held").isZero();
        assertThat(time.pendingTimers()).as("timers left").isZero();
    }

    @Nested
    class BlockingCalls {
        @Test
        void a_result_comes_through() {
            assertThat(gate.<String, RuntimeException>call(() -> "yes")).isEqualTo("yes");
        }

        @Test
        void a_null_result_comes_through() {
            assertThat(gate.<String, RuntimeException>call(() -> null)).isNull();
        }

        @Test
        void an_action_runs() {
            List<String> ran = new ArrayList<>();
            gate.run(() -> ran.add("once"));
            assertThat(ran).containsExactly("once");
        }

        @Test
        void a_checked_exception_is_the_same_object() {
            IOException thrown = new IOException("disk");
            assertThat(catchThrowable(() -> gate.call(() -> {
                        throw thrown;
                    })))
                    .isSameAs(thrown);
        }

        @Test
        void a_runtime_exception_is_the_same_object() {
            RuntimeException thrown = new IllegalStateException("bug");
            assertThat(catchThrowable(() -> gate.call(() -> {
                        throw thrown;
                    })))
                    .isSameAs(thrown);
        }

        @Test
        void an_error_is_the_same_object() {
            Error thrown = new StackOverflowError();
            assertThat(catchThrowable(() -> gate.call(() -> {
                        throw thrown;
                    })))
                    .isSameAs(thrown);
        }

        @Test
        void an_interrupt_comes_through() {
            assertThatThrownBy(() -> gate.callInterruptibly(() -> {
                        throw new InterruptedException();
                    }))
                    .isInstanceOf(InterruptedException.class);
            assertThat(Thread.currentThread().isInterrupted()).isFalse();
        }

        @Test
        void a_refusal_from_within_comes_through_and_is_ignored() {
            RefusedException inner = new Refused();
            assertThat(catchThrowable(() -> gate.call(() -> {
                        throw inner;
                    })))
                    .isSameAs(inner);
            assertThat(gate.verdicts()).containsExactly(Verdict.IGNORED);
        }

        @Test
        void calls_nest() {
            String result = gate.call(() -> {
                makeRoom();
                return gate.call(() -> {
                    makeRoom();
                    return gate.<String, RuntimeException>call(() -> "deep");
                });
            });
            assertThat(result).isEqualTo("deep");
            assertThat(gate.entered()).isEqualTo(3);
        }

        @Test
        void a_rule_that_throws_counts_as_failure_and_changes_nothing_for_the_caller() {
            CountingGate strict = counted(time.environment(), (result, error) -> {
                throw new IllegalStateException("bad rule");
            });
            assertThat(strict.<String, RuntimeException>call(() -> "yes")).isEqualTo("yes");
            makeRoom();
            IOException thrown = new IOException("disk");
            assertThat(catchThrowable(() -> strict.call(() -> {
                        throw thrown;
                    })))
                    .isSameAs(thrown);
            assertEverythingReturned(strict);
            gate.run(() -> {});
        }

        @Test
        void a_listener_that_throws_changes_nothing() {
            CountingGate heard = counted(
                    time.environment().toBuilder()
                            .listener(new ThrowingListener())
                            .build(),
                    OutcomeRule.standard());
            assertThat(heard.<String, RuntimeException>call(() -> "yes")).isEqualTo("yes");
            makeRoom();
            assertThatThrownBy(() -> heard.call(() -> {
                        throw new IOException("disk");
                    }))
                    .isInstanceOf(IOException.class);
            assertEverythingReturned(heard);
            gate.run(() -> {});
        }
    }

    @Nested
    class AsynchronousCalls {
        @Test
        void a_stage_that_has_ended_comes_through() {
            assertThat(gate.callAsync(() -> CompletableFuture.completedFuture("yes")))
                    .isCompletedWithValue("yes");
        }

        @Test
        void a_permit_is_held_until_the_stage_ends() {
            CompletableFuture<String> work = new CompletableFuture<>();
            CompletableFuture<String> future = gate.callAsync(() -> work);
            assertThat(future).isNotDone();
            assertThat(gate.exited()).isZero();
            work.complete(null);
            assertThat(future).isCompletedWithValue(null);
        }

        @Test
        void a_failure_comes_through_unwrapped() {
            IOException thrown = new IOException("disk");
            CompletableFuture<String> work = new CompletableFuture<>();
            CompletableFuture<String> future = gate.callAsync(() -> work.thenApply(x -> x + x));
            work.completeExceptionally(thrown);
            assertFailsWith(future, thrown);
        }

        @Test
        void an_error_comes_through() {
            Error thrown = new StackOverflowError();
            assertFailsWith(gate.callAsync(() -> CompletableFuture.failedFuture(thrown)), thrown);
        }

        @Test
        void a_supplier_that_throws_fails_the_future() {
            Error thrown = new StackOverflowError();
            assertFailsWith(
                    gate.callAsync((Supplier<CompletionStage<String>>) () -> {
                        throw thrown;
                    }),
                    thrown);
        }

        @Test
        void a_supplier_that_returns_null_fails_the_future() {
            assertThat(gate.callAsync((Supplier<CompletionStage<String>>) () -> null))
                    .isCompletedExceptionally();
        }

        @Test
        void a_stage_that_ends_twice_counts_once() {
            TwiceStage<String> stage = new TwiceStage<>();
            CompletableFuture<String> future = gate.callAsync(stage::asStage);
            stage.end("first");
            stage.end("second");
            assertThat(future).isCompletedWithValue("first");
        }

        @Test
        void a_cancel_reaches_the_stage() {
            CompletableFuture<String> work = new CompletableFuture<>();
            CompletableFuture<String> future = gate.callAsync(() -> work);
            assertThat(future.cancel(true)).isTrue();
            assertThat(work).isCancelled();
            assertThat(gate.verdicts()).containsExactly(Verdict.IGNORED);
        }

        @Test
        void work_that_cannot_be_cancelled_keeps_its_permit_until_it_ends() {
            CompletableFuture<String> work = new CompletableFuture<>();
            CompletableFuture<String> future = gate.callAsync(work::minimalCompletionStage);
            future.cancel(true);
            assertThat(future).isCancelled();
            assertThat(gate.exited()).as("the work still runs").isZero();
            work.complete("late");
            assertThat(gate.verdicts()).containsExactly(Verdict.IGNORED);
        }

        @Test
        void a_stage_that_is_cancelled_by_others_fails_the_future() {
            CompletableFuture<String> work = new CompletableFuture<>();
            CompletableFuture<String> future = gate.callAsync(() -> work);
            work.cancel(true);
            assertThat(future).isCompletedExceptionally();
            assertThat(gate.verdicts()).containsExactly(Verdict.IGNORED);
        }

        @Test
        void a_listener_and_a_rule_that_throw_change_nothing() {
            Environment heard = time.environment().toBuilder()
                    .listener(new ThrowingListener())
                    .build();
            CountingGate strict = counted(heard, (result, error) -> {
                throw new IllegalStateException("bad rule");
            });
            assertThat(strict.callAsync(() -> CompletableFuture.completedFuture("yes")))
                    .isCompletedWithValue("yes");
            assertEverythingReturned(strict);
            gate.run(() -> {});
        }
    }

    @Test
    void a_call_that_was_not_sent_gives_everything_back() {
        for (int call = 0; call < 100; call++) {
            long stamp = gate.tryEnter(time.nanoTime());
            assertThat(stamp).isNotEqualTo(Gate.REFUSED);
            gate.cancel(stamp, time.nanoTime());
        }
    }

    @Nested
    class InAPipeline {
        private final CountingGate other = new CountingGate(new RefusingGate(time.environment()));

        @Test
        void a_refusal_further_in_gives_the_permit_back() {
            Pipeline pipeline = Pipeline.of(gate, other);
            assertThatThrownBy(() -> pipeline.run(() -> {})).isInstanceOf(Refused.class);
            assertThat(gate.verdicts()).containsExactly(Verdict.IGNORED);
        }

        @Test
        void a_refusal_further_in_gives_the_permit_back_asynchronously() {
            Pipeline pipeline = Pipeline.of(gate, other);
            assertThat(pipeline.callAsync(() -> CompletableFuture.completedFuture("no")))
                    .isCompletedExceptionally();
            assertThat(gate.verdicts()).containsExactly(Verdict.IGNORED);
        }

        @Test
        void an_error_gives_the_permit_back() {
            Pipeline pipeline = Pipeline.of(gate);
            assertThatThrownBy(() -> pipeline.run(() -> {
                        throw new StackOverflowError();
                    }))
                    .isInstanceOf(StackOverflowError.class);
        }

        @Test
        void the_time_that_passes_does_not_matter() {
            Pipeline pipeline = Pipeline.of(gate);
            pipeline.run(() -> time.advance(Duration.ofDays(400)));
        }
    }

    private static void assertFailsWith(CompletableFuture<?> future, Throwable expected) {
        assertThat(future).isCompletedExceptionally();
        Throwable[] seen = new Throwable[1];
        future.whenComplete((result, error) -> seen[0] = error);
        assertThat(seen[0]).isSameAs(expected);
    }

    /** A refusal of no particular gate. */
    static final class Refused extends RefusedException {
        private static final long serialVersionUID = 1L;

        Refused() {
            super("inner", "refused by a test", () -> UNKNOWN, true);
        }

        @Override
        public RefusedException detached() {
            return this;
        }
    }

    private static final class ThrowingListener implements Listener {
        @Override
        public void onRefused(Policy.Kind kind, String policy) {
            throw new IllegalStateException("bad listener");
        }

        @Override
        public void onOutcome(Policy.Kind kind, String policy, Verdict verdict, long elapsedNanos) {
            throw new IllegalStateException("bad listener");
        }

        @Override
        public void onStateChange(Policy.Kind kind, String policy, String from, String to) {
            throw new IllegalStateException("bad listener");
        }
    }
}
