package dev.levee.ratelimit.work;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.levee.core.OutcomeRule;
import dev.levee.core.RefusedException;
import dev.levee.core.Verdict;
import dev.levee.core.policy.Backoff;
import dev.levee.core.policy.Bulkhead;
import dev.levee.core.policy.RetryBudget;
import dev.levee.core.testing.BrokenBudget;
import dev.levee.core.testing.ManualTime;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;

/** What bounds the further attempts of all items together, and what spreads them. */
class WorkBudgetTest {
    private static final Duration SECOND = Duration.ofSeconds(1);

    private final ManualTime time = new ManualTime();
    private final List<Long> attempts = new ArrayList<>();
    private boolean isDown = true;

    private Object handle(String item, int attempt) {
        attempts.add(time.elapsed().toMillis());
        if (isDown) {
            throw new IllegalStateException("down");
        }
        return null;
    }

    private WorkQueue<String> queue(Consumer<WorkQueueConfig.Builder<String>> configure) {
        return WorkQueue.of(
                "mail",
                config -> configure.accept(
                        config.workers(4).maxAttempts(1_000_000).backoff(Backoff.fixed(SECOND))),
                this::handle,
                time.environment());
    }

    private void offer(WorkQueue<String> queue, int items) {
        for (int item = 0; item < items; item++) {
            assertThat(queue.offer("item " + item)).isTrue();
        }
        time.runReady();
    }

    @Test
    void an_outage_is_not_made_worse_by_all_items_at_once() {
        WorkQueue<String> queue = queue(config -> {});
        offer(queue, 1_000);
        time.advance(Duration.ofMinutes(1));
        int retries = attempts.size() - 1_000;
        assertThat(retries).as("a reserve of 100, a fifth of 1000, 10 a second").isBetween(600, 100 + 200 + 610);
        assertThat(WorkQueueTest.metric(queue, "work.postponed")).isPositive();
        assertThat(queue.deadLetters()).as("none is lost for lack of credit").isEmpty();
        WorkQueueTest.assertBalanced(queue);
    }

    @Test
    void items_that_waited_for_the_budget_are_done_in_the_end() {
        WorkQueue<String> queue = queue(config -> config.budget(RetryBudget.of("none", 0, 5, 1, time.environment())));
        offer(queue, 50);
        isDown = false;
        time.advance(Duration.ofSeconds(60));
        assertThat(queue.counts().done()).isEqualTo(50);
        assertThat(attempts).hasSize(100);
        assertThat(time.pendingTimers()).isZero();
    }

    @Test
    void without_a_bound_all_come_back_after_their_backoff() {
        WorkQueue<String> queue = queue(config -> config.budget(RetryBudget.unlimited()));
        offer(queue, 1_000);
        isDown = false;
        time.advance(SECOND);
        assertThat(queue.counts().done()).isEqualTo(1_000);
        assertThat(WorkQueueTest.metric(queue, "work.postponed")).isZero();
    }

    @Test
    void an_attempt_that_a_policy_refused_costs_nothing() {
        Bulkhead full = Bulkhead.of("full", 1, time.environment());
        full.tryEnter(0);
        RetryBudget budget = RetryBudget.of("budget", 0, 0, 1, time.environment());
        WorkQueue<String> queue = WorkQueue.of(
                "mail",
                config -> config.workers(4).budget(budget).backoff(Backoff.fixed(SECOND)),
                (item, attempt) -> full.call(() -> null),
                time.environment());
        offer(queue, 10);
        time.advance(Duration.ofSeconds(10));
        assertThat(WorkQueueTest.metric(queue, "work.postponed")).isZero();
        assertThat(WorkQueueTest.metric(queue, "work.retried")).isEqualTo(110);
    }

    @Test
    void a_close_gives_back_what_waits_for_the_budget() {
        WorkQueue<String> queue = queue(config -> config.budget(RetryBudget.of("none", 0, 0, 1, time.environment())));
        offer(queue, 5);
        time.advance(Duration.ofSeconds(10));
        WorkReport<String> report = queue.close(Duration.ZERO);
        assertThat(report.returned()).hasSize(5);
        assertThat(time.pendingTimers()).isZero();
        WorkQueueTest.assertBalanced(queue);
    }

    @Test
    void a_budget_that_throws_keeps_no_item_from_being_tried_again() {
        WorkQueue<String> queue = queue(config -> config.budget(new BrokenBudget()));
        offer(queue, 3);
        isDown = false;
        time.advance(SECOND);
        assertThat(queue.counts().done()).isEqualTo(3);
    }

    @Test
    void items_that_were_told_one_time_come_back_spread_and_none_before() {
        OutcomeRule hinting = OutcomeRule.standard()
                .onError(IllegalStateException.class, Verdict.THROTTLED)
                .retryAfter((result, error) -> error == null
                        ? RefusedException.UNKNOWN
                        : Duration.ofSeconds(20).toNanos());
        WorkQueue<String> queue = queue(config ->
                config.outcomes(hinting).budget(RetryBudget.unlimited()).hintJitter(0.5));
        offer(queue, 200);
        isDown = false;
        time.advance(Duration.ofSeconds(31));
        Set<Long> moments = new TreeSet<>(attempts.subList(200, 400));
        assertThat(moments)
                .hasSizeGreaterThan(150)
                .allSatisfy(millis -> assertThat(millis).isBetween(20_000L, 30_000L));
    }

    @Test
    void settings_out_of_range_are_named() {
        assertThatThrownBy(() -> queue(config -> config.hintJitter(1.1)))
                .hasMessage("queue \"mail\": hintJitter must be from 0 to 1, but was 1.1");
        assertThatThrownBy(() -> queue(config -> config.hintJitter(Double.NaN)))
                .isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> queue(config -> config.budget(null))).isInstanceOf(NullPointerException.class);
    }
}
