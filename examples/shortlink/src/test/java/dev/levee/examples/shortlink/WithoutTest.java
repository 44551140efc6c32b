package dev.levee.examples.shortlink;

import static org.assertj.core.api.Assertions.assertThat;

import dev.levee.circuitbreaker.CircuitBreaker;
import dev.levee.core.Policy;
import dev.levee.core.policy.Bulkhead;
import dev.levee.core.policy.Hedge;
import dev.levee.core.policy.Retry;
import dev.levee.core.policy.Timeout;
import java.time.Duration;
import org.junit.jupiter.api.Test;

class WithoutTest {
    private final Policy retry = Retry.of("r");
    private final Policy breaker = CircuitBreaker.of("c");
    private final Policy hedge = Hedge.of("h");
    private final Policy timeout = Timeout.of("t", Duration.ofSeconds(1));
    private final Policy bulkhead = Bulkhead.of("b", 1);

    @Test
    void nothing_keeps_all_in_their_order() {
        assertThat(Without.NOTHING.pipeline(retry, breaker, timeout, bulkhead).policies())
                .containsExactly(retry, breaker, timeout, bulkhead);
    }

    @Test
    void each_kind_can_be_taken_out() {
        assertThat(Without.RETRY.leaves(retry)).isFalse();
        assertThat(Without.BREAKER.leaves(breaker)).isFalse();
        assertThat(Without.TIMEOUT.leaves(timeout)).isFalse();
        assertThat(Without.BULKHEAD.leaves(bulkhead)).isFalse();
        assertThat(Without.HEDGE.leaves(hedge)).isFalse();
        assertThat(Without.RETRY.pipeline(retry, breaker).policies()).containsExactly(breaker);
    }

    @Test
    void without_a_second_attempt_there_is_no_hedge() {
        assertThat(Without.RETRY.pipeline(timeout, retry, hedge).policies()).containsExactly(timeout);
    }
}
