package dev.levee.ratelimit.work;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.levee.core.OutcomeRule;
import dev.levee.core.policy.Backoff;
import java.time.Duration;
import java.util.function.Consumer;
import java.util.function.Function;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Settings, and what is wrong with them. */
class WorkQueueConfigTest {
    private static WorkQueue<String> queue(Consumer<WorkQueueConfig.Builder<String>> configure) {
        return WorkQueue.of("mail", configure, (item, attempt) -> null);
    }

    @ParameterizedTest
    @ValueSource(ints = {0, -1, Integer.MIN_VALUE, WorkQueueConfig.MAX_CAPACITY + 1, Integer.MAX_VALUE})
    void a_capacity_out_of_range_is_refused_by_name(int capacity) {
        assertThatThrownBy(() -> queue(c -> c.capacity(capacity)))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageStartingWith("queue \"mail\": capacity must be from 1 to 16777216, but was " + capacity);
    }

    @Test
    void numbers_out_of_range_are_refused_by_name() {
        assertThatThrownBy(() -> queue(c -> c.workers(-1))).hasMessageContaining("workers must be at least 0");
        assertThatThrownBy(() -> queue(c -> c.maxAttempts(0))).hasMessageContaining("maxAttempts must be at least 1");
        assertThatThrownBy(() -> queue(c -> c.maxDeadLetters(-1)))
                .hasMessageContaining("maxDeadLetters must be at least 0");
        assertThatThrownBy(() -> queue(c -> c.maxWait(Duration.ZERO))).hasMessageContaining("maxWait must be more");
        assertThatThrownBy(() -> queue(c -> c.maxHint(Duration.ofNanos(-1))))
                .hasMessageContaining("maxHint must be more");
    }

    @Test
    void null_is_refused_by_name() {
        assertThatThrownBy(() -> queue(c -> c.whenFull(null))).hasMessageContaining("whenFull");
        assertThatThrownBy(() -> queue(c -> c.backoff(null))).hasMessageContaining("backoff");
        assertThatThrownBy(() -> queue(c -> c.orderedBy(null))).hasMessageContaining("orderedBy");
        assertThatThrownBy(() -> queue(c -> c.outcomes((OutcomeRule) null))).hasMessageContaining("outcomes");
        assertThatThrownBy(() -> WorkQueue.of("mail", c -> {}, null))
                .isInstanceOf(NullPointerException.class)
                .hasMessageContaining("handler");
        WorkQueue<String> queue = queue(c -> {});
        assertThatThrownBy(() -> queue.offer(null))
                .isInstanceOf(NullPointerException.class)
                .hasMessageContaining("item");
        assertThatThrownBy(() -> queue.submit(null)).isInstanceOf(NullPointerException.class);
        assertThatThrownBy(() -> queue.submitAsync(null)).isInstanceOf(NullPointerException.class);
        assertThatThrownBy(() -> queue.replay(null)).isInstanceOf(NullPointerException.class);
        assertThatThrownBy(() -> queue.close((Duration) null)).isInstanceOf(NullPointerException.class);
        assertThatThrownBy(() -> queue.close(Duration.ofNanos(-1)))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("timeout");
    }

    @Test
    void names_are_checked() {
        assertThatThrownBy(() -> WorkQueue.of(" ", c -> {}, (item, attempt) -> null))
                .isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> WorkQueue.of("a\nb", c -> {}, (item, attempt) -> null))
                .isInstanceOf(IllegalArgumentException.class);
    }

    @Test
    void a_builder_of_settings_has_all_of_them() {
        Function<String, Object> order = item -> item;
        Backoff backoff = Backoff.fixed(Duration.ofSeconds(3));
        OutcomeRule rule = OutcomeRule.failures(RuntimeException.class);
        WorkQueueConfig<String> config = WorkQueueConfig.<String>builder()
                .capacity(7)
                .workers(8)
                .whenFull(WhenFull.CALLER_RUNS)
                .maxWait(Duration.ofSeconds(9))
                .maxAttempts(10)
                .backoff(backoff)
                .maxHint(Duration.ofSeconds(11))
                .outcomes(rule)
                .maxDeadLetters(12)
                .ages(false)
                .orderedBy(order)
                .build()
                .toBuilder()
                .build();
        assertThat(config.capacity()).isEqualTo(7);
        assertThat(config.workers()).isEqualTo(8);
        assertThat(config.whenFull()).isEqualTo(WhenFull.CALLER_RUNS);
        assertThat(config.maxWait()).isEqualTo(Duration.ofSeconds(9));
        assertThat(config.maxAttempts()).isEqualTo(10);
        assertThat(config.backoff()).isSameAs(backoff);
        assertThat(config.maxHint()).isEqualTo(Duration.ofSeconds(11));
        assertThat(config.outcomes()).isSameAs(rule);
        assertThat(config.maxDeadLetters()).isEqualTo(12);
        assertThat(config.ages()).isFalse();
        assertThat(config.order()).isSameAs(order);
    }
}
