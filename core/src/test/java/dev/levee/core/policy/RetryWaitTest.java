package dev.levee.core.policy;

import static org.assertj.core.api.Assertions.assertThat;

import dev.levee.core.CallFuture;
import dev.levee.core.Environment;
import dev.levee.core.testing.ForwardingScheduler;
import dev.levee.core.testing.ManualTime;
import java.io.IOException;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Test;

/** What happens while the timer of an asynchronous retry is being set. */
class RetryWaitTest {
    private final ManualTime time = new ManualTime();
    private final AtomicReference<Runnable> meanwhile = new AtomicReference<>(() -> {});
    private final Environment environment = time.environment().toBuilder()
            .scheduler(new ForwardingScheduler(time.environment().scheduler()) {
                @Override
                public Timer schedule(Runnable task, long delayNanos) {
                    meanwhile.getAndSet(() -> {}).run();
                    return super.schedule(task, delayNanos);
                }
            })
            .build();
    private final CompletableFuture<String> first = new CompletableFuture<>();
    private final CompletableFuture<String> call = Retry.of(
                    "r", config -> config.backoff(Backoff.fixed(Duration.ofSeconds(9))), environment)
            .callAsync(() -> first);

    @Test
    void a_request_to_end_is_heeded_at_once_and_the_timer_taken_back() {
        meanwhile.set(() -> CallFuture.requestCancel(call, new TimeoutException("further out")));
        first.completeExceptionally(new IOException("failure 1"));
        assertThat(call).isCompletedExceptionally();
        assertThat(call.handle((result, thrown) -> thrown instanceof CompletionException wrapped
                                ? wrapped.getCause().getMessage()
                                : thrown.getMessage())
                        .join())
                .isEqualTo("failure 1");
        assertThat(time.pendingTimers()).isZero();
    }

    @Test
    void a_completion_from_outside_takes_the_timer_back() {
        meanwhile.set(() -> call.complete("mine"));
        first.completeExceptionally(new IOException("failure 1"));
        assertThat(call).isCompletedWithValue("mine");
        assertThat(time.pendingTimers()).isZero();
    }
}
