package dev.levee.http.server;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.levee.ratelimit.KeyedRateLimiter;
import dev.levee.ratelimit.Limit;
import dev.levee.ratelimit.http.HeaderStyle;
import dev.levee.ratelimit.http.QuotaPolicy;
import java.time.Clock;
import org.junit.jupiter.api.Test;

class RequestLimitConfigTest {

    @Test
    void the_defaults_are_strict() {
        RequestLimitConfig config = RequestLimitConfig.builder().build();

        assertThat(config.headers()).isEqualTo(HeaderStyle.STRUCTURED);
        assertThat(config.policy()).isEmpty();
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
    void null_is_named() {
        assertThatThrownBy(() -> ExchangeRateLimitFilter.of(null, exchange -> "all"))
                .isInstanceOf(NullPointerException.class)
                .hasMessage("limiter");
        assertThatThrownBy(() -> RateLimitFilter.clientAddress(null))
                .isInstanceOf(NullPointerException.class)
                .hasMessage("addresses");
    }
}
