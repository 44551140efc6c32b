package dev.levee.core.policy;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;

import dev.levee.core.CallFuture;
import dev.levee.core.Operation;
import dev.levee.core.testing.ManualTime;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Executor;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

/** An interrupt of ours never stays with the thread of a pool, which works for others afterwards. */
class PooledThreadTest {
    /** Whether the flag of the thread was set when it had done its task. A pool of the JDK clears the flag itself. */
    private final CompletableFuture<Boolean> interruptedAfterwards = new CompletableFuture<>();

    private final Executor pool = task -> new Thread(() -> {
                task.run();
                interruptedAfterwards.complete(Thread.interrupted());
            })
            .start();
    private final CountDownLatch running = new CountDownLatch(1);

    /** Notices the interrupt and leaves the flag, as code does that only asks for it. */
    private final Operation<String, RuntimeException> work = () -> {
        running.countDown();
        while (!Thread.currentThread().isInterrupted()) {
            Thread.onSpinWait();
        }
        return "late";
    };

    private void theNextTaskIsNotInterrupted() throws Exception {
        assertThat(interruptedAfterwards.get(60, TimeUnit.SECONDS)).isFalse();
    }

    @Test
    void not_of_a_future_that_was_cancelled() throws Exception {
        CompletableFuture<String> future = Bulkhead.of("b", 1).callAsync(pool, work);
        running.await();
        future.cancel(true);
        assertThat(future).isCancelled();
        theNextTaskIsNotInterrupted();
    }

    @Test
    void not_of_a_timeout_that_has_given_up() throws Exception {
        Timeout timeout = Timeout.of("t", Duration.ofMillis(20)).onExecutor(pool);
        assertThat(catchThrowable(() -> timeout.call(work))).isInstanceOf(RuntimeException.class);
        theNextTaskIsNotInterrupted();
    }

    @Test
    void not_of_a_hedge_that_another_attempt_has_won() throws Exception {
        ManualTime time = new ManualTime();
        Hedge hedge = Hedge.of("h", c -> c.delay(Duration.ofSeconds(1)), time.environment());
        int[] attempts = new int[1];
        CompletableFuture<String> future = hedge.callAsync(() ->
                attempts[0]++ == 0 ? CallFuture.onExecutor(pool, work) : CompletableFuture.completedFuture("second"));
        running.await();
        time.advance(Duration.ofSeconds(1));
        assertThat(future).isCompletedWithValue("second");
        theNextTaskIsNotInterrupted();
    }

    @Test
    void an_attempt_that_starts_while_another_settles_the_hedge_is_cancelled() throws Exception {
        ManualTime time = new ManualTime();
        Hedge hedge = Hedge.of("h", c -> c.delay(Duration.ofSeconds(1)), time.environment());
        CompletableFuture<String> first = new CompletableFuture<>();
        CompletableFuture<String> second = new CompletableFuture<>();
        int[] attempts = new int[1];
        CompletableFuture<String> future = hedge.callAsync(() -> {
            if (attempts[0]++ == 0) {
                return first;
            }
            first.complete("first"); // as another thread may, while this attempt starts
            return second;
        });
        time.advance(Duration.ofSeconds(1));
        assertThat(future).isCompletedWithValue("first");
        assertThat(second).as("nothing is left running").isCancelled();
    }
}
