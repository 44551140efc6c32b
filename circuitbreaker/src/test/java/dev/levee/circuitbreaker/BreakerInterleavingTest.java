package dev.levee.circuitbreaker;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import dev.levee.circuitbreaker.CircuitBreaker.State;
import dev.levee.core.Environment;
import dev.levee.core.Gate;
import dev.levee.core.Listener;
import dev.levee.core.Policy;
import dev.levee.core.RefusedException;
import dev.levee.core.Verdict;
import dev.levee.core.testing.LongForm;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;
import org.jetbrains.lincheck.datastructures.IntGen;
import org.jetbrains.lincheck.datastructures.ModelCheckingOptions;
import org.jetbrains.lincheck.datastructures.Operation;
import org.jetbrains.lincheck.datastructures.Param;
import org.jetbrains.lincheck.datastructures.ThreadIdGen;
import org.jetbrains.lincheck.datastructures.Validate;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.slf4j.LoggerFactory;

/**
 * Whole breakers are linearizable too: one change wins, a manual one stays, and each is published once and in order.
 */
class BreakerInterleavingTest {
    private static final Logger LOG = (Logger) LoggerFactory.getLogger(CircuitBreaker.class);

    /** What the logging library does inside is not explored. */
    @BeforeAll
    static void logNothing() {
        LOG.setLevel(Level.OFF);
    }

    @AfterAll
    static void logAgain() {
        LOG.setLevel(null);
    }

    @Test
    void probes_that_decide_race_with_changes_by_hand() {
        CountWindowInterleavingTest.options().actorsBefore(0).actorsAfter(0).check(OfTheHalfOpenBreaker.class);
    }

    @Test
    void a_failure_that_opens_races_with_changes_by_hand() {
        CountWindowInterleavingTest.options().actorsBefore(0).actorsAfter(0).check(OfTheClosedBreaker.class);
    }

    @Test
    void calls_of_a_ramp_race_with_changes_by_hand() {
        CountWindowInterleavingTest.options().actorsBefore(0).actorsAfter(0).check(OfTheRampingBreaker.class);
    }

    @Test
    void a_failure_that_opens_races_with_a_change_of_the_configuration() {
        reconfigured().check(OfTheReconfiguredBreaker.class);
    }

    @Test
    void probes_that_decide_race_with_a_change_of_the_configuration() {
        reconfigured().check(OfTheReconfiguredHalfOpenBreaker.class);
    }

    private static ModelCheckingOptions reconfigured() {
        return CountWindowInterleavingTest.options()
                .actorsPerThread(2)
                .actorsBefore(0)
                .actorsAfter(0)
                .iterations(LongForm.iterations(3))
                .invocationsPerIteration(LongForm.invocations(120));
    }

    /** Each thread has at most one call under way. */
    @Param(name = "thread", gen = ThreadIdGen.class)
    public abstract static class Calls {
        private final List<String> published = new ArrayList<>();
        private final long[] stamps = new long[10];
        final CircuitBreaker breaker;
        long now;

        Calls(Consumer<CircuitBreakerConfig.Builder> configure) {
            Environment environment = Environment.builder()
                    .clock(() -> now)
                    .listener(new Listener() {
                        @Override
                        public void onStateChange(Policy.Kind kind, String policy, String from, String to) {
                            published.add(from);
                            published.add(to);
                        }
                    })
                    .build();
            breaker = CircuitBreaker.of("b", configure, environment);
        }

        @Operation
        public boolean enter(@Param(name = "thread") int thread) {
            if (stamps[thread] == Gate.REFUSED) {
                stamps[thread] = breaker.tryEnter(0);
            }
            return stamps[thread] != Gate.REFUSED;
        }

        @Operation
        public void succeed(@Param(name = "thread") int thread) {
            exit(thread, Verdict.SUCCESS);
        }

        @Operation
        public void fail(@Param(name = "thread") int thread) {
            exit(thread, Verdict.FAILURE);
        }

        void exit(int thread, Verdict verdict) {
            long stamp = stamps[thread];
            stamps[thread] = Gate.REFUSED;
            if (stamp != Gate.REFUSED) {
                breaker.exit(stamp, 0, 0, verdict, RefusedException.UNKNOWN);
            }
        }

        @Operation
        public State state() {
            return breaker.state();
        }

        @Validate
        public void validate() {
            for (int i = 2; i < published.size(); i += 2) {
                if (!published.get(i).equals(published.get(i - 1))) {
                    throw new IllegalStateException("out of order: " + published);
                }
            }
            String last = published.isEmpty() ? "CLOSED" : published.get(published.size() - 1);
            if (!last.equals(breaker.state().name())) {
                throw new IllegalStateException("it is " + breaker.state() + ", but published was " + published);
            }
        }
    }

    public static class OfTheHalfOpenBreaker extends Calls {
        public OfTheHalfOpenBreaker() {
            super(c -> c.consecutiveFailures(1).openFor(Duration.ofNanos(10)).halfOpenCalls(2));
            breaker.exit(breaker.tryEnter(0), 0, 0, Verdict.FAILURE, RefusedException.UNKNOWN);
            now = 10;
            breaker.state();
        }

        @Operation
        public void ignore(@Param(name = "thread") int thread) {
            exit(thread, Verdict.IGNORED);
        }

        @Operation
        public void observeOnly() {
            breaker.observeOnly();
        }
    }

    /** Half of the calls come through; two failures in a row open it. */
    public static class OfTheRampingBreaker extends Calls {
        public OfTheRampingBreaker() {
            super(c -> c.consecutiveFailures(2)
                    .openFor(Duration.ofNanos(10))
                    .halfOpenCalls(1)
                    .ramp(Duration.ofNanos(100), 0.5));
            for (int i = 0; i < 2; i++) {
                breaker.exit(breaker.tryEnter(0), 0, 0, Verdict.FAILURE, RefusedException.UNKNOWN);
            }
            now = 10;
            breaker.exit(breaker.tryEnter(0), 0, 0, Verdict.SUCCESS, RefusedException.UNKNOWN);
            if (breaker.state() != State.RAMPING) {
                throw new IllegalStateException(breaker.toString());
            }
        }

        @Operation
        public void reset() {
            breaker.reset();
        }
    }

    /** One failure opens it, or ends its one probe: whatever the configuration, and whenever it changes. */
    @Param(name = "size", gen = IntGen.class, conf = "1:2")
    public abstract static class Reconfigured {
        private final AtomicInteger failed = new AtomicInteger();
        final CircuitBreaker breaker;
        long now;

        Reconfigured() {
            Environment environment = Environment.builder().clock(() -> now).build();
            breaker = CircuitBreaker.of(
                    "b",
                    c -> c.consecutiveFailures(1).openFor(Duration.ofNanos(10)).halfOpenCalls(1),
                    environment);
        }

        @Operation
        public void fail() {
            call(Verdict.FAILURE);
        }

        @Operation
        public void reconfigure(@Param(name = "size") int size) {
            breaker.reconfigure(breaker.config().toBuilder()
                    .halfOpenCalls(size)
                    .openFor(Duration.ofSeconds(size))
                    .build());
        }

        final void call(Verdict verdict) {
            long stamp = breaker.tryEnter(0);
            if (stamp != Gate.REFUSED) {
                breaker.exit(stamp, 0, 0, verdict, RefusedException.UNKNOWN);
                if (verdict == Verdict.FAILURE) {
                    failed.incrementAndGet();
                }
            }
        }

        @Validate
        public void itIsOpenIfOneFailed() {
            if (failed.get() > 0 && breaker.state() != State.OPEN) {
                throw new IllegalStateException(failed + " failed, but " + breaker);
            }
        }
    }

    public static class OfTheReconfiguredBreaker extends Reconfigured {}

    public static class OfTheReconfiguredHalfOpenBreaker extends Reconfigured {
        public OfTheReconfiguredHalfOpenBreaker() {
            breaker.exit(breaker.tryEnter(0), 0, 0, Verdict.FAILURE, RefusedException.UNKNOWN);
            now = 10;
            breaker.state();
        }

        @Operation
        public void giveBack() {
            call(Verdict.IGNORED);
        }
    }

    public static class OfTheClosedBreaker extends Calls {
        public OfTheClosedBreaker() {
            super(c -> c.consecutiveFailures(1));
        }

        @Operation
        public void forceOpen() {
            breaker.forceOpen();
        }

        @Operation
        public void reset() {
            breaker.reset();
        }
    }
}
