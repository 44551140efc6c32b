package dev.levee.core;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.levee.core.policy.Bulkhead;
import dev.levee.core.policy.BulkheadFullException;
import dev.levee.core.policy.Fallback;
import dev.levee.core.policy.Retry;
import dev.levee.core.policy.Timeout;
import dev.levee.core.testing.ManualTime;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.Supplier;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** An interrupt that comes while a gate deep in a pipeline waits has the form that the caller asked for. */
class InterruptiblePipelineTest {
    private final Environment environment = new ManualTime().environment();
    private final Bulkhead queueing =
            Bulkhead.of("q", config -> config.maxConcurrent(1).queue(1, Duration.ofSeconds(1)), environment);

    @AfterEach
    void noFlagIsLeft() {
        assertThat(Thread.interrupted()).isFalse();
    }

    @Test
    void passes_retry_timeout_and_fallback_as_an_interrupt() {
        assertInterrupted(Pipeline.of(
                Fallback.of("f", error -> !(error instanceof InterruptedException), error -> "no", environment),
                Retry.of("r", config -> {}, environment),
                Timeout.of("t", Duration.ofSeconds(5), environment),
                queueing));
    }

    @Test
    void passes_a_policy_of_a_user_as_an_interrupt() {
        assertInterrupted(Pipeline.of(new Plain(environment), queueing));
    }

    @Test
    void passes_a_policy_that_is_a_pipeline_inside_as_an_interrupt() {
        assertInterrupted(Pipeline.of(new Delegating(queueing), new Plain(environment)));
    }

    private void assertInterrupted(Policy guard) {
        queueing.callAsync(CompletableFuture::new);
        Thread.currentThread().interrupt();
        assertThatThrownBy(() -> guard.callInterruptibly(() -> "no")).isInstanceOf(InterruptedException.class);
        assertThat(Thread.currentThread().isInterrupted()).isFalse();
    }

    @Test
    void a_full_gate_that_does_not_wait_refuses_whether_the_flag_is_set_or_not() {
        Bulkhead full = Bulkhead.of("b", config -> config.maxConcurrent(1), environment);
        full.callAsync(CompletableFuture::new);
        Thread.currentThread().interrupt();
        assertThatThrownBy(() -> full.call(() -> "no")).isInstanceOf(BulkheadFullException.class);
        assertThat(Thread.interrupted()).as("the flag").isTrue();
    }

    private record Plain(Environment environment) implements Policy {
        @Override
        public String name() {
            return "plain";
        }

        @Override
        public <T, X extends Throwable> T call(Operation<T, X> operation) throws X {
            return operation.run();
        }

        @Override
        public <T> CompletableFuture<T> callAsync(Supplier<? extends CompletionStage<T>> operation) {
            return CallFuture.start(operation);
        }
    }

    private record Delegating(Policy to) implements Policy {
        @Override
        public String name() {
            return "delegating";
        }

        @Override
        public Environment environment() {
            return to.environment();
        }

        @Override
        public <T, X extends Throwable> T call(Operation<T, X> operation) throws X {
            return to.call(operation);
        }

        @Override
        public <T> CompletableFuture<T> callAsync(Supplier<? extends CompletionStage<T>> operation) {
            return to.callAsync(operation);
        }
    }
}
