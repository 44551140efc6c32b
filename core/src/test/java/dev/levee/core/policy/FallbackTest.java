package dev.levee.core.policy;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowable;

import dev.levee.core.Environment;
import dev.levee.core.Listener;
import dev.levee.core.Operation;
import dev.levee.core.Pipeline;
import dev.levee.core.Policy;
import dev.levee.core.testing.ManualTime;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;

class FallbackTest {
    private final List<String> heard = new ArrayList<>();
    private final Environment environment = new ManualTime()
            .environment().toBuilder()
                    .listener(new Listener() {
                        @Override
                        public void onDegraded(Policy.Kind kind, String policy, String source, Throwable error) {
                            heard.add(policy + " " + error.getMessage());
                        }
                    })
                    .build();
    private final Fallback fallback =
            Fallback.of("f", error -> true, error -> "instead of " + error.getMessage(), environment);
    private final Operation<String, IOException> failing = () -> {
        throw new IOException("disk");
    };

    @Nested
    class Blocking {
        @Test
        void a_success_is_left_alone() {
            assertThat(fallback.<String, RuntimeException>call(() -> "yes")).isEqualTo("yes");
            assertThat(heard).isEmpty();
        }

        @Test
        void a_failure_is_replaced_and_can_be_recognised() throws IOException {
            assertThat(fallback.call(failing)).isEqualTo("instead of disk");
            assertThat(heard).containsExactly("f disk");
            List<String> metrics = new ArrayList<>();
            fallback.measure((policy, metric, value) -> metrics.add(policy + " " + metric + " " + value));
            assertThat(metrics).containsExactly("f fallback.degraded 1.0", "f fallback.failed 0.0");
        }

        @Test
        void a_refusal_is_replaced() {
            Bulkhead full = Bulkhead.of("full", 1);
            Pipeline pipeline = Pipeline.of(Fallback.of("f", error -> "cached"), full);
            String[] result = new String[1];
            full.run(() -> result[0] = pipeline.call(() -> "fresh"));
            assertThat(result[0]).isEqualTo("cached");
        }

        @Test
        void only_chosen_failures_are_replaced() {
            Fallback picky = Fallback.of("f", IllegalStateException.class::isInstance, error -> "no", environment);
            assertThatThrownBy(() -> picky.call(failing)).hasMessage("disk");
        }

        @Test
        void errors_and_interrupts_are_not_replaced_unless_chosen() {
            Fallback ordinary = Fallback.of("f", error -> "no");
            assertThatThrownBy(() -> ordinary.call(() -> {
                        throw new StackOverflowError();
                    }))
                    .isInstanceOf(StackOverflowError.class);
            assertThatThrownBy(() -> ordinary.callInterruptibly(() -> {
                        throw new InterruptedException();
                    }))
                    .isInstanceOf(InterruptedException.class);
        }

        @Test
        void a_fallback_that_fails_keeps_the_original_suppressed() {
            Fallback broken = Fallback.of("f", error -> {
                throw new IllegalStateException("no cache either");
            });
            Throwable thrown = catchThrowable(() -> broken.call(failing));
            assertThat(thrown).hasMessage("no cache either");
            assertThat(thrown.getSuppressed()).extracting(Throwable::getMessage).containsExactly("disk");
        }

        @Test
        void a_condition_that_throws_replaces_nothing() {
            Fallback broken = Fallback.of(
                    "f",
                    error -> {
                        throw new IllegalStateException("bad condition");
                    },
                    error -> "no",
                    environment);
            assertThatThrownBy(() -> broken.call(failing)).hasMessage("disk");
        }
    }

    @Nested
    class Asynchronous {
        @Test
        void a_failed_stage_is_replaced() {
            CompletableFuture<String> work = new CompletableFuture<>();
            CompletableFuture<String> future = fallback.callAsync(() -> work);
            work.completeExceptionally(new IOException("net"));
            assertThat(future).isCompletedWithValue("instead of net");
        }

        @Test
        void a_fallback_that_fails_keeps_the_original_suppressed() {
            Fallback broken = Fallback.of("f", error -> {
                throw new IllegalStateException("no cache either");
            });
            CompletableFuture<String> future =
                    broken.callAsync(() -> CompletableFuture.failedFuture(new IOException("net")));
            Throwable[] seen = new Throwable[1];
            future.whenComplete((result, error) -> seen[0] = error);
            assertThat(seen[0]).hasMessage("no cache either");
            assertThat(seen[0].getSuppressed())
                    .extracting(Throwable::getMessage)
                    .containsExactly("net");
        }

        @Test
        void a_cancelled_call_asks_for_no_substitute() {
            CompletableFuture<String> work = new CompletableFuture<>();
            CompletableFuture<String> future = fallback.callAsync(() -> work);
            future.cancel(true);
            assertThat(work).isCancelled();
            assertThat(heard).isEmpty();
        }
    }
}
