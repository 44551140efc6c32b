package dev.levee.pipelines;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.levee.circuitbreaker.CircuitBreaker;
import dev.levee.core.Environment;
import dev.levee.core.Operation;
import dev.levee.core.Pipeline;
import dev.levee.core.Policy;
import dev.levee.core.RefusedException;
import dev.levee.core.policy.Backoff;
import dev.levee.core.policy.Bulkhead;
import dev.levee.core.policy.Retry;
import dev.levee.core.policy.Timeout;
import dev.levee.core.testing.ManualTime;
import dev.levee.ratelimit.Limit;
import dev.levee.ratelimit.RateLimiter;
import dev.levee.ratelimit.concurrency.AdaptiveBulkhead;
import dev.levee.ratelimit.concurrency.SheddingBulkhead;
import java.io.IOException;
import java.net.ConnectException;
import java.time.Duration;
import java.time.ZoneOffset;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.FutureTask;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * A call that was surely not sent costs no permit of a quota, wherever it was stopped and in whatever form it was made.
 */
class UnsentCallsTest {
    private static final long QUOTA = 1000;

    private final ManualTime time = new ManualTime();
    private final Environment environment = time.environment();
    private final RateLimiter day = RateLimiter.of("day", Limit.of(QUOTA, Duration.ofDays(1)), environment);

    enum Form {
        BLOCKING {
            @Override
            <X extends Exception> void call(ManualTime time, Policy guard, Operation<String, X> operation)
                    throws Exception {
                guard.call(operation);
            }
        },
        ASYNCHRONOUS {
            @Override
            <X extends Exception> void call(ManualTime time, Policy guard, Operation<String, X> operation)
                    throws Exception {
                CompletableFuture<String> future = guard.callAsync(() -> {
                    try {
                        return CompletableFuture.completedFuture(operation.run());
                    } catch (Throwable thrown) {
                        return CompletableFuture.failedFuture(thrown);
                    }
                });
                time.runReady();
                assertThat(future).isDone();
                try {
                    future.join();
                } catch (CompletionException thrown) {
                    throw (Exception) thrown.getCause();
                }
            }
        };

        abstract <X extends Exception> void call(ManualTime time, Policy guard, Operation<String, X> operation)
                throws Exception;
    }

    private Bulkhead full() {
        Bulkhead bulkhead = Bulkhead.of("b", 1, environment);
        bulkhead.callAsync(CompletableFuture::new);
        return bulkhead;
    }

    private int sent(Form form, Policy guard, int calls) throws Exception {
        AtomicInteger sent = new AtomicInteger();
        for (int i = 0; i < calls; i++) {
            try {
                form.call(time, guard, () -> "sent " + sent.incrementAndGet());
            } catch (RefusedException refused) {
                // not sent
            }
        }
        return sent.get();
    }

    @ParameterizedTest
    @EnumSource(Form.class)
    void two_limits_of_which_the_second_refuses_most(Form form) throws Exception {
        RateLimiter second = RateLimiter.of("second", Limit.perSecond(10), environment);
        Pipeline guard = Pipeline.of(day, second);
        int sent = 0;
        for (int i = 0; i < 10; i++) {
            sent += sent(form, guard, 100);
            time.advance(Duration.ofMillis(100));
        }
        assertThat(sent).isEqualTo(19);
        assertThat(day.availablePermits()).isEqualTo(QUOTA - 19);
    }

    @ParameterizedTest
    @EnumSource(Form.class)
    void a_full_bulkhead_further_in_also_behind_a_timeout_or_a_retry_or_five_gates(Form form) throws Exception {
        Bulkhead full = full();
        Timeout timeout = Timeout.of("t", Duration.ofSeconds(1), environment);
        Retry retry = Retry.of("r", c -> c.maxAttempts(3).backoff(Backoff.fixed(Duration.ZERO)), environment);
        CircuitBreaker breaker = CircuitBreaker.of("c", c -> {}, environment);
        RateLimiter wide = RateLimiter.of("wide", Limit.perSecond(1_000_000).burst(1_000_000), environment);
        List<Pipeline> guards = List.of(
                Pipeline.of(day, full),
                Pipeline.of(breaker, day, timeout, full),
                Pipeline.of(day, retry, timeout, full),
                Pipeline.of(
                        day, breaker, wide, Bulkhead.of("w", 5, environment), Bulkhead.of("v", 5, environment), full));
        for (Pipeline guard : guards) {
            assertThat(sent(form, guard, 500)).isZero();
            assertThat(day.availablePermits()).as(guard.toString()).isEqualTo(QUOTA);
        }
        assertThat(wide.availablePermits()).isEqualTo(1_000_000);
    }

    @ParameterizedTest
    @EnumSource(Form.class)
    void a_connection_that_was_refused(Form form) {
        for (Policy guard : List.of(day, Pipeline.of(day, CircuitBreaker.of("c", c -> {}, environment)))) {
            assertThatThrownBy(() -> form.call(time, guard, () -> {
                        throw new ConnectException("refused");
                    }))
                    .isInstanceOf(ConnectException.class);
            assertThat(day.availablePermits()).isEqualTo(QUOTA);
        }
    }

    private List<RateLimiter> limitersOfAllKinds() {
        Duration per = Duration.ofDays(1);
        List<RateLimiter> limiters = new ArrayList<>();
        for (Limit limit : List.of(
                Limit.of(QUOTA, per),
                Limit.slidingWindow(QUOTA, per),
                Limit.slidingLog(QUOTA, per),
                Limit.fixedWindow(QUOTA, per),
                Limit.calendar(QUOTA, ChronoUnit.MONTHS, ZoneOffset.UTC),
                Limit.paced(QUOTA, per),
                Limit.warmUp(QUOTA, per, Duration.ofDays(2)))) {
            limiters.add(RateLimiter.of(limit.toString(), limit, environment));
        }
        limiters.add(RateLimiter.allOf("two of them", limiters.get(0), limiters.get(1)));
        return limiters;
    }

    @ParameterizedTest
    @EnumSource(Form.class)
    void limits_of_all_kinds_and_calls_that_are_shed_further_in(Form form) throws Exception {
        SheddingBulkhead shedding =
                SheddingBulkhead.of("s", c -> c.maxConcurrent(1).maxWaiting(1), environment);
        shedding.callAsync(CompletableFuture::new);
        shedding.callAsync(CompletableFuture::new); // waits
        AdaptiveBulkhead adaptive = AdaptiveBulkhead.of("a", c -> c.initialLimit(2), environment);
        adaptive.callAsync(CompletableFuture::new);
        adaptive.callAsync(CompletableFuture::new);
        for (RateLimiter limiter : limitersOfAllKinds()) {
            long before = limiter.availablePermits();
            for (Policy inside : List.of(shedding, adaptive, full())) {
                assertThat(sent(form, Pipeline.of(limiter, inside), 3)).isZero();
                assertThat(limiter.availablePermits())
                        .as(limiter + " around " + inside)
                        .isEqualTo(before);
            }
            assertThatThrownBy(() -> form.call(time, limiter, () -> {
                        throw new ConnectException("refused");
                    }))
                    .isInstanceOf(ConnectException.class);
            assertThat(limiter.availablePermits()).as(limiter.toString()).isEqualTo(before);
        }
    }

    @ParameterizedTest
    @EnumSource(Form.class)
    void but_not_a_call_that_may_have_run(Form form) {
        assertThatThrownBy(() -> form.call(time, day, () -> {
                    throw new IOException("reset");
                }))
                .isInstanceOf(IOException.class);
        assertThat(day.availablePermits()).isEqualTo(QUOTA - 1);
    }

    @Nested
    class WithARetryInside {
        private final Pipeline guard = Pipeline.of(
                day, Retry.of("r", c -> c.maxAttempts(2).backoff(Backoff.fixed(Duration.ZERO)), environment));

        private void callThatFailsAt(Form form, Exception first, Exception second) {
            AtomicInteger attempts = new AtomicInteger();
            assertThatThrownBy(() -> form.call(time, guard, () -> {
                        throw attempts.incrementAndGet() == 1 ? first : second;
                    }))
                    .isInstanceOf(second.getClass());
            assertThat(attempts).hasValue(2);
        }

        @ParameterizedTest
        @EnumSource(Form.class)
        void no_attempt_that_may_have_run_is_forgotten(Form form) {
            callThatFailsAt(form, new IOException("reset"), new ConnectException("refused"));
            assertThat(day.availablePermits()).isEqualTo(QUOTA - 1);
            callThatFailsAt(form, new IOException("reset"), full().refusal());
            assertThat(day.availablePermits()).isEqualTo(QUOTA - 2);
        }

        @ParameterizedTest
        @EnumSource(Form.class)
        void two_attempts_that_were_not_sent_cost_nothing(Form form) {
            callThatFailsAt(form, new ConnectException("refused"), new ConnectException("refused"));
            callThatFailsAt(form, full().refusal(), new ConnectException("refused"));
            callThatFailsAt(form, new ConnectException("refused"), full().refusal());
            assertThat(day.availablePermits()).isEqualTo(QUOTA);
        }
    }

    @Nested
    class Queues {
        private final Bulkhead queue =
                Bulkhead.of("q", c -> c.maxConcurrent(1).queue(100, Duration.ofSeconds(10)), environment);

        @Test
        void an_interrupt_in_the_queue_of_the_next_gate() throws Exception {
            queue.callAsync(CompletableFuture::new);
            FutureTask<String> call =
                    new FutureTask<>(() -> Pipeline.of(day, queue).call(() -> "never"));
            Thread thread = time.start(call);
            time.awaitSleepers(1);
            thread.interrupt();
            assertThatThrownBy(call::get).isNotNull();
            assertThat(day.availablePermits()).isEqualTo(QUOTA);
        }

        @Test
        void a_cancel_in_the_queue() {
            queue.callAsync(CompletableFuture::new);
            CompletableFuture<String> call = Pipeline.of(day, queue).callAsync(CompletableFuture::new);
            assertThat(day.availablePermits()).isEqualTo(QUOTA - 1);
            call.cancel(true);
            time.runReady();
            assertThat(day.availablePermits()).isEqualTo(QUOTA);
        }

        @Test
        void a_wait_that_is_too_long_costs_no_more_than_what_time_gives_meanwhile() {
            queue.callAsync(CompletableFuture::new);
            List<CompletableFuture<String>> calls = new ArrayList<>();
            for (int i = 0; i < 10; i++) {
                calls.add(Pipeline.of(day, queue).callAsync(CompletableFuture::new));
            }
            time.advance(Duration.ofSeconds(10));
            assertThat(calls).allMatch(CompletableFuture::isCompletedExceptionally);
            // 10 permits less 10 x 10 s, of 86.4 s for each permit, and 10 s of refilling.
            assertThat(day.availablePermits()).isEqualTo(QUOTA - 2);
        }

        @Test
        void a_cancel_of_a_call_that_has_begun_costs_its_permit() {
            Pipeline.of(day, queue).callAsync(CompletableFuture::new).cancel(true);
            assertThat(day.availablePermits()).isEqualTo(QUOTA - 1);
        }
    }

    @Test
    void threads_that_are_refused_at_the_same_time_cost_nothing() throws Exception {
        Pipeline guard = Pipeline.of(day, Timeout.of("t", Duration.ofSeconds(1), environment), full());
        CountDownLatch together = new CountDownLatch(4);
        List<FutureTask<Integer>> threads = new ArrayList<>();
        for (int i = 0; i < 4; i++) {
            FutureTask<Integer> thread = new FutureTask<>(() -> {
                together.countDown();
                together.await();
                return sent(Form.BLOCKING, guard, 20_000);
            });
            threads.add(thread);
            new Thread(thread).start();
        }
        for (FutureTask<Integer> thread : threads) {
            assertThat(thread.get()).isZero();
        }
        assertThat(day.availablePermits()).isEqualTo(QUOTA);
    }
}
