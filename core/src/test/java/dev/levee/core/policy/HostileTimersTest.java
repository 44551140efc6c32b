package dev.levee.core.policy;

import static java.time.Duration.ofMillis;
import static java.time.Duration.ofSeconds;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;

import dev.levee.core.Environment;
import dev.levee.core.Pipeline;
import dev.levee.core.Policy;
import dev.levee.core.Scheduler;
import dev.levee.core.idempotency.Idempotency;
import dev.levee.core.testing.ForwardingScheduler;
import dev.levee.core.testing.ManualTime;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;

/** Schedulers and clocks of users that throw where a call ends: what has ended is told, and nothing goes on. */
class HostileTimersTest {
    private final ManualTime time = new ManualTime();
    private final IllegalStateException thrown = new IllegalStateException("scheduler or clock");
    private final List<Object> seen = Collections.synchronizedList(new ArrayList<>());

    private Object outcomeOf(Policy policy, Object result) {
        try {
            return policy.call(() -> result);
        } catch (RuntimeException error) {
            return error;
        }
    }

    @Nested
    class A_timer_that_cannot_be_cancelled {
        private final Environment environment = time.environment().toBuilder()
                .executor(time::start)
                .scheduler(new ForwardingScheduler(time.environment().scheduler()) {
                    @Override
                    public Scheduler.Timer schedule(Runnable task, long delayNanos) {
                        super.schedule(task, delayNanos);
                        return () -> {
                            throw thrown;
                        };
                    }
                })
                .build();
        private final Bulkhead around = Bulkhead.of("around", 9, environment);
        private final CompletableFuture<String> stage = new CompletableFuture<>();

        @AfterEach
        void everyPermitIsBack() {
            stage.complete("late");
            time.advance(ofSeconds(99));
            assertThat(around.inFlight()).isZero();
        }

        @Test
        void takes_no_result_of_a_timeout_and_interrupts_nothing_afterwards() {
            Timeout timeout = Timeout.of("t", ofSeconds(1), environment);
            time.start(() -> {
                seen.add(outcomeOf(timeout, "yes"));
                seen.add(catchThrowable(() -> time.environment().scheduler().sleep(2_000_000_000L)));
            });
            time.advance(ofSeconds(3));
            assertThat(seen).containsExactly("yes", null);
        }

        @Test
        void keeps_no_timeout_from_ending_what_is_behind_it() {
            CompletableFuture<String> call =
                    Timeout.of("t", ofSeconds(1), environment).callAsync(() -> around.callAsync(() -> stage));
            assertThat(call.cancel(true)).isTrue();
            assertThat(stage).isCancelled();
        }

        @Test
        void keeps_no_hedge_from_ending_its_other_attempts() {
            List<CompletableFuture<String>> attempts = new ArrayList<>();
            Hedge hedge = Hedge.of("h", c -> c.delay(ofMillis(1)).maxAttempts(4), environment);
            CompletableFuture<String> call = Pipeline.of(around, hedge).callAsync(() -> {
                attempts.add(new CompletableFuture<>());
                return attempts.get(attempts.size() - 1);
            });
            time.advance(ofMillis(1));
            time.advance(ofMillis(1));
            attempts.get(0).complete("first");
            assertThat(call).isCompletedWithValue("first");
            assertThat(attempts.get(1)).isCancelled();
            assertThat(attempts.get(2)).isCancelled();
        }

        @Test
        void keeps_no_retry_waiting_that_was_cancelled() {
            Retry retry = Retry.of("r", c -> c.backoff(Backoff.fixed(ofSeconds(50))), environment);
            CompletableFuture<String> call = Pipeline.of(around, retry)
                    .callAsync(() -> CompletableFuture.failedFuture(new IOException("first")));
            call.cancel(true);
            assertThat(around.inFlight()).isZero();
        }

        @Test
        void keeps_no_call_of_a_key_from_its_end() {
            Idempotency<String> once = Idempotency.of("i", c -> c.maxWait(ofSeconds(5)), environment);
            CompletableFuture<String> first = once.callAsync("key", "same", () -> stage);
            CompletableFuture<String> second = once.callAsync("key", "same", () -> stage);
            CompletableFuture<String> third = once.callAsync("key", "same", () -> stage);
            stage.complete("once");
            time.runReady();
            assertThat(List.of(first, second, third))
                    .allSatisfy(it -> assertThat(it).isCompletedWithValue("once"));
        }
    }

    @Nested
    class On_an_executor {
        private final ThreadLocal<Boolean> fails = ThreadLocal.withInitial(() -> false);
        private volatile boolean parkFails;
        private final Environment environment = time.environment().toBuilder()
                .executor(time::start)
                .clock(() -> {
                    if (fails.get()) {
                        throw thrown;
                    }
                    return time.nanoTime();
                })
                .scheduler(new ForwardingScheduler(time.environment().scheduler()) {
                    @Override
                    public void park(Object blocker, long nanos) {
                        if (parkFails) {
                            throw thrown;
                        }
                        super.park(blocker, nanos);
                    }
                })
                .build();
        private final Timeout timeout =
                Timeout.of("t", ofSeconds(9), environment).onExecutor(time::start);

        private String sleep() {
            try {
                time.environment().scheduler().sleep(5_000_000_000L);
                seen.add("slept");
            } catch (InterruptedException interrupt) {
                seen.add("interrupted");
            }
            return "end";
        }

        @Test
        void a_clock_that_throws_when_the_work_ends_lets_the_caller_go() {
            time.start(() -> seen.add(catchThrowable(() -> timeout.call(() -> {
                fails.set(true);
                return "yes";
            }))));
            time.advance(ofSeconds(1));
            assertThat(seen).containsExactly(thrown);
        }

        @Test
        void work_for_which_a_caller_cannot_wait_is_ended() {
            Hedge hedge = Hedge.of("h", c -> c.delay(ofSeconds(60)), environment);
            Fallback source = Fallback.chain(
                    "f",
                    c -> c.thenAsync("later", failure -> timeout.callAsync(time::start, this::sleep)),
                    environment);
            List<Policy> policies = List.of(timeout, hedge, source);
            for (Policy policy : policies) {
                seen.clear();
                parkFails = true;
                time.start(() -> seen.add(catchThrowable(() -> policy.call(() -> {
                    if (policy == source) {
                        throw new IllegalArgumentException("to be replaced");
                    }
                    return sleep();
                }))));
                time.advance(ofSeconds(1));
                assertThat(seen).as("%s", policy).contains(thrown).doesNotContain("slept");
                time.advance(ofSeconds(20));
                assertThat(seen).as("%s", policy).doesNotContain("slept");
            }
        }
    }
}
