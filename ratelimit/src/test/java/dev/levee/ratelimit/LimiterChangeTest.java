package dev.levee.ratelimit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.levee.core.Gate;
import dev.levee.core.testing.ManualTime;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;

/** What is set at first, changed live, settled afterwards, and told about a decision. */
class LimiterChangeTest {
    private static final long MILLI = 1_000_000;

    private final ManualTime time = new ManualTime();

    private RateLimiter limiter(TokenBucketLimit limit) {
        return RateLimiter.of("mail", limit, time.environment());
    }

    @Nested
    class AtFirst {
        @Test
        void it_has_as_many_permits_as_it_is_told() {
            RateLimiter cold = RateLimiter.of(
                    "l", config -> config.limit(Limit.perSecond(100).burst(3)).initialPermits(1), time.environment());
            assertThat(cold.availablePermits()).isEqualTo(1);
            assertThat(cold.tryAcquireOrWaitNanos(2)).isEqualTo(10 * MILLI);
            RateLimiter empty = RateLimiter.of(
                    "l", config -> config.limit(Limit.perSecond(7).burst(3)).initialPermits(0), time.environment());
            assertThat(empty.availablePermits()).isZero();
            assertThat(empty.tryAcquireOrWaitNanos()).isEqualTo(142_857_143);
            time.advance(Duration.ofSeconds(1));
            assertThat(empty.availablePermits()).isEqualTo(3);
        }

        @Test
        void not_more_than_it_holds_and_not_less_than_none() {
            assertThatThrownBy(() -> RateLimiter.of(
                            "l", config -> config.limit(Limit.perSecond(3)).initialPermits(4)))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessage("limiter \"l\": initialPermits must be from 0 to 3, but was 4");
            assertThatThrownBy(() -> RateLimiterConfig.builder().initialPermits(-1))
                    .hasMessage("initialPermits must be at least 0, but was -1");
            assertThatThrownBy(() -> RateLimiterConfig.builder().maxDebt(-1))
                    .hasMessage("maxDebt must be at least 0, but was -1");
            assertThatThrownBy(() -> RateLimiterConfig.builder().maxWaiting(-1))
                    .hasMessage("maxWaiting must be at least 0, but was -1");
            assertThatThrownBy(() -> RateLimiterConfig.builder().maxWait(Duration.ofNanos(-1)))
                    .hasMessage("maxWait must not be negative, but was -1ns");
            assertThatThrownBy(() -> RateLimiter.of(
                            "l", config -> config.limit(Limit.perSecond(1)).maxDebt(Long.MAX_VALUE)))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessageContaining("maxDebt must be from 0 to 1152921504");
        }
    }

    @Nested
    class Reconfigured {
        @Test
        void as_many_stay_used_as_were_used() {
            RateLimiter limiter = limiter(Limit.perSecond(100));
            limiter.tryAcquire(30);
            limiter.reconfigure(Limit.perSecond(200));
            assertThat(limiter.availablePermits()).isEqualTo(170);
            assertThat(limiter.limit()).isEqualTo(Limit.perSecond(200));
            assertThat(limiter).hasToString("limiter \"mail\" [200 per 1s, burst 200]");
            limiter.reconfigure(Limit.perSecond(50));
            assertThat(limiter.availablePermits()).isEqualTo(20);
            limiter.reconfigure(Limit.of(7, Duration.ofDays(1)).burst(20));
            assertThat(limiter.availablePermits()).as("30 are more than 20").isZero();
            assertThat(limiter.tryAcquireOrWaitNanos())
                    .isEqualTo(Duration.ofDays(1).dividedBy(7).toNanos() + 1);
            assertThat(limiter.refusal()).hasMessageContaining("7 per 24h, burst 20");
        }

        @Test
        void the_same_share_stays_used() {
            RateLimiter limiter = limiter(Limit.perSecond(100));
            limiter.tryAcquire(30);
            limiter.reconfigure(Limit.perSecond(200), CarriedFill.IN_PROPORTION);
            assertThat(limiter.availablePermits()).isEqualTo(140);
            limiter.reconfigure(Limit.perSecond(10), CarriedFill.IN_PROPORTION);
            assertThat(limiter.availablePermits()).isEqualTo(7);
            limiter.tryAcquire(7);
            limiter.reconfigure(Limit.perSecond(1000), CarriedFill.IN_PROPORTION);
            assertThat(limiter.availablePermits()).isZero();
        }

        @Test
        void nothing_stays_used_after_a_reset_and_the_initial_fill_holds_again() {
            RateLimiter limiter = limiter(Limit.perSecond(100));
            limiter.tryAcquire(100);
            limiter.reconfigure(Limit.perSecond(20), CarriedFill.RESET);
            assertThat(limiter.availablePermits()).isEqualTo(20);
            RateLimiter cold = RateLimiter.of(
                    "l", config -> config.limit(Limit.perSecond(100)).initialPermits(5), time.environment());
            cold.reconfigure(Limit.perSecond(20), CarriedFill.RESET);
            assertThat(cold.availablePermits()).isEqualTo(5);
        }

        @Test
        void a_permit_of_another_measure_does_not_come_back() {
            RateLimiter limiter = limiter(Limit.perSecond(10));
            long stamp = limiter.tryEnter(time.nanoTime());
            limiter.reconfigure(Limit.perSecond(10), CarriedFill.RESET);
            limiter.tryAcquire(5);
            limiter.cancel(stamp, 0);
            assertThat(limiter.availablePermits()).isEqualTo(5);
            RateLimiter same = limiter(Limit.perSecond(10));
            long kept = same.tryEnter(time.nanoTime());
            assertThat(kept).isNotEqualTo(Gate.REFUSED);
            same.reconfigure(Limit.perSecond(20));
            assertThat(same.availablePermits()).isEqualTo(19);
            same.cancel(kept, 0);
            assertThat(same.availablePermits()).isEqualTo(20);
        }

        /** Of a hundred that were taken time had paid fifty, which others have used. */
        @Test
        void what_is_given_back_was_paid_for_at_the_rate_before() {
            RateLimiter limiter = limiter(Limit.perSecond(1_000).burst(100));
            Reservation unused = limiter.reserve(100, Duration.ZERO);
            time.advance(Duration.ofMillis(50));
            assertThat(limiter.tryAcquire(50)).isTrue();
            limiter.reconfigure(Limit.of(100, Duration.ofDays(1)));
            assertThat(unused.cancel()).isTrue();
            assertThat(limiter.availablePermits()).isEqualTo(50);
            Reservation later = limiter.reserve(30, Duration.ZERO);
            time.advance(Duration.ofMillis(50));
            later.cancel();
            assertThat(limiter.availablePermits()).as("by the limit in force").isEqualTo(50);
        }

        @Test
        void with_something_that_is_none_it_stays_as_it_was() {
            RateLimiter limiter = limiter(Limit.perSecond(10));
            assertThatThrownBy(() -> limiter.reconfigure(null)).isInstanceOf(NullPointerException.class);
            assertThatThrownBy(() -> limiter.reconfigure(Limit.perSecond(1), null))
                    .isInstanceOf(NullPointerException.class)
                    .hasMessage("carried");
            assertThat(limiter.limit()).isEqualTo(Limit.perSecond(10));
            assertThat(limiter.availablePermits()).isEqualTo(10);
        }
    }

    @Nested
    class Settled {
        private final RateLimiter limiter = RateLimiter.of(
                "bytes", config -> config.limit(Limit.perSecond(1000)).maxDebt(500), time.environment());

        @Test
        void what_was_used_in_excess_is_a_debt() {
            limiter.tryAcquire(900);
            limiter.settle(300);
            assertThat(limiter.availablePermits()).isZero();
            assertThat(limiter.tryAcquireOrWaitNanos()).isEqualTo(201 * MILLI);
            limiter.settle(100_000);
            assertThat(limiter.tryAcquireOrWaitNanos()).as("no deeper than 500").isEqualTo(501 * MILLI);
            limiter.settle(Long.MAX_VALUE);
            assertThat(limiter.tryAcquireOrWaitNanos()).isEqualTo(501 * MILLI);
            time.advance(Duration.ofMillis(600));
            assertThat(limiter.availablePermits()).isEqualTo(100);
        }

        @Test
        void what_was_not_used_comes_back_and_never_more_than_is_owed() {
            limiter.tryAcquire(900);
            limiter.settle(-400);
            assertThat(limiter.availablePermits()).isEqualTo(500);
            limiter.settle(0);
            assertThat(limiter.availablePermits()).isEqualTo(500);
            limiter.settle(-Long.MAX_VALUE);
            assertThat(limiter.availablePermits()).isEqualTo(1000);
            limiter.settle(-1);
            assertThat(limiter.availablePermits()).isEqualTo(1000);
            assertThatThrownBy(() -> limiter.settle(Long.MIN_VALUE)).isInstanceOf(IllegalArgumentException.class);
        }

        @Test
        void without_a_debt_none_are_left_and_the_rest_is_forgiven() {
            RateLimiter strict = limiter(Limit.perSecond(1000));
            strict.settle(5000);
            assertThat(strict.availablePermits()).isZero();
            assertThat(strict.tryAcquireOrWaitNanos()).isEqualTo(MILLI);
        }
    }

    @Nested
    class Decided {
        @Test
        void it_says_what_is_left_when_to_come_back_and_when_all_is_there() {
            RateLimiter limiter = limiter(Limit.perSecond(10));
            RateDecision admitted = limiter.decide(4);
            assertThat(admitted).isEqualTo(new RateDecision(true, "mail", Limit.perSecond(10), 6, 0, 400 * MILLI));
            assertThat(admitted.resetSeconds()).isEqualTo(1);
            RateDecision refused = limiter.decide(7);
            assertThat(refused)
                    .isEqualTo(new RateDecision(false, "mail", Limit.perSecond(10), 6, 100 * MILLI, 400 * MILLI));
            assertThat(refused.retryAfterSeconds()).isEqualTo(1);
            RateDecision never = limiter.decide(11);
            assertThat(never.isAdmitted()).isFalse();
            assertThat(never.retryAfterNanos()).isEqualTo(RateLimiter.NEVER);
            assertThat(never.retryAfterSeconds()).isEqualTo(Long.MAX_VALUE);
            assertThat(limiter.decide(6).remaining()).isZero();
        }

        @Test
        void seconds_are_rounded_up() {
            assertThat(new RateDecision(false, "l", Limit.perSecond(1), 0, 1, 1_000_000_001).retryAfterSeconds())
                    .isEqualTo(1);
            assertThat(new RateDecision(false, "l", Limit.perSecond(1), 0, 1_000_000_000, 1_000_000_001).resetSeconds())
                    .isEqualTo(2);
        }

        @Test
        void nothing_remains_while_calls_wait() {
            RateLimiter limiter = limiter(Limit.perSecond(10));
            limiter.tryAcquire(5);
            limiter.reserve(10, Duration.ofSeconds(5));
            RateDecision refused = limiter.decide(1);
            assertThat(refused.remaining()).isZero();
            assertThat(refused.retryAfterNanos()).isEqualTo(600 * MILLI);
        }

        @Test
        void a_decision_that_contradicts_itself_is_none() {
            assertThatThrownBy(() -> new RateDecision(true, "l", Limit.perSecond(1), 0, 1, 0))
                    .isInstanceOf(IllegalArgumentException.class);
            assertThatThrownBy(() -> new RateDecision(false, "l", Limit.perSecond(1), 0, 0, 0))
                    .isInstanceOf(IllegalArgumentException.class);
        }
    }

    @Nested
    class HostileClocks {
        @Test
        void one_that_stands_still_runs_back_or_jumps_to_and_fro_mints_nothing() {
            for (TokenBucketLimit limit : List.of(
                    Limit.perSecond(100).burst(3),
                    Limit.perSecond(123_456_789).burst(3),
                    Limit.perSecond(7).burst(3))) {
                SettableClock clock = new SettableClock(Long.MAX_VALUE - 1_000_000_000);
                RateLimiter limiter = RateLimiter.of("l", limit, clock.environment());
                long origin = clock.nanoTime();
                assertThat(limiter.tryAcquire(3)).isTrue();
                for (Duration back : List.of(
                        Duration.ZERO,
                        Duration.ofNanos(1),
                        Duration.ofMinutes(1),
                        Duration.ofDays(1),
                        Duration.ofDays(365 * 100),
                        Duration.ofDays(365 * 290))) {
                    for (int again = 0; again < 3; again++) {
                        clock.set(origin - back.toNanos());
                        assertThat(limiter.availablePermits()).isZero();
                        assertThat(limiter.tryAcquireOrWaitNanos()).isPositive();
                        clock.set(origin);
                        assertThat(limiter.availablePermits()).isZero();
                        assertThat(limiter.tryAcquireOrWaitNanos()).isPositive();
                    }
                }
            }
        }

        @Test
        void a_rest_of_any_length_fills_it_once() {
            for (Duration rest : List.of(Duration.ofHours(12), Duration.ofDays(365 * 30), Duration.ofDays(365 * 290))) {
                for (TokenBucketLimit limit : List.of(
                        Limit.perSecond(100).burst(3),
                        Limit.perSecond(123_456_789).burst(3),
                        Limit.of(1, Duration.ofDays(3650)).burst(3))) {
                    SettableClock clock = new SettableClock(Long.MAX_VALUE - 1_000_000_000);
                    RateLimiter limiter = RateLimiter.of("l", limit, clock.environment());
                    limiter.tryAcquire(3);
                    clock.set(clock.nanoTime() + rest.toNanos());
                    long there = Math.min(3, rest.toDays() / 3650);
                    assertThat(limiter.availablePermits()).isEqualTo(limit.permits() == 1 ? there : 3);
                    limiter.settle(1);
                    assertThat(limiter.tryAcquire(3)).isFalse();
                }
            }
        }
    }
}
