package dev.levee.loadbalancing;

import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.levee.core.Environment;
import dev.levee.core.Gate;
import dev.levee.core.testing.LongForm;
import dev.levee.core.testing.ModelChecking;
import dev.levee.core.testing.PlantedFault;
import dev.levee.loadbalancing.discovery.Endpoint;
import java.util.concurrent.atomic.AtomicInteger;
import org.jetbrains.lincheck.datastructures.ModelCheckingOptions;
import org.jetbrains.lincheck.datastructures.Operation;
import org.jetbrains.lincheck.datastructures.Validate;
import org.junit.jupiter.api.Test;

/**
 * Every interleaving of a few operations: runs of failures are counted, a node that closes is idle once, permits are
 * kept.
 */
class HealthInterleavingsTest {
    @Test
    void the_run_of_failures_is_that_of_some_order_of_the_calls() {
        options().check(Runs.class);
    }

    @Test
    void a_run_that_is_read_and_then_written_is_caught() {
        assertThatThrownBy(() -> options().check(CarelessRuns.class)).satisfies(PlantedFault::isCaught);
    }

    @Test
    void a_node_that_closes_is_idle_once_and_admits_no_call_afterwards() {
        options().check(Closing.class);
    }

    @Test
    void a_node_that_checks_before_it_counts_is_caught() {
        assertThatThrownBy(() -> options().check(ClosingCarelessly.class)).satisfies(PlantedFault::isCaught);
    }

    @Test
    void no_more_checks_run_than_there_are_permits_and_none_is_forgotten() {
        options().check(Permits.class);
    }

    private static ModelCheckingOptions options() {
        return ModelChecking.options()
                .threads(2)
                .actorsPerThread(2)
                .actorsBefore(1)
                .actorsAfter(1)
                .iterations(LongForm.iterations(4))
                .invocationsPerIteration(LongForm.invocations(400));
    }

    /** The counters as they are. */
    public static class Runs {
        private final OutcomeCounters counters = new OutcomeCounters(2);

        @Operation
        public void success() {
            counters.success(1);
        }

        @Operation
        public boolean failure() {
            return counters.failure(1);
        }

        @Operation
        public long run() {
            return counters.run();
        }
    }

    /** Counters that forget failures. */
    public static class CarelessRuns {
        private volatile long run;

        @Operation
        public void success() {
            run = 0;
        }

        @Operation
        @SuppressWarnings("NonAtomicVolatileUpdate") // that is the mutant
        public long failure() {
            return ++run;
        }
    }

    /** A call that enters and leaves while the node closes. */
    public static class Closing {
        private final AtomicInteger idle = new AtomicInteger();
        private final AtomicInteger late = new AtomicInteger();
        private final Node<String> node = new Node<>(
                Endpoint.of("a"),
                "a",
                null,
                null,
                null,
                null,
                null,
                Environment.system().clock(),
                false);

        @Operation
        public void call() {
            long stamp = node.enter(0);
            if (stamp != Gate.REFUSED) {
                late.addAndGet(idle.get());
                node.leave(stamp, 0, 0, null, null, true);
            }
        }

        @Operation(runOnce = true)
        public void close() {
            node.close(idle::incrementAndGet);
        }

        @Validate
        public void check() {
            if (late.get() != 0 || (node.isClosed() && idle.get() == 0) || node.inFlight() != 0) {
                throw new IllegalStateException("late " + late + ", idle " + idle);
            }
        }
    }

    /** A call that checks whether the node is closed, and then counts. */
    public static class ClosingCarelessly {
        private final AtomicInteger idle = new AtomicInteger();
        private final AtomicInteger late = new AtomicInteger();
        private final AtomicInteger inFlight = new AtomicInteger();
        private volatile boolean closed;

        @Operation
        public void call() {
            if (!closed) {
                inFlight.incrementAndGet();
                late.addAndGet(idle.get());
                if (inFlight.decrementAndGet() == 0 && closed) {
                    idle.incrementAndGet();
                }
            }
        }

        @Operation(runOnce = true)
        public void close() {
            closed = true;
            if (inFlight.get() == 0) {
                idle.incrementAndGet();
            }
        }

        @Validate
        public void check() {
            if (late.get() != 0) {
                throw new IllegalStateException("late " + late);
            }
        }
    }

    /** One permit, which each task releases at once. */
    public static class Permits {
        private final CheckPermits permits = new CheckPermits(1);
        private final AtomicInteger asked = new AtomicInteger();
        private final AtomicInteger running = new AtomicInteger();
        private final AtomicInteger ran = new AtomicInteger();
        private volatile boolean crowded;

        @Operation
        public void acquire() {
            asked.incrementAndGet();
            permits.acquire(() -> {
                if (running.incrementAndGet() > 1) {
                    crowded = true;
                }
                ran.incrementAndGet();
                running.decrementAndGet();
                permits.release();
                return true;
            });
        }

        @Validate
        public void check() {
            if (crowded || ran.get() != asked.get()) {
                throw new IllegalStateException(ran + " of " + asked + " ran");
            }
        }
    }
}
