package dev.levee.circuitbreaker;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.resilience4j.circuitbreaker.CircuitBreakerConfig.SlidingWindowSynchronizationStrategy;
import io.github.resilience4j.circuitbreaker.CircuitBreakerConfig.SlidingWindowType;
import java.util.concurrent.TimeUnit;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import net.jqwik.api.constraints.Size;

/** One call after the other, the count window counts what Resilience4j's locked one counts. */
class WindowOracleTest {
    @Property
    void counts_agree(
            @ForAll @IntRange(min = 1, max = 130) int size,
            @ForAll @Size(max = 400) boolean[] failed,
            @ForAll boolean[] slow) {
        CountWindow window = new CountWindow(size);
        io.github.resilience4j.circuitbreaker.CircuitBreaker oracle =
                io.github.resilience4j.circuitbreaker.CircuitBreaker.of(
                        "oracle",
                        io.github.resilience4j.circuitbreaker.CircuitBreakerConfig.custom()
                                .slidingWindow(
                                        size,
                                        1,
                                        SlidingWindowType.COUNT_BASED,
                                        SlidingWindowSynchronizationStrategy.SYNCHRONIZED)
                                .slowCallDurationThreshold(java.time.Duration.ofSeconds(1))
                                .build());
        oracle.transitionToMetricsOnlyState();
        for (int i = 0; i < failed.length; i++) {
            boolean isSlow = i < slow.length && slow[i];
            window.record((failed[i] ? Window.FAILED : 0) | (isSlow ? Window.SLOW : 0), 0, Thresholds.NONE);
            long seconds = isSlow ? 2 : 0;
            if (failed[i]) {
                oracle.onError(seconds, TimeUnit.SECONDS, new IllegalStateException("failed"));
            } else {
                oracle.onSuccess(seconds, TimeUnit.SECONDS);
            }
            var counted = oracle.getMetrics();
            assertThat(window.tally(0))
                    .isEqualTo(new Counts(
                            counted.getNumberOfBufferedCalls(),
                            counted.getNumberOfFailedCalls(),
                            counted.getNumberOfSlowCalls()));
        }
    }
}
