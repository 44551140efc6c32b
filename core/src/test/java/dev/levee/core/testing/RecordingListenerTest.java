package dev.levee.core.testing;

import static org.assertj.core.api.Assertions.assertThat;

import dev.levee.core.Verdict;
import java.util.List;
import org.junit.jupiter.api.Test;

class RecordingListenerTest {
    private final RecordingListener heard = new RecordingListener();

    @Test
    void keeps_each_event_as_a_line() {
        heard.onRefused("gate");
        heard.onOutcome("gate", Verdict.SUCCESS, 50_000_000);
        heard.onAttempt("retry", 2, 1_500_000_000);
        heard.onStateChange("breaker", "CLOSED", "OPEN");
        heard.onDegraded("fallback", "fallback", new IllegalStateException("down"));

        assertThat(heard.events())
                .containsExactly(
                        "gate refused",
                        "gate SUCCESS after PT0.05S",
                        "retry attempt 2 after PT1.5S",
                        "breaker CLOSED->OPEN",
                        "fallback degraded: java.lang.IllegalStateException: down");
        assertThat(heard).hasToString(heard.events().toString());
    }

    @Test
    void counts_the_lines_that_contain_a_text() {
        heard.onRefused("a");
        heard.onRefused("b");

        assertThat(heard.count("refused")).isEqualTo(2);
        assertThat(heard.count("a refused")).isEqualTo(1);
        assertThat(heard.count("->")).isZero();
    }

    @Test
    void forgets_on_request_and_leaves_earlier_copies_alone() {
        heard.onRefused("a");
        List<String> before = heard.events();

        heard.clear();

        assertThat(heard.events()).isEmpty();
        assertThat(before).containsExactly("a refused");
    }
}
