package dev.levee.circuitbreaker;

import static org.openjdk.jcstress.annotations.Expect.ACCEPTABLE;
import static org.openjdk.jcstress.annotations.Expect.FORBIDDEN;

import dev.levee.core.Environment;
import dev.levee.core.Gate;
import dev.levee.core.Listener;
import dev.levee.core.Policy;
import dev.levee.core.RefusedException;
import dev.levee.core.Verdict;
import java.time.Duration;
import java.util.concurrent.atomic.AtomicLong;
import org.openjdk.jcstress.annotations.Actor;
import org.openjdk.jcstress.annotations.Arbiter;
import org.openjdk.jcstress.annotations.JCStressTest;
import org.openjdk.jcstress.annotations.Outcome;
import org.openjdk.jcstress.annotations.State;
import org.openjdk.jcstress.infra.results.III_Result;
import org.openjdk.jcstress.infra.results.II_Result;
import org.openjdk.jcstress.infra.results.I_Result;

/** The epochs of {@link EpochBreaker}, and the words of {@link Probes}. */
public class BreakerStress {
    private static final long LEASE = 50;

    private static Probes probes(int permits) {
        return new Probes(
                CircuitBreakerConfig.builder().halfOpenCalls(permits).build().halfOpenRules(),
                Thresholds.NONE,
                LEASE,
                new AtomicLong()::incrementAndGet);
    }

    /** The start of a lease is written in opaque mode before the word: a reader of the word sees that start. */
    @JCStressTest
    @Outcome(id = "0", expect = ACCEPTABLE, desc = "no lease, or one that has just begun")
    @Outcome(expect = FORBIDDEN, desc = "a lease that has just begun is taken for an expired one")
    @State
    public static class LeaseHasItsStart {
        private final Probes probes = probes(1);

        @Actor
        public void probe() {
            probes.tryLease(100);
        }

        @Actor
        public void reader(I_Result result) {
            result.r1 = probes.firstExpired(100) == 0 ? 0 : 1;
        }
    }

    /** The same where a permit is leased again: the reader sees the start of that lease, or the old word. */
    @JCStressTest
    @Outcome(id = "0", expect = ACCEPTABLE, desc = "not expired")
    @Outcome(expect = FORBIDDEN, desc = "the second lease with the start of the first")
    @State
    public static class NextLeaseHasItsStart {
        private final Probes probes = probes(1);
        private final long first = probes.tryLease(0);

        @Actor
        public void probe() {
            probes.giveBack(first);
            probes.tryLease(100);
        }

        @Actor
        public void reader(I_Result result) {
            long expired = probes.firstExpired(100);
            result.r1 = expired == 0 || expired == first ? 0 : 1;
        }
    }

    /** One permit goes to one of two threads. */
    @JCStressTest
    @Outcome(
            id = {"1, 0, 1", "0, 1, 1"},
            expect = ACCEPTABLE,
            desc = "one has it")
    @Outcome(expect = FORBIDDEN, desc = "both, or none")
    @State
    public static class OnePermit {
        private final Probes probes = probes(1);

        @Actor
        public void first(III_Result result) {
            result.r1 = probes.tryLease(0) == 0 ? 0 : 1;
        }

        @Actor
        public void second(III_Result result) {
            result.r2 = probes.tryLease(0) == 0 ? 0 : 1;
        }

        @Arbiter
        public void end(III_Result result) {
            result.r3 = probes.held();
        }
    }

    /** Of the two last outcomes at least one thread sees that they decide. */
    @JCStressTest
    @Outcome(
            id = {"1, 0", "0, 1", "1, 1"},
            expect = ACCEPTABLE,
            desc = "the decision is seen")
    @Outcome(expect = FORBIDDEN, desc = "a half-open breaker that nothing ends")
    @State
    public static class LastOutcomesDecide {
        private final Probes probes = probes(2);
        private final long first = probes.tryLease(0);
        private final long second = probes.tryLease(0);

        @Actor
        public void first(II_Result result) {
            probes.spend(first, 0);
            result.r1 = decided();
        }

        @Actor
        public void second(II_Result result) {
            probes.spend(second, 0);
            result.r2 = decided();
        }

        private int decided() {
            return probes.decision(probes.tally()) == Probes.Decision.NONE ? 0 : 1;
        }
    }

    /** A call sees a whole epoch: the refusal of an open breaker is there as soon as it refuses. */
    @JCStressTest
    @Outcome(
            id = {"1, 0", "0, 1"},
            expect = ACCEPTABLE,
            desc = "admitted, or refused with the reason")
    @Outcome(expect = FORBIDDEN, desc = "an epoch in parts")
    @State
    public static class EpochIsWhole {
        private final CircuitBreaker breaker = breaker();

        @Actor
        public void failing() {
            fail(breaker);
        }

        @Actor
        public void calling(II_Result result) {
            boolean admitted = breaker.tryEnter(0) != Gate.REFUSED;
            result.r1 = admitted ? 1 : 0;
            result.r2 = !admitted && breaker.refusal().getMessage().contains("is OPEN: 1 calls") ? 1 : 0;
        }
    }

    /** Two failures that each reach the limit open the breaker once: the epoch is the next one. */
    @JCStressTest
    @Outcome(id = "1", expect = ACCEPTABLE, desc = "opened once")
    @Outcome(expect = FORBIDDEN, desc = "not at all, or twice")
    @State
    public static class OpenedOnce {
        private final AtomicLong changes = new AtomicLong();
        private final CircuitBreaker breaker = breaker(changes);
        private final long first = breaker.tryEnter(0);
        private final long second = breaker.tryEnter(0);

        @Actor
        public void first() {
            breaker.exit(first, 0, 0, Verdict.FAILURE, RefusedException.UNKNOWN);
        }

        @Actor
        public void second() {
            breaker.exit(second, 0, 0, Verdict.FAILURE, RefusedException.UNKNOWN);
        }

        @Arbiter
        public void end(I_Result result) {
            result.r1 = breaker.state() == CircuitBreaker.State.OPEN ? changes.intValue() : -1;
        }
    }

    /**
     * The flag of a new configuration is a plain field: it may be read by two threads, but the judgement is not missed.
     */
    @JCStressTest
    @Outcome(id = "1", expect = ACCEPTABLE, desc = "opened by the new limits")
    @Outcome(expect = FORBIDDEN, desc = "counts over the new limits were not judged")
    @State
    public static class JudgedByNewLimits {
        private final CircuitBreaker breaker = CircuitBreaker.of("breaker", limits(1), Environment.system());
        private final long first = breaker.tryEnter(0);
        private final long second = breaker.tryEnter(0);

        public JudgedByNewLimits() {
            fail(breaker);
            breaker.exit(breaker.tryEnter(0), 0, 0, Verdict.SUCCESS, RefusedException.UNKNOWN);
            breaker.reconfigure(limits(0.1));
        }

        @Actor
        public void first() {
            breaker.exit(first, 0, 0, Verdict.SUCCESS, RefusedException.UNKNOWN);
        }

        @Actor
        public void second() {
            breaker.exit(second, 0, 0, Verdict.SUCCESS, RefusedException.UNKNOWN);
        }

        @Arbiter
        public void end(I_Result result) {
            result.r1 = breaker.state() == CircuitBreaker.State.OPEN ? 1 : 0;
        }

        private static CircuitBreakerConfig limits(double failureRate) {
            return CircuitBreakerConfig.builder()
                    .countWindow(8)
                    .minCalls(2)
                    .failureRate(failureRate)
                    .openFor(Duration.ofDays(1))
                    .build();
        }
    }

    private static CircuitBreaker breaker() {
        return breaker(new AtomicLong());
    }

    private static CircuitBreaker breaker(AtomicLong changes) {
        Listener listener = new Listener() {
            @Override
            public void onStateChange(Policy.Kind kind, String policy, String from, String to) {
                changes.incrementAndGet();
            }
        };
        return CircuitBreaker.of(
                "breaker",
                c -> c.consecutiveFailures(1).openFor(Duration.ofDays(1)),
                Environment.system().toBuilder().listener(listener).build());
    }

    private static void fail(CircuitBreaker breaker) {
        breaker.exit(breaker.tryEnter(0), 0, 0, Verdict.FAILURE, RefusedException.UNKNOWN);
    }
}
