package dev.levee.http.server;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.levee.ratelimit.KeyedRateLimiter;
import dev.levee.ratelimit.Limit;
import dev.levee.ratelimit.http.HeaderStyle;
import dev.levee.ratelimit.http.QuotaPolicy;
import java.time.Clock;
import java.time.Duration;
import org.junit.jupiter.api.Test;

class RequestLimitConfigTest {

    @Test
    void the_defaults_are_strict() {
        RequestLimitConfig config = RequestLimitConfig.builder().build();

        assertThat(config.headers()).isEqualTo(HeaderStyle.STRUCTURED);
        assertThat(config.policy()).isEmpty();
        assertThat(config.policyName()).isEmpty();
        assertThat(config.tellsAdmitted()).isTrue();
        assertThat(config.admitsOnFailure()).isFalse();
        assertThat(config.wallClock()).isEmpty();
    }

    @Test
    void settings_are_kept() {
        QuotaPolicy policy = QuotaPolicy.of("a", Limit.perSecond(1));
        Clock clock = Clock.systemUTC();
        RequestLimitConfig config = RequestLimitConfig.builder()
                .headers(HeaderStyle.X_EPOCH)
                .policy(policy)
                .tellsAdmitted(false)
                .admitsOnFailure(true)
                .wallClock(clock)
                .build()
                .toBuilder()
                .build();

        assertThat(config.headers()).isEqualTo(HeaderStyle.X_EPOCH);
        assertThat(config.policy()).hasValue(policy);
        assertThat(config.tellsAdmitted()).isFalse();
        assertThat(config.admitsOnFailure()).isTrue();
        assertThat(config.wallClock()).hasValue(clock);
    }

    @Test
    void a_time_of_day_needs_a_clock() {
        KeyedRateLimiter<String> limiter = KeyedRateLimiter.of("api", Limit.perSecond(1));

        assertThatThrownBy(() ->
                        RateLimitFilter.of(limiter, request -> "all", config -> config.headers(HeaderStyle.X_EPOCH)))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("limiter \"api\": wallClock must be set for headers X_EPOCH");
    }

    @Test
    void a_policy_is_that_of_the_limiter_or_another_one_but_not_both() {
        QuotaPolicy policy = QuotaPolicy.of("a", 1, Duration.ofSeconds(1));

        assertThat(RequestLimitConfig.builder().policyName("b").build().toBuilder()
                        .build()
                        .policyName())
                .hasValue("b");
        assertThatThrownBy(() -> RequestLimitConfig.builder()
                        .policyName("b")
                        .policy(policy)
                        .build())
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("policyName must not be set with a policy, but was \"b\" with \"a\";q=1;w=1");
        assertThatThrownBy(() -> RequestLimitConfig.builder().policyName("b\n"))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("name");
    }

    @Test
    void null_is_named() {
        assertThatThrownBy(() -> ExchangeRateLimitFilter.of(null, exchange -> "all"))
                .isInstanceOf(NullPointerException.class)
                .hasMessage("limiter");
        assertThatThrownBy(() -> RateLimitFilter.clientAddress(null))
                .isInstanceOf(NullPointerException.class)
                .hasMessage("addresses");
    }
}
