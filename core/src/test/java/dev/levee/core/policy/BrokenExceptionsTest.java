package dev.levee.core.policy;

import static java.time.Duration.ofSeconds;
import static org.assertj.core.api.Assertions.assertThat;

import dev.levee.core.Environment;
import dev.levee.core.Operation;
import dev.levee.core.Pipeline;
import dev.levee.core.Policy;
import dev.levee.core.signals.CallMeter;
import dev.levee.core.testing.ManualTime;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.function.Supplier;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Exceptions of a user whose own methods throw: they come out as they are, and cost no permit. */
class BrokenExceptionsTest {
    private static final class NoCause extends RuntimeException {
        private static final long serialVersionUID = 1L;

        @Override
        @SuppressWarnings("UnsynchronizedOverridesSynchronized")
        public Throwable getCause() {
            throw new IllegalStateException("no cause");
        }
    }

    private static final class NoTrace extends RuntimeException {
        private static final long serialVersionUID = 1L;

        @Override
        public StackTraceElement[] getStackTrace() {
            throw new IllegalStateException("no trace");
        }
    }

    private static final class Incomparable extends RuntimeException {
        private static final long serialVersionUID = 1L;

        @Override
        public boolean equals(Object other) {
            throw new IllegalStateException("equals nothing");
        }

        @Override
        public int hashCode() {
            throw new IllegalStateException("no hash");
        }
    }

    private final ManualTime time = new ManualTime();
    private final Environment environment =
            time.environment().toBuilder().executor(time::start).build();
    private final List<Object> ended = new ArrayList<>();

    private static Stream<Supplier<Throwable>> broken() {
        return Stream.of(NoCause::new, NoTrace::new, Incomparable::new);
    }

    private List<Policy> policies() {
        Retry retry = Retry.of("r", c -> c.idempotent(true).backoff(Backoff.fixed(Duration.ZERO)), environment);
        Hedge hedge = Hedge.of("h", c -> c.idempotent(true).delay(ofSeconds(1)), environment);
        Timeout timeout = Timeout.of("t", ofSeconds(5), environment);
        return List.of(
                Bulkhead.of("b", 1, environment),
                retry,
                hedge,
                timeout,
                timeout.onExecutor(time::start),
                Translate.of("x", failure -> null, environment),
                Fallback.chain("f", c -> c.when(failure -> false).thenValue("v", "x"), environment),
                CallMeter.of("m", environment),
                Faults.of("fx", environment),
                Pipeline.of(timeout, retry, Bulkhead.of("b", 9, environment), hedge));
    }

    @ParameterizedTest
    @MethodSource("broken")
    void come_out_as_they_are_and_cost_no_permit(Supplier<Throwable> broken) {
        for (Policy policy : policies()) {
            for (int form = 0; form < 3; form++) {
                Bulkhead inside = Bulkhead.of("inside", 3, environment);
                Throwable thrown = broken.get();
                Operation<String, Throwable> call = () -> inside.call(() -> {
                    throw thrown;
                });
                ended.clear();
                if (form == 0) {
                    time.start(() -> {
                        try {
                            ended.add(policy.call(call));
                        } catch (Throwable error) {
                            ended.add(error);
                        }
                    });
                } else {
                    CompletableFuture<String> future = form == 1
                            ? policy.callAsync(() -> inside.callAsync(() -> CompletableFuture.failedFuture(thrown)))
                            : policy.callAsync(time::start, call);
                    future.whenComplete((result, error) -> ended.add(error));
                }
                time.advance(ofSeconds(60));
                assertThat(ended).hasSize(1);
                assertThat(ended.get(0) == thrown).as(policy + ", form " + form).isTrue();
                assertThat(inside.inFlight()).as(policy + ", form " + form).isZero();
            }
        }
    }
}
