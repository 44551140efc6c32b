package dev.levee.core.testing;

import static org.assertj.core.api.Assertions.assertThat;

import dev.levee.core.Policy;
import dev.levee.core.Verdict;
import java.util.List;
import org.junit.jupiter.api.Test;

class RecordingListenerTest {
    private final RecordingListener heard = new RecordingListener();

    @Test
    void keeps_each_event_as_a_line() {
        heard.onRefused(Policy.Kind.BULKHEAD, "gate");
        heard.onOutcome(Policy.Kind.BULKHEAD, "gate", Verdict.SUCCESS, 50_000_000);
        heard.onAttempt(Policy.Kind.RETRY, "p", 2, 1_500_000_000);
        heard.onStateChange(Policy.Kind.BREAKER, "p", "CLOSED", "OPEN");
        heard.onDegraded(Policy.Kind.FALLBACK, "p", "p", new IllegalStateException("down"));

        assertThat(heard.events())
                .containsExactly(
                        "bulkhead gate refused",
                        "bulkhead gate SUCCESS after PT0.05S",
                        "retry p attempt 2 after PT1.5S",
                        "breaker p CLOSED->OPEN",
                        "fallback p degraded: java.lang.IllegalStateException: down");
        assertThat(heard).hasToString(heard.events().toString());
    }

    @Test
    void counts_the_lines_that_contain_a_text() {
        heard.onRefused(Policy.Kind.LIMITER, "a");
        heard.onRefused(Policy.Kind.LIMITER, "b");

        assertThat(heard.count("refused")).isEqualTo(2);
        assertThat(heard.count("a refused")).isEqualTo(1);
        assertThat(heard.count("->")).isZero();
    }

    @Test
    void forgets_on_request_and_leaves_earlier_copies_alone() {
        heard.onRefused(Policy.Kind.LIMITER, "a");
        List<String> before = heard.events();

        heard.clear();

        assertThat(heard.events()).isEmpty();
        assertThat(before).containsExactly("limiter a refused");
    }
}
