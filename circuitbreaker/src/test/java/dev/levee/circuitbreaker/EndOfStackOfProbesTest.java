package dev.levee.circuitbreaker;

import static org.assertj.core.api.Assertions.assertThat;

import dev.levee.core.Environment;
import dev.levee.core.Gate;
import dev.levee.core.OutcomeRule;
import dev.levee.core.Pipeline;
import dev.levee.core.Policy;
import dev.levee.core.Verdict;
import dev.levee.core.policy.Bulkhead;
import dev.levee.core.testing.EndOfStack;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;

/** Guarded code that uses up its stack: a half-open breaker loses no probe, a closed one counts each call. */
class EndOfStackOfProbesTest {
    private static final int OVERFLOWS = 400;
    private static final int PROBES = 40;
    private static final OutcomeRule NO_EVIDENCE = (result, error) -> Verdict.IGNORED;

    private final Environment environment = Environment.closeable("end-of-stack");
    private final CircuitBreaker halfOpen = CircuitBreaker.of(
            "half-open", c -> c.halfOpenCalls(PROBES).minCalls(PROBES).outcomes(NO_EVIDENCE), environment);
    private final CircuitBreaker closed = CircuitBreaker.of(
            "closed", c -> c.countWindow(1_000).minCalls(1_000).failureRate(1.0), environment);
    private final Bulkhead bulkhead = Bulkhead.of("b", c -> c.maxConcurrent(1 << 20), environment);
    private final Policy both = Pipeline.of(bulkhead, halfOpen, closed);

    private void no_probe_is_lost(long stackSize) throws Exception {
        halfOpen.halfOpen();
        EndOfStack.overflow(
                OVERFLOWS,
                stackSize,
                List.of(
                        halfOpen::call,
                        closed::call,
                        both::call,
                        next -> EndOfStack.endOf(
                                halfOpen.callAsync(() -> CompletableFuture.completedFuture(next.run()))),
                        next -> EndOfStack.endOf(both.callAsync(() -> CompletableFuture.completedFuture(next.run())))));
        assertThat(halfOpen.state()).isEqualTo(CircuitBreaker.State.HALF_OPEN);
        assertThat(closed.state()).isEqualTo(CircuitBreaker.State.CLOSED);
        assertThat(bulkhead.inFlight()).isZero();
        int admitted = 0;
        while (halfOpen.tryEnter(environment.clock().nanoTime()) != Gate.REFUSED) {
            admitted++;
        }
        assertThat(admitted).isEqualTo(PROBES);
        environment.close();
    }

    @Test
    void no_probe_is_lost_on_a_small_stack() throws Exception {
        no_probe_is_lost(EndOfStack.SMALL);
    }

    @Test
    void no_probe_is_lost_on_a_stack_of_the_default_size() throws Exception {
        no_probe_is_lost(EndOfStack.DEFAULT);
    }
}
