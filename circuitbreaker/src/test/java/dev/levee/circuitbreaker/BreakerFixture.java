package dev.levee.circuitbreaker;

import static dev.levee.circuitbreaker.CircuitBreaker.State.HALF_OPEN;
import static dev.levee.circuitbreaker.CircuitBreaker.State.OPEN;
import static org.assertj.core.api.Assertions.assertThat;

import dev.levee.core.testing.ManualTime;
import java.time.Duration;
import java.util.function.Consumer;

/** Breakers on a clock that wraps after seven seconds, so that every test crosses the wrap sooner or later. */
abstract class BreakerFixture {
    final ManualTime time = ManualTime.startingAt(Long.MAX_VALUE - 7_000_000_000L);

    final CircuitBreaker breaker(Consumer<CircuitBreakerConfig.Builder> configure) {
        return CircuitBreaker.of("payments", configure, time.environment());
    }

    /** Opens at 2 failures of 4 calls, for 10 seconds; 3 probes of at most 10 seconds. */
    final CircuitBreaker small() {
        return breaker(c -> c.countWindow(4)
                .openFor(Duration.ofSeconds(10))
                .halfOpenCalls(3)
                .probeLease(Duration.ofSeconds(10)));
    }

    final CircuitBreaker opened() {
        CircuitBreaker breaker = small();
        Calls.fail(breaker, 4);
        assertThat(breaker.state()).isEqualTo(OPEN);
        return breaker;
    }

    final CircuitBreaker halfOpened() {
        CircuitBreaker breaker = opened();
        time.advance(Duration.ofSeconds(10));
        assertThat(breaker.state()).isEqualTo(HALF_OPEN);
        return breaker;
    }
}
