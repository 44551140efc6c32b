package dev.levee.ratelimit;

import static org.assertj.core.api.Assertions.assertThat;

import dev.levee.core.Gate;
import dev.levee.core.RefusedException;
import dev.levee.core.Verdict;
import java.math.BigInteger;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.EdgeCasesMode;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import net.jqwik.api.constraints.LongRange;

/** What holds for every limit, every history of calls and every reading of the clock. */
class TokenBucketPropertyTest {
    @Provide
    Arbitrary<Scenario> scenarios() {
        return Scenario.any();
    }

    @Provide
    Arbitrary<TokenBucketLimit> limits() {
        return Scenario.limits();
    }

    /** A bucket whose time is rounded may be later by a nanosecond, never earlier. */
    @Property(tries = 2000, edgeCases = EdgeCasesMode.NONE)
    void it_admits_exactly_what_the_exact_bucket_admits(@ForAll("scenarios") Scenario scenario) {
        boolean exact = isExact(scenario.limit());
        ExactBucket oracle = ExactBucket.asked(scenario.limit());
        Play play = new Play(scenario);
        for (Scenario.Arrival arrival : scenario.arrivals()) {
            long wait = play.next(arrival);
            assertThat(wait == RateLimiter.NEVER)
                    .isEqualTo(arrival.permits() > scenario.limit().burst());
            if (exact) {
                assertThat(wait).isEqualTo(oracle.takeOrWait(play.elapsed, arrival.permits()));
            } else if (wait == 0) {
                assertThat(oracle.takeOrWait(play.elapsed, arrival.permits())).isZero();
            } else if (wait != RateLimiter.NEVER) {
                long exactWait = oracle.peek(play.elapsed, arrival.permits());
                assertThat(wait).isBetween(exactWait, exactWait + 60);
            }
        }
    }

    @Property(tries = 1000, edgeCases = EdgeCasesMode.NONE)
    void no_window_admits_more_than_the_burst_and_what_the_rate_gives(@ForAll("scenarios") Scenario scenario) {
        Play play = new Play(scenario);
        List<BigInteger> times = new ArrayList<>();
        List<BigInteger> admitted = new ArrayList<>();
        for (Scenario.Arrival arrival : scenario.arrivals()) {
            if (play.next(arrival) == 0) {
                times.add(play.elapsed);
                admitted.add(BigInteger.valueOf(arrival.permits()));
            }
        }
        assertBounded(scenario.limit(), times, admitted);
    }

    @Property(edgeCases = EdgeCasesMode.NONE)
    void stamps_out_of_order_are_only_stricter(@ForAll("scenarios") Scenario scenario) {
        RateLimiter limiter = new Play(scenario).limiter;
        BigInteger elapsed = BigInteger.ZERO;
        List<BigInteger> times = new ArrayList<>();
        List<BigInteger> admitted = new ArrayList<>();
        for (Scenario.Arrival arrival : scenario.arrivals()) {
            elapsed = elapsed.add(BigInteger.valueOf(arrival.afterNanos()));
            BigInteger stamp =
                    elapsed.subtract(BigInteger.valueOf(arrival.lateNanos())).max(BigInteger.ZERO);
            if (limiter.tryEnter(scenario.origin() + stamp.longValue()) != Gate.REFUSED) {
                times.add(stamp);
                admitted.add(BigInteger.ONE);
            }
        }
        assertBounded(scenario.limit(), times, admitted);
    }

    /** Calls are in flight for a while, any of them turn out not to have been sent, in any order. */
    @Property(tries = 2000, edgeCases = EdgeCasesMode.NONE)
    void no_window_has_more_calls_that_were_sent_than_the_burst_and_what_the_rate_gives(
            @ForAll("scenarios") Scenario scenario, @ForAll long seed) {
        Random random = new Random(seed);
        Play play = new Play(scenario);
        List<long[]> inFlight = new ArrayList<>();
        List<BigInteger> times = new ArrayList<>();
        List<BigInteger> admitted = new ArrayList<>();
        for (Scenario.Arrival arrival : scenario.arrivals()) {
            play.pass(arrival);
            for (int call = 0; call < 1 + random.nextInt(4); call++) {
                long stamp = play.limiter.tryEnter(play.now());
                if (stamp != Gate.REFUSED) {
                    inFlight.add(new long[] {stamp, times.size()});
                    times.add(play.elapsed);
                    admitted.add(BigInteger.ONE);
                }
            }
            while (!inFlight.isEmpty() && random.nextInt(4) > 0) {
                long[] ended = inFlight.remove(random.nextInt(inFlight.size()));
                boolean sent = random.nextInt(3) == 0;
                if (!sent) {
                    admitted.set((int) ended[1], BigInteger.ZERO);
                }
                end(play.limiter, ended[0], sent, random.nextBoolean());
            }
        }
        assertBounded(scenario.limit(), times, admitted);
    }

    private static void end(RateLimiter limiter, long stamp, boolean sent, boolean refused) {
        if (sent) {
            limiter.exit(stamp, 0, 0, refused ? Verdict.IGNORED : Verdict.FAILURE, RefusedException.UNKNOWN);
        } else if (refused) {
            limiter.cancel(stamp, 0);
        } else {
            limiter.exit(stamp, 0, 0, Verdict.NOT_SENT, RefusedException.UNKNOWN);
        }
    }

    @Property(edgeCases = EdgeCasesMode.NONE)
    void what_was_taken_and_was_not_sent_at_once_is_there_again(
            @ForAll("scenarios") Scenario scenario, @ForAll long seed) {
        Random random = new Random(seed);
        Play play = new Play(scenario);
        for (Scenario.Arrival arrival : scenario.arrivals()) {
            play.next(arrival);
            long before = play.limiter.availablePermits();
            List<Long> stamps = new ArrayList<>();
            for (int call = 0; call < 5; call++) {
                long stamp = play.limiter.tryEnter(play.now());
                if (stamp != Gate.REFUSED) {
                    stamps.add(stamp);
                }
            }
            Collections.shuffle(stamps, random);
            stamps.forEach(stamp -> end(play.limiter, stamp, false, random.nextBoolean()));
            // A full bucket whose time is rounded begins to count a fraction of a nanosecond later.
            assertThat(play.limiter.availablePermits()).isBetween(before - (isExact(scenario.limit()) ? 0 : 1), before);
        }
    }

    private static boolean isExact(TokenBucketLimit limit) {
        return Gcra.of(limit).isExact();
    }

    /** In the order of admission: a stamp that goes back opens no window at all. */
    private static void assertBounded(TokenBucketLimit limit, List<BigInteger> times, List<BigInteger> admitted) {
        BigInteger per = ExactBucket.nanos(limit);
        for (int from = 0; from < times.size(); from++) {
            BigInteger sum = BigInteger.ZERO;
            for (int to = from; to < times.size(); to++) {
                sum = sum.add(admitted.get(to));
                BigInteger window = times.get(to).subtract(times.get(from)).max(BigInteger.ZERO);
                // sum <= burst + window * permits / per
                assertThat(sum.subtract(BigInteger.valueOf(limit.burst())).multiply(per))
                        .isLessThanOrEqualTo(window.multiply(BigInteger.valueOf(limit.permits())));
            }
        }
    }

    @Property(tries = 1000, edgeCases = EdgeCasesMode.NONE)
    void after_the_wait_that_it_tells_it_admits_and_a_nanosecond_earlier_it_does_not(
            @ForAll("scenarios") Scenario scenario) {
        Play play = new Play(scenario);
        for (Scenario.Arrival arrival : scenario.arrivals()) {
            long wait = play.next(arrival);
            if (wait != 0 && wait != RateLimiter.NEVER) {
                assertThat(play.next(new Scenario.Arrival(wait - 1, arrival.permits())))
                        .as("a nanosecond before the end of the wait, which is returned again")
                        .isBetween(1L, isExact(scenario.limit()) ? 1L : 2L);
                assertThat(play.next(new Scenario.Arrival(isExact(scenario.limit()) ? 1 : 2, arrival.permits())))
                        .isZero();
            }
        }
    }

    @Property(edgeCases = EdgeCasesMode.NONE)
    void as_many_permits_can_be_taken_as_it_says_are_there(@ForAll("scenarios") Scenario scenario) {
        Play play = new Play(scenario);
        for (Scenario.Arrival arrival : scenario.arrivals()) {
            play.next(arrival);
            long available = play.limiter.availablePermits();
            assertThat(available).isBetween(0L, scenario.limit().burst());
            assertThat(play.limiter.tryAcquireOrWaitNanos(available + 1)).isPositive();
            if (available > 0) {
                assertThat(play.limiter.tryAcquireOrWaitNanos(available)).isZero();
                assertThat(play.limiter.availablePermits()).isZero();
            }
        }
    }

    @Property(edgeCases = EdgeCasesMode.NONE)
    void a_bucket_is_full_after_any_rest(
            @ForAll("scenarios") Scenario scenario, @ForAll @LongRange(min = 0) long further) {
        Play play = new Play(scenario);
        scenario.arrivals().forEach(play::next);
        Gcra gcra = Gcra.of(scenario.limit());
        long fill = gcra.nanosUntil(gcra.tolerance, 0);
        long longest = Long.MAX_VALUE - (1L << 55);
        play.next(new Scenario.Arrival(fill + further % (longest - fill), Long.MAX_VALUE));
        assertThat(play.limiter.availablePermits()).isEqualTo(scenario.limit().burst());
    }

    @Property(edgeCases = EdgeCasesMode.NONE)
    void the_rate_is_never_higher_than_asked_for_and_close_to_it(@ForAll("limits") TokenBucketLimit limit) {
        double error = Gcra.of(limit).rateError(limit.permits(), limit.per());
        assertThat(error).isLessThanOrEqualTo(0).isGreaterThanOrEqualTo(-1e-18);
    }

    /** A limiter and its clock, which starts at the origin and may wrap. */
    private static final class Play {
        final RateLimiter limiter;
        BigInteger elapsed = BigInteger.ZERO;
        private final SettableClock clock;
        private final long origin;

        Play(Scenario scenario) {
            origin = scenario.origin();
            clock = new SettableClock(origin);
            limiter = RateLimiter.of("l", scenario.limit(), clock.environment());
        }

        void pass(Scenario.Arrival arrival) {
            elapsed = elapsed.add(BigInteger.valueOf(arrival.afterNanos()));
            clock.set(origin + elapsed.longValue());
        }

        long now() {
            return clock.environment().clock().nanoTime();
        }

        long next(Scenario.Arrival arrival) {
            pass(arrival);
            return limiter.tryAcquireOrWaitNanos(arrival.permits());
        }
    }
}
