package dev.levee.benchmarks;

import dev.failsafe.CircuitBreaker;
import dev.levee.core.RefusedException;
import dev.levee.core.Verdict;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;

/**
 * {@code breaker.closed.count100.permit}: asking a closed breaker and telling it of a success, without a call in
 * between and without a clock read by the subject's user.
 *
 * <pre>benchmarks/compare '^breaker.closed.count100.permit$'</pre>
 */
public class BreakerClosedCount100Permit {
    @State(Scope.Benchmark)
    public static class LeveeState {
        final dev.levee.circuitbreaker.CircuitBreaker breaker = LeveeParts.breakerCount100();

        @Setup
        public void verify() {
            Check.that(breaker.timing() == 0, "the breaker needs the time");
        }
    }

    @Benchmark
    public long levee(LeveeState state) {
        long stamp = state.breaker.tryEnter(0);
        state.breaker.exit(stamp, 0, 0, Verdict.SUCCESS, RefusedException.UNKNOWN);
        return stamp;
    }

    @State(Scope.Benchmark)
    public static class Resilience4jState {
        final io.github.resilience4j.circuitbreaker.CircuitBreaker breaker = Resilience4j.breakerCount100();
    }

    @Benchmark
    public void resilience4j(Resilience4jState state) {
        state.breaker.acquirePermission();
        state.breaker.onSuccess(0, TimeUnit.NANOSECONDS);
    }

    @State(Scope.Benchmark)
    public static class FailsafeState {
        final CircuitBreaker<String> breaker = FailsafeParts.breakerCount100();
    }

    @Benchmark
    public boolean failsafe(FailsafeState state) {
        boolean admitted = state.breaker.tryAcquirePermit();
        if (admitted) {
            state.breaker.recordSuccess();
        }
        return admitted;
    }
}
