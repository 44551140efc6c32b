package dev.levee.core.policy;

import static org.assertj.core.api.Assertions.assertThat;

import dev.levee.core.Environment;
import dev.levee.core.Policy;
import dev.levee.core.Verdict;
import dev.levee.core.testing.ManualTime;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * An executor that fails at each of its first calls: every call ends, nothing runs twice or after its caller was told
 * that it did not run, no permit is lost, and the calls after that are as ever.
 */
class FailingExecutorTest {
    private static final Duration SECOND = Duration.ofSeconds(1);
    private static final int FAILURES = 3;

    enum Hostility {
        REJECTS,
        NO_THREAD,
        /** As a pool does that has queued a task and then cannot start a worker for it. */
        KEEPS_AND_THROWS,
        RUNS_AND_THROWS;

        void apply(Runnable task, List<Runnable> kept, Executor elsewhere) {
            if (this == KEEPS_AND_THROWS) {
                kept.add(task);
            } else if (this == RUNS_AND_THROWS) {
                elsewhere.execute(task);
            }
            if (this == REJECTS) {
                throw new RejectedExecutionException("full");
            }
            throw new OutOfMemoryError("unable to create native thread");
        }
    }

    private final ManualTime time = new ManualTime();
    private final List<Runnable> kept = new ArrayList<>();
    private final AtomicInteger left = new AtomicInteger();
    private final Executor elsewhere = task -> {
        Thread thread = new Thread(task);
        thread.start();
        try {
            thread.join();
        } catch (InterruptedException interrupt) {
            throw new AssertionError(interrupt);
        }
    };
    private Hostility fault = Hostility.REJECTS;
    private final Executor executor = task -> {
        if (left.get() > 0 && left.getAndDecrement() > 0) {
            fault.apply(task, kept, elsewhere);
        }
        elsewhere.execute(task);
    };
    private final Environment environment =
            time.environment().toBuilder().executor(executor).build();
    private final Bulkhead bulkhead =
            Bulkhead.of("b", c -> c.maxConcurrent(1).queue(9, Duration.ofHours(1)), environment);

    @AfterEach
    void nothingIsLeft() {
        kept.forEach(Runnable::run); // a worker is found after all
        assertThat(bulkhead.inFlight()).isZero();
        assertThat(bulkhead.waiting()).isZero();
        assertThat(time.pendingTimers()).isZero();
    }

    private void begin(Hostility with) {
        fault = with;
        left.set(FAILURES);
    }

    private void endsAlways(Policy policy, int attemptsThatFail) {
        for (int i = 0; i <= FAILURES; i++) {
            AtomicInteger runs = new AtomicInteger();
            CompletableFuture<String> future = policy.callAsync(() -> runs.incrementAndGet() <= attemptsThatFail
                    ? CompletableFuture.failedFuture(new IllegalStateException("attempt"))
                    : CompletableFuture.completedFuture("yes"));
            AtomicInteger ends = new AtomicInteger();
            future.whenComplete((result, error) -> ends.incrementAndGet());
            time.advance(Duration.ofMinutes(1));
            await(future);
            assertThat(ends).as("call %s ends once", i).hasValue(1);
            int before = runs.get();
            kept.forEach(Runnable::run);
            assertThat(runs).as("nothing runs after the end").hasValue(before);
            if (i == FAILURES) {
                assertThat(future).isCompletedWithValue("yes");
            }
        }
    }

    @ParameterizedTest
    @EnumSource(Hostility.class)
    void pauses_of_a_retry_end(Hostility with) {
        begin(with);
        endsAlways(Retry.of("r", c -> c.maxAttempts(2).backoff(Backoff.fixed(SECOND)), environment), 1);
    }

    @ParameterizedTest
    @EnumSource(Hostility.class)
    void delays_of_faults_end(Hostility with) {
        begin(with);
        Faults faults = Faults.of("f", environment, latency());
        faults.switchOn();
        endsAlways(faults, 0);
    }

    private static Fault latency() {
        return Fault.latency(SECOND);
    }

    @ParameterizedTest
    @EnumSource(Hostility.class)
    void calls_with_a_timeout_end_in_time(Hostility with) {
        begin(with);
        Timeout timeout = Timeout.of("t", SECOND, environment);
        for (int i = 0; i <= FAILURES; i++) {
            CompletableFuture<String> future = timeout.callAsync(() -> new CompletableFuture<String>());
            time.advance(SECOND);
            await(future);
            assertThat(future).failsWithin(SECOND);
        }
    }

    @ParameterizedTest
    @EnumSource(Hostility.class)
    void hedges_end_with_the_attempts_that_they_have(Hostility with) {
        begin(with);
        Hedge hedge = Hedge.of("h", c -> c.delay(SECOND), environment);
        for (int i = 0; i <= FAILURES; i++) {
            CompletableFuture<String> first = new CompletableFuture<>();
            AtomicInteger runs = new AtomicInteger();
            CompletableFuture<String> future = hedge.callAsync(
                    () -> runs.incrementAndGet() == 1 ? first : CompletableFuture.completedFuture("second"));
            time.advance(SECOND);
            first.complete("first");
            await(future);
            boolean started = i == FAILURES || with == Hostility.RUNS_AND_THROWS;
            assertThat(future.join()).isEqualTo(started ? "second" : "first");
        }
    }

    @ParameterizedTest
    @EnumSource(Hostility.class)
    void blocking_hedges_and_timeouts_tell_the_truth_about_what_ran(Hostility with) {
        begin(with);
        tellsTheTruth(Hedge.of("h", c -> c.delay(SECOND), environment), with);
        begin(with);
        tellsTheTruth(Timeout.of("t", SECOND, environment).onExecutor(executor), with);
    }

    private void tellsTheTruth(Policy policy, Hostility with) {
        for (int i = 0; i <= FAILURES; i++) {
            AtomicInteger runs = new AtomicInteger();
            String result;
            try {
                result = policy.call(() -> "ran " + runs.incrementAndGet());
            } catch (RuntimeException | Error thrown) {
                result = "refused";
            }
            kept.forEach(Runnable::run);
            boolean refused = i < FAILURES && with != Hostility.RUNS_AND_THROWS;
            assertThat(result).isEqualTo(refused ? "refused" : "ran 1");
            assertThat(runs).hasValue(refused ? 0 : 1);
        }
    }

    @ParameterizedTest
    @EnumSource(Hostility.class)
    void calls_that_wait_for_a_bulkhead_end_and_give_one_permit_back(Hostility with) {
        begin(with);
        for (int i = 0; i <= FAILURES; i++) {
            CompletableFuture<String> running = new CompletableFuture<>();
            CompletableFuture<String> first = bulkhead.callAsync(() -> running);
            CompletableFuture<String> waiting = bulkhead.callAsync(() -> CompletableFuture.completedFuture("yes"));
            running.complete("first");
            await(waiting);
            assertThat(first).isDone();
            kept.forEach(Runnable::run);
            assertThat(bulkhead.inFlight()).isZero();
            assertThat(bulkhead.tryEnter(0)).isNotZero();
            assertThat(bulkhead.tryEnter(0))
                    .as("no permit was given back twice")
                    .isZero();
            bulkhead.exit(1, 0, 0, Verdict.SUCCESS, -1);
        }
    }

    private static void await(CompletableFuture<?> future) {
        try {
            future.orTimeout(60, TimeUnit.SECONDS).join();
        } catch (CompletionException expected) {
            assertThat(future).isDone();
        }
    }
}
