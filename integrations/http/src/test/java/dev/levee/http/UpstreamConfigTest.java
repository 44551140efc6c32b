package dev.levee.http;

import static java.time.Duration.ofSeconds;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatNullPointerException;

import dev.levee.core.OutcomeRule;
import dev.levee.core.Policy;
import dev.levee.core.policy.Bulkhead;
import dev.levee.loadbalancing.strategy.BalancingStrategy;
import java.net.URI;
import java.net.http.HttpRequest;
import java.util.function.Function;
import java.util.function.Predicate;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class UpstreamConfigTest {
    private static UpstreamConfig.Builder<URI, HttpRequest> builder() {
        return UpstreamConfig.builder(HttpOutcomes.rule());
    }

    @Test
    void has_breaker_and_retry_but_no_hedge_by_default() {
        UpstreamConfig<URI, HttpRequest> config = builder().build();

        assertThat(config.breaker()).isNotNull();
        assertThat(config.retry()).isNotNull();
        assertThat(config.hedge()).isNull();
        assertThat(config.key()).isNull();
        assertThat(config.limits()).isEmpty();
        assertThat(config.policyPerEndpoint()).isNull();
        assertThat(config.attemptTimeout()).isEqualTo(ofSeconds(15));
        assertThat(config.idleTimeout()).isEqualTo(ofSeconds(60));
    }

    @Test
    void gives_back_what_was_set_and_keeps_it_through_a_builder() {
        BalancingStrategy strategy = BalancingStrategy.roundRobin();
        Function<HttpRequest, CharSequence> key = request -> "key";
        Policy limit = Bulkhead.of("all", 3);
        Function<URI, Policy> perEndpoint = uri -> limit;
        OutcomeRule outcomes = OutcomeRule.standard();
        Predicate<HttpRequest> idempotent = request -> true;
        Predicate<HttpRequest> replayable = request -> true;
        Predicate<HttpRequest> hedged = request -> false;

        UpstreamConfig<URI, HttpRequest> config = builder()
                .strategy(strategy)
                .key(key)
                .limits(limit)
                .policyPerEndpoint(perEndpoint)
                .outcomes(outcomes)
                .alsoIdempotent(idempotent)
                .alsoReplayable(replayable)
                .hedge(hedged, hedge -> hedge.maxAttempts(3))
                .retry(retry -> retry.maxAttempts(4))
                .noBreaker()
                .attemptTimeout(ofSeconds(1))
                .idleTimeout(ofSeconds(2))
                .build()
                .toBuilder()
                .build();

        assertThat(config.strategy()).isSameAs(strategy);
        assertThat(config.key()).isSameAs(key);
        assertThat(config.limits()).containsExactly(limit);
        assertThat(config.policyPerEndpoint()).isSameAs(perEndpoint);
        assertThat(config.outcomes()).isSameAs(outcomes);
        assertThat(config.alsoIdempotent()).isSameAs(idempotent);
        assertThat(config.alsoReplayable()).isSameAs(replayable);
        assertThat(config.hedged()).isSameAs(hedged);
        assertThat(config.hedge().maxAttempts()).isEqualTo(3);
        assertThat(config.retry().maxAttempts()).isEqualTo(4);
        assertThat(config.retry().outcomes()).isSameAs(outcomes);
        assertThat(config.breaker()).isNull();
        assertThat(config.attemptTimeout()).isEqualTo(ofSeconds(1));
        assertThat(config.idleTimeout()).isEqualTo(ofSeconds(2));
    }

    @Test
    void names_what_must_not_be_null() {
        assertThatNullPointerException()
                .isThrownBy(() -> UpstreamConfig.builder(null))
                .withMessageContaining("outcomes");
        assertThatNullPointerException()
                .isThrownBy(() -> builder().strategy(null))
                .withMessageContaining("strategy");
    }

    @ParameterizedTest
    @ValueSource(strings = {"http://catalog", "catalog/", "user:secret@catalog", "catalog?x", "cata log", " "})
    void the_host_that_endpoints_see_is_no_URI(String host) {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> builder().host(host))
                .withMessageNotContaining("secret");
        assertThat(builder().host("Catalog.internal:8443").build().host()).isEqualTo("Catalog.internal:8443");
    }
}
