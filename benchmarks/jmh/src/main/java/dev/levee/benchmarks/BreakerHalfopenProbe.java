package dev.levee.benchmarks;

import dev.levee.core.Gate;
import dev.levee.core.RefusedException;
import dev.levee.core.Verdict;
import io.github.resilience4j.circuitbreaker.CircuitBreaker;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.State;

/**
 * {@code breaker.halfopen.probe}: a closed breaker opens, becomes half-open, admits its one probe, and closes because
 * it succeeds. Opened and half-opened by hand, because a time that has passed would be part of the figure.
 *
 * <p>Each thread has a breaker of its own, unlike in other questions: of two threads that change the state of one, each
 * would meet what the other has just made of it, and answer another question.
 *
 * <pre>benchmarks/compare '^breaker.halfopen.probe$'</pre>
 */
public class BreakerHalfopenProbe {
    @State(Scope.Thread)
    public static class LeveeState {
        final dev.levee.circuitbreaker.CircuitBreaker breaker = LeveeParts.breakerOfOneProbe();
    }

    @Benchmark
    public Object levee(LeveeState state) {
        var breaker = state.breaker;
        breaker.forceOpen();
        breaker.halfOpen();
        long now = breaker.timing() == 0 ? 0 : System.nanoTime();
        long stamp = breaker.tryEnter(now);
        Check.that(stamp != Gate.REFUSED, "the probe was refused");
        breaker.exit(stamp, now, now, Verdict.SUCCESS, RefusedException.UNKNOWN);
        var after = breaker.state();
        Check.that(after == dev.levee.circuitbreaker.CircuitBreaker.State.CLOSED, "the probe has not closed it");
        return after;
    }

    @State(Scope.Thread)
    public static class Resilience4jState {
        final CircuitBreaker breaker = Resilience4j.breakerOfOneProbe();
    }

    @Benchmark
    public Object resilience4j(Resilience4jState state) {
        var breaker = state.breaker;
        breaker.transitionToOpenState();
        breaker.transitionToHalfOpenState();
        Check.that(breaker.tryAcquirePermission(), "the probe was refused");
        breaker.onSuccess(0, TimeUnit.NANOSECONDS);
        var after = breaker.getState();
        Check.that(after == CircuitBreaker.State.CLOSED, "the probe has not closed it");
        return after;
    }

    @State(Scope.Thread)
    public static class FailsafeState {
        final dev.failsafe.CircuitBreaker<String> breaker = FailsafeParts.breakerOfOneProbe();
    }

    @Benchmark
    public Object failsafe(FailsafeState state) {
        var breaker = state.breaker;
        breaker.open();
        breaker.halfOpen();
        Check.that(breaker.tryAcquirePermit(), "the probe was refused");
        breaker.recordSuccess();
        var after = breaker.getState();
        Check.that(after == dev.failsafe.CircuitBreaker.State.CLOSED, "the probe has not closed it");
        return after;
    }
}
