package dev.levee.ratelimit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.levee.core.testing.ManualTime;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

/** Permits of different limiters on one call. */
class PermitsTest {
    private final ManualTime time = new ManualTime();
    private final RateLimiter requests = RateLimiter.of("requests", Limit.perSecond(10), time.environment());
    private final RateLimiter bytes =
            RateLimiter.of("bytes", Limit.slidingWindow(20_000, Duration.ofSeconds(1)), time.environment());
    private final KeyedRateLimiter<String> perTenant =
            KeyedRateLimiter.of("tenants", Limit.perSecond(3), time.environment());

    private Permits needed(String tenant, long size) {
        return Permits.of(requests, 1).and(bytes, size).and(perTenant, tenant, 1);
    }

    private List<Long> available(String tenant) {
        return List.of(requests.availablePermits(), bytes.availablePermits(), perTenant.availablePermits(tenant));
    }

    @Test
    void permits_of_different_units_are_taken_together() {
        assertThat(needed("a", 5_000).tryAcquire()).isEqualTo(new PermitsDecision(true, "", 0));
        assertThat(available("a")).containsExactly(9L, 15_000L, 2L);
        assertThat(available("b")).containsExactly(9L, 15_000L, 3L);
    }

    @Test
    void a_refusal_names_the_limiter_and_the_time_and_spends_nothing() {
        needed("a", 5_000).tryAcquire();
        PermitsDecision tooMany = needed("a", 16_000).tryAcquire();
        assertThat(tooMany.limiter()).isEqualTo("bytes");
        assertThat(tooMany.retryAfterNanos()).isEqualTo(1_200_000_000);
        assertThat(needed("a", 20_001).tryAcquire()).isEqualTo(new PermitsDecision(false, "bytes", RateLimiter.NEVER));
        assertThat(available("a")).containsExactly(9L, 15_000L, 2L);
        needed("a", 1).tryAcquire();
        needed("a", 1).tryAcquire();
        PermitsDecision tenant = needed("a", 1).tryAcquire();
        assertThat(tenant.limiter()).isEqualTo("tenants");
        assertThat(tenant.retryAfterNanos()).isEqualTo(333_333_334);
        assertThat(available("a")).containsExactly(7L, 14_998L, 0L);
        assertThat(needed("b", 1).tryAcquire().isAdmitted()).isTrue();
    }

    /** Another call is faster at the last of three. */
    @Test
    void what_was_taken_before_another_call_was_faster_is_given_back() {
        List<Long> settled = new ArrayList<>();
        KeyedRateLimiter<String> racing = new RacingKeys(settled, 7);
        KeyedRateLimiter<String> first = new RacingKeys(settled, 0);
        PermitsDecision decision = Permits.of(requests, 2)
                .and(first, "k", 3)
                .and(bytes, 4_000)
                .and(racing, "k", 1)
                .tryAcquire();
        assertThat(decision).isEqualTo(new PermitsDecision(false, "racing", 7));
        assertThat(settled).containsExactly(-3L);
        assertThat(requests.availablePermits()).isEqualTo(10);
        assertThat(bytes.availablePermits()).isEqualTo(20_000);
    }

    @Test
    void a_key_whose_limit_cannot_be_found_leaves_no_permit_spent() {
        AtomicInteger asked = new AtomicInteger();
        KeyedRateLimiter<String> plans = KeyedRateLimiter.of(
                "plans",
                config -> config.limits(key -> {
                    if (asked.incrementAndGet() == 2) {
                        throw new IllegalStateException("no plan");
                    }
                    return Limit.perSecond(3);
                }),
                time.environment());
        Permits needed = Permits.of(requests, 1).and(bytes, 5_000).and(plans, "a", 1);
        assertThatThrownBy(needed::tryAcquire).hasMessage("no plan");
        assertThat(requests.availablePermits()).isEqualTo(10);
        assertThat(bytes.availablePermits()).isEqualTo(20_000);
        assertThat(plans.availablePermits("a")).isEqualTo(3);
    }

    @Test
    void bad_input_is_named() {
        assertThatThrownBy(() -> Permits.of(requests, 0))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("permits must be at least 1, but was 0");
        assertThatThrownBy(() -> Permits.of(requests, 1).and(bytes, -1)).isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> Permits.of(requests, 1).and(requests, 1))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("limiters must differ, but 1 of \"requests\" is there twice");
        assertThatThrownBy(() -> Permits.of(perTenant, "a", 1).and(perTenant, "a", 1))
                .isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> Permits.of(perTenant, null, 1)).isInstanceOf(NullPointerException.class);
        assertThatThrownBy(() -> Permits.of((RateLimiter) null, 1)).isInstanceOf(NullPointerException.class);
        assertThat(Permits.of(perTenant, "a", 1).and(perTenant, "b", 1).and(requests, 2))
                .hasToString("1 of a key of \"tenants\" and 1 of a key of \"tenants\" and 2 of \"requests\"");
    }

    /** Says that all is there, and then answers as told: what another thread may do between. */
    private static final class RacingKeys implements KeyedRateLimiter<String> {
        private final List<Long> settled;
        private final long answer;

        RacingKeys(List<Long> settled, long answer) {
            this.settled = settled;
            this.answer = answer;
        }

        @Override
        public String name() {
            return "racing";
        }

        @Override
        public long tryAcquireOrWaitNanos(String key) {
            return answer;
        }

        @Override
        public long tryAcquireOrWaitNanos(String key, long permits) {
            return answer;
        }

        @Override
        public RateDecision decide(String key, long permits) {
            throw new UnsupportedOperationException("not asked for");
        }

        @Override
        public void settle(String key, long permits) {
            settled.add(permits);
        }

        @Override
        public long availablePermits(String key) {
            return Long.MAX_VALUE;
        }

        @Override
        public int size() {
            return 0;
        }

        @Override
        public void measure(Sink sink) {}
    }
}
