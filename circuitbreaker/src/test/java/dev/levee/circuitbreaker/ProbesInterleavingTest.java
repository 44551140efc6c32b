package dev.levee.circuitbreaker;

import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.levee.core.testing.PlantedFault;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.LongSupplier;
import org.jetbrains.lincheck.datastructures.Operation;
import org.jetbrains.lincheck.datastructures.Validate;
import org.junit.jupiter.api.Test;

/**
 * Permits of probes are neither lost nor made, whatever leases, spends, returns, expires or comes too late at the same
 * time.
 */
class ProbesInterleavingTest {
    @Test
    void permits_are_conserved() {
        CountWindowInterleavingTest.options().actorsBefore(0).actorsAfter(0).check(OfTheProbes.class);
    }

    @Test
    void stamps_that_come_again_are_caught() {
        assertThatThrownBy(() -> CountWindowInterleavingTest.options()
                        .actorsBefore(0)
                        .actorsAfter(0)
                        .check(OfAMutant.class))
                .satisfies(PlantedFault::isCaught);
    }

    @Test
    void a_lease_is_never_seen_without_its_start() {
        CountWindowInterleavingTest.options()
                .actorsBefore(0)
                .actorsAfter(0)
                .actorsPerThread(1)
                .check(OfStarts.class);
    }

    /** Leases of 10 ns begin at 100 ns, so that one with the start 0 would have expired; the permits begin as such. */
    public static class OfStarts {
        private final Probes probes = new Probes(
                CircuitBreakerConfig.builder().halfOpenCalls(2).build().halfOpenRules(),
                Thresholds.NONE,
                10,
                new AtomicLong()::incrementAndGet);

        @Operation
        public void leaseAndLook() {
            probes.tryLease(100);
            if (probes.firstExpired(100) != 0) {
                throw new IllegalStateException("a lease that has just begun has expired");
            }
        }
    }

    /** Two permits. Each holder counts itself in and out, so that a third holder is seen at once. */
    public abstract static class Calls {
        private static final int PERMITS = 2;

        private final Probes probes;
        private final AtomicInteger holders = new AtomicInteger();
        private final AtomicInteger spent = new AtomicInteger();

        Calls(LongSupplier leases) {
            probes = new Probes(
                    CircuitBreakerConfig.builder()
                            .halfOpenCalls(PERMITS)
                            .build()
                            .halfOpenRules(),
                    Thresholds.NONE,
                    10,
                    leases);
        }

        @Operation
        public void spend() {
            long stamp = lease(0);
            if (stamp != 0) {
                spent.incrementAndGet(); // and stays a holder for ever
                require(probes.spend(stamp, 0), "a permit was lost");
                require(!probes.spend(stamp, 0) && !probes.giveBack(stamp), "a permit was spent twice");
            }
        }

        @Operation
        public void giveBackTwice() {
            long stamp = lease(0);
            if (stamp != 0) {
                holders.decrementAndGet();
                require(probes.giveBack(stamp), "a permit was lost");
                require(!probes.giveBack(stamp), "a permit was made");
            }
        }

        /** Its lease is over at once: either it or another thread ends it, and only one does. */
        @Operation
        public void comeTooLate() {
            long stamp = lease(-100);
            if (stamp != 0) {
                while (probes.firstExpired(0) != 0) {
                    expire();
                }
                require(!probes.giveBack(stamp), "a permit whose lease was over was given back");
            }
        }

        @Operation
        public void expire() {
            long stamp = probes.firstExpired(0);
            if (stamp != 0) {
                holders.decrementAndGet();
                if (!probes.giveBack(stamp)) {
                    holders.incrementAndGet();
                }
            }
        }

        private long lease(long now) {
            long stamp = probes.tryLease(now);
            if (stamp != 0) {
                require(holders.incrementAndGet() <= PERMITS, "more probes than permits");
            }
            return stamp;
        }

        private static void require(boolean condition, String message) {
            if (!condition) {
                throw new IllegalStateException(message);
            }
        }

        @Validate
        public void validate() {
            require(probes.held() == 0, "held at rest");
            require(probes.tally().calls() == spent.get(), "spent " + spent + ", but counted " + probes.tally());
        }
    }

    public static class OfTheProbes extends Calls {
        public OfTheProbes() {
            super(new AtomicLong()::incrementAndGet);
        }
    }

    /** Every lease has the same number: a stamp does not distinguish a probe from the next one in its place. */
    public static class OfAMutant extends Calls {
        public OfAMutant() {
            super(() -> 1);
        }
    }
}
