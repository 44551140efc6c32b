package dev.levee.pipelines;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;

import dev.levee.core.Environment;
import dev.levee.core.Pipeline;
import dev.levee.core.RefusedException;
import dev.levee.core.policy.Bulkhead;
import dev.levee.core.policy.RetryBudget;
import dev.levee.core.testing.ManualTime;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import java.util.Random;
import java.util.concurrent.Callable;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.function.Supplier;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * What gates promise holds through every policy: whatever happens inside, each permit around and inside it comes back
 * once.
 */
class EveryPolicyTest {
    private final ManualTime time = new ManualTime();
    private final Queue<Thread> workers = new ConcurrentLinkedQueue<>();
    private final List<String> ran = new ArrayList<>();

    /** A policy between two spies. */
    private final class Guarded {
        final Part part;
        final Spy outside;
        final Spy inside;
        final Pipeline pipeline;

        Guarded(Part part, Environment environment) {
            this.part = part;
            this.outside = new Spy("outside", environment);
            this.inside = new Spy("inside", environment);
            this.pipeline = Pipeline.of(
                    outside,
                    part.make("policy", new Random(part.name().length()), RetryBudget.unlimited(), environment),
                    inside);
        }

        /** Faults and fallbacks may change what the caller gets; no other policy does. */
        boolean isHonest() {
            return part != Part.FAULTS && part != Part.FALLBACK;
        }

        void assertNothingHeld() throws InterruptedException {
            for (Thread worker : workers) {
                worker.join(10_000);
                assertThat(worker.isAlive()).as(worker + " still runs").isFalse();
            }
            for (Spy spy : List.of(outside, inside)) {
                assertThat(spy.inside()).as(spy.name()).isZero();
                assertThat(spy.strangers()).as("second exits " + spy.name()).isZero();
            }
            assertThat(outside.entered()).as("calls").isEqualTo(1);
            assertThat(time.pendingTimers()).as("timers left").isZero();
            Part.assertNothingHeld(pipeline);
        }
    }

    private Guarded blocking(Part part) {
        Environment threads = time.environment().toBuilder()
                .executor(task -> workers.add(time.start("worker", task)))
                .build();
        time.autoAdvance();
        return new Guarded(part, threads);
    }

    private void gives(Part part, Callable<String> operation, Object expected) throws InterruptedException {
        Guarded guarded = blocking(part);
        Object[] got = new Object[1];
        Thread caller = time.start("caller", () -> {
            Throwable thrown = catchThrowable(() -> got[0] = guarded.pipeline.callInterruptibly(operation::call));
            got[0] = thrown == null ? got[0] : thrown;
            ran.add(Thread.currentThread().isInterrupted() ? "interrupted" : "done");
        });
        caller.join(10_000);
        assertThat(ran).hasSize(1);
        if (guarded.isHonest()) {
            assertThat(got[0]).isSameAs(expected);
            assertThat(ran).containsExactly("done"); // a fallback that replaces an interrupt sets the flag
        }
        guarded.assertNothingHeld();
    }

    private static Callable<String> throwing(Throwable thrown) {
        return () -> {
            if (thrown instanceof Error error) {
                throw error;
            }
            throw (Exception) thrown;
        };
    }

    @ParameterizedTest
    @EnumSource
    void a_result(Part part) throws Exception {
        gives(part, () -> "yes", "yes");
    }

    @ParameterizedTest
    @EnumSource
    void a_null_result(Part part) throws Exception {
        gives(part, () -> null, null);
    }

    @ParameterizedTest
    @EnumSource
    void a_checked_exception(Part part) throws Exception {
        IOException thrown = new IOException("disk");
        gives(part, throwing(thrown), thrown);
    }

    @ParameterizedTest
    @EnumSource
    void a_runtime_exception(Part part) throws Exception {
        IllegalStateException thrown = new IllegalStateException("bug");
        gives(part, throwing(thrown), thrown);
    }

    @ParameterizedTest
    @EnumSource
    void an_error(Part part) throws Exception {
        StackOverflowError thrown = new StackOverflowError("deep");
        gives(part, throwing(thrown), thrown);
    }

    @ParameterizedTest
    @EnumSource
    void an_interrupt(Part part) throws Exception {
        InterruptedException thrown = new InterruptedException("of the operation");
        gives(part, throwing(thrown), thrown);
    }

    /** Asynchronous calls, with all that can become of a stage. */
    private void stages(Part part, Supplier<CompletionStage<String>> operation, boolean cancelled) throws Exception {
        for (int listening = 0; listening < 2; listening++) {
            Environment environment = listening == 0
                    ? time.environment()
                    : time.environment().toBuilder()
                            .listener(RandomPipelinesTest.HOSTILE)
                            .build();
            Guarded guarded = new Guarded(part, environment);
            List<String> outcomes = new ArrayList<>();
            CompletableFuture<String> future = guarded.pipeline.callAsync(operation);
            future.whenComplete((result, error) -> outcomes.add(error == null ? "result " + result : error.toString()));
            if (cancelled) {
                future.cancel(true);
                assertThat(catchThrowable(future::join)).isInstanceOf(CancellationException.class);
            }
            time.advance(Duration.ofMinutes(1));
            assertThat(outcomes).hasSize(1);
            guarded.assertNothingHeld();
        }
    }

    private CompletableFuture<String> later(CompletableFuture<String> stage, Runnable ending) {
        time.environment().scheduler().schedule(ending, 1_000);
        return stage;
    }

    @ParameterizedTest
    @EnumSource
    void a_stage_that_is_complete(Part part) throws Exception {
        stages(part, () -> CompletableFuture.completedFuture("yes"), false);
    }

    @ParameterizedTest
    @EnumSource
    void a_stage_that_completes_later_and_twice(Part part) throws Exception {
        stages(
                part,
                () -> {
                    CompletableFuture<String> stage = new CompletableFuture<>();
                    return later(stage, () -> {
                        stage.complete("yes");
                        stage.completeExceptionally(new IOException("too late"));
                        stage.obtrudeValue("twice");
                    });
                },
                false);
    }

    @ParameterizedTest
    @EnumSource
    void a_stage_that_fails_later(Part part) throws Exception {
        stages(
                part,
                () -> {
                    CompletableFuture<String> stage = new CompletableFuture<>();
                    return later(stage, () -> stage.completeExceptionally(new IOException("disk")));
                },
                false);
    }

    @ParameterizedTest
    @EnumSource
    void a_supplier_that_throws_before_it_returns_a_stage(Part part) throws Exception {
        stages(
                part,
                () -> {
                    throw new IllegalStateException("before");
                },
                false);
    }

    @ParameterizedTest
    @EnumSource
    void a_supplier_that_throws_an_error(Part part) throws Exception {
        stages(
                part,
                () -> {
                    throw new StackOverflowError("before");
                },
                false);
    }

    @ParameterizedTest
    @EnumSource
    void a_supplier_that_returns_null(Part part) throws Exception {
        stages(part, () -> null, false);
    }

    @ParameterizedTest
    @EnumSource
    void a_stage_that_somebody_cancels(Part part) throws Exception {
        stages(
                part,
                () -> {
                    CompletableFuture<String> stage = new CompletableFuture<>();
                    return later(stage, () -> stage.cancel(true));
                },
                false);
    }

    @ParameterizedTest
    @EnumSource
    void a_caller_that_cancels(Part part) throws Exception {
        stages(part, CompletableFuture::new, true);
    }

    @ParameterizedTest
    @EnumSource
    void a_refusal_from_within(Part part) throws Exception {
        Bulkhead full = Bulkhead.of("full", 1);
        full.tryEnter(0);
        RefusedException refusal = full.refusal();
        Guarded guarded = blocking(part);
        Thread caller = time.start("caller", () -> {
            Throwable thrown = catchThrowable(() -> guarded.pipeline.call(() -> {
                throw refusal;
            }));
            ran.add(!guarded.isHonest() || thrown instanceof RefusedException ? "refused" : "got " + thrown);
        });
        caller.join(10_000);
        assertThat(ran).containsExactly("refused");
        guarded.assertNothingHeld();
    }
}
