package dev.levee.core.policy;

import static org.assertj.core.api.Assertions.assertThat;

import dev.levee.core.Around;
import dev.levee.core.CallContext;
import dev.levee.core.Environment;
import dev.levee.core.Inner;
import dev.levee.core.Operation;
import dev.levee.core.Pipeline;
import dev.levee.core.Policy;
import dev.levee.core.idempotency.Idempotency;
import dev.levee.core.idempotency.IdempotencyRefusedException;
import dev.levee.core.testing.EndOfStack;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/**
 * Guarded code that uses up its stack, at every depth and in nested guarded calls: no permit is lost, no timer is left,
 * and no lock stays held. Small stacks, because it takes an overflow for each depth.
 */
class EndOfStackTest {
    private static final Duration LONG = Duration.ofMinutes(10);
    private static final int OVERFLOWS = 560;

    private final Environment environment = Environment.closeable("end-of-stack");
    private final List<Bulkhead> bulkheads = new ArrayList<>();
    private final Bulkhead single = bulkhead();
    private final Timeout timeout = Timeout.of("t", LONG, environment);
    private final Retry retry = Retry.of("r", c -> c.maxAttempts(2).backoff(Backoff.fixed(Duration.ZERO)), environment);
    private final Policy narrow = Pipeline.of(bulkhead(), bulkhead(), bulkhead());
    private final Policy wide = Pipeline.of(bulkhead(), bulkhead(), bulkhead(), bulkhead(), bulkhead(), bulkhead());
    private final Policy all = Pipeline.of(bulkhead(), retry, bulkhead(), timeout, bulkhead(), bulkhead());
    private final Faults faults =
            Faults.of("f", environment, Fault.latency(Duration.ofNanos(1)).rate(0.1));
    private final Hedge hedge = Hedge.of("h", c -> c.idempotent(true).delay(LONG), environment);
    private final Policy hedged = Pipeline.of(bulkhead(), hedge, bulkhead());
    private final Idempotency<Long> idempotency = Idempotency.of("i", c -> {}, environment);
    private final AtomicLong keys = new AtomicLong();

    private Bulkhead bulkhead() {
        Bulkhead made = Bulkhead.of("b" + bulkheads.size(), c -> c.maxConcurrent(1 << 30), environment);
        bulkheads.add(made);
        return made;
    }

    @AfterEach
    void nothingIsLeft() throws Exception {
        keysAreNotInProgress();
        assertThat(bulkheads)
                .allSatisfy(bulkhead -> assertThat(bulkhead.inFlight()).isZero());
        timersOfAllStripesRun();
        environment.close();
    }

    /** A call whose record was lost would refuse its key until its lease ends; one that is pending, for ever. */
    private void keysAreNotInProgress() {
        for (long key = 1; key <= keys.get(); key++) {
            try {
                idempotency.call("key " + key, "", () -> 1L);
            } catch (IdempotencyRefusedException refused) {
                assertThat(refused.reason()).isEqualTo(IdempotencyRefusedException.Reason.UNKNOWN_OUTCOME);
            }
        }
    }

    /** From many threads, since each has a stripe of its own. */
    private void timersOfAllStripesRun() throws InterruptedException {
        CountDownLatch ran = new CountDownLatch(64);
        for (int i = 0; i < 64; i++) {
            Thread sets = new Thread(() -> environment.scheduler().schedule(ran::countDown, 1));
            sets.start();
            sets.join();
        }
        assertThat(ran.await(60, TimeUnit.SECONDS)).as("timers run").isTrue();
    }

    @Test
    void no_permit_and_no_timer_is_lost_on_a_small_stack() throws Exception {
        faults.switchOn();
        EndOfStack.overflow(OVERFLOWS, EndOfStack.SMALL, forms());
    }

    @Test
    void no_permit_and_no_timer_is_lost_on_a_stack_of_the_default_size() throws Exception {
        EndOfStack.overflow(OVERFLOWS, EndOfStack.DEFAULT, forms());
    }

    @Test
    void no_permit_is_lost_inside_a_policy_of_a_user_that_is_hungry_for_stack() throws Exception {
        EndOfStack.overflow(OVERFLOWS, EndOfStack.SMALL, List.of(Pipeline.of(new Hungry(), bulkhead())::call));
    }

    /** Uses more stack than a pipeline asks for where it begins, in a package of this library. */
    private final class Hungry implements Around {
        private int calls;

        @Override
        public <T extends @Nullable Object, X extends Throwable> T around(Inner inner, Operation<T, X> operation)
                throws X {
            return eat(calls++ * 7 % 200, inner, operation);
        }

        private <T extends @Nullable Object, X extends Throwable> T eat(
                int left, Inner inner, Operation<T, X> operation) throws X {
            return left == 0 ? inner.call(operation) : eat(left - 1, inner, operation);
        }

        @Override
        public <T extends @Nullable Object> CompletableFuture<T> aroundAsync(
                Inner inner, Supplier<? extends CompletionStage<T>> operation) {
            return inner.callAsync(operation);
        }

        @Override
        public String name() {
            return "hungry";
        }

        @Override
        public Environment environment() {
            return environment;
        }
    }

    private List<EndOfStack.Form> forms() {
        return List.of(
                single::call,
                narrow::call,
                wide::call,
                timeout::call,
                retry::call,
                all::call,
                next -> EndOfStack.endOf(narrow.callAsync(() -> CompletableFuture.completedFuture(next.run()))),
                next -> EndOfStack.endOf(all.callAsync(() -> CompletableFuture.completedFuture(next.run()))),
                faults::call,
                hedge::call,
                next -> EndOfStack.endOf(hedged.callAsync(() -> CompletableFuture.completedFuture(next.run()))),
                next -> CallContext.current().withAttempt(7).call(next),
                next -> CallContext.notIdempotent(next),
                next -> idempotency.call("key " + keys.incrementAndGet(), "", next),
                next -> EndOfStack.endOf(idempotency.callAsync(
                        "key " + keys.incrementAndGet(), "", () -> CompletableFuture.completedFuture(next.run()))));
    }
}
