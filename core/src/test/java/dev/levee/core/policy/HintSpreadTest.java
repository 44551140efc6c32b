package dev.levee.core.policy;

import static java.time.Duration.ofMillis;
import static java.time.Duration.ofSeconds;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowable;

import dev.levee.core.CallContext;
import dev.levee.core.Deadline;
import dev.levee.core.Environment;
import dev.levee.core.OutcomeRule;
import dev.levee.core.RefusedException;
import dev.levee.core.Verdict;
import dev.levee.core.internal.HintSpread;
import dev.levee.core.testing.ManualTime;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.function.Consumer;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.DoubleRange;
import net.jqwik.api.constraints.LongRange;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A thousand callers that were told the same time do not come back in one moment, and none comes before it. */
class HintSpreadTest {
    private static final int CALLERS = 1_000;

    private final ManualTime time = new ManualTime();
    private final Environment environment = time.environment();

    private static OutcomeRule told(Duration wait, Verdict verdict) {
        return OutcomeRule.standard().onError(IOException.class, verdict).retryAfter((result, error) -> wait.toNanos());
    }

    private Retry retry(Consumer<RetryConfig.Builder> configure) {
        return Retry.of(
                "r",
                config -> configure.accept(config.maxAttempts(2)
                        .idempotent(true)
                        .backoff(Backoff.fixed(ofMillis(100)))
                        .throttledBackoff(Backoff.fixed(ofMillis(100)))
                        .budget(RetryBudget.unlimited())),
                environment);
    }

    /** Returns when the second attempts of many calls begin that fail at one time. */
    private List<Duration> returns(Retry retry, Duration step, int steps) {
        List<Duration> begun = new ArrayList<>();
        for (int caller = 0; caller < CALLERS; caller++) {
            retry.callAsync(() -> {
                if (CallContext.current().attempt() == 1) {
                    return CompletableFuture.failedFuture(new IOException("come back later"));
                }
                begun.add(time.elapsed());
                return CompletableFuture.completedFuture("ok");
            });
        }
        for (int i = 0; i < steps; i++) {
            time.advance(step);
        }
        return begun;
    }

    private static void assertSpread(List<Duration> begun, Duration told, Duration latest) {
        assertThat(begun).hasSize(CALLERS).allSatisfy(at -> assertThat(at).isBetween(told, latest));
        assertThat(new HashSet<>(begun)).as("different moments").hasSizeGreaterThan(CALLERS * 9 / 10);
        Duration length = latest.minus(told);
        for (int tenth = 0; tenth < 10; tenth++) {
            Duration from = told.plus(length.multipliedBy(tenth).dividedBy(10));
            Duration to = from.plus(length.dividedBy(10));
            assertThat(begun)
                    .filteredOn(at -> at.compareTo(from) >= 0 && at.compareTo(to) < 0)
                    .as("from %s to %s", from, to)
                    .hasSizeBetween(CALLERS / 20, CALLERS / 5);
        }
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void callers_that_were_told_two_seconds_are_spread_over_the_half_second_after_them(boolean throttled) {
        Retry retry =
                retry(config -> config.outcomes(told(ofSeconds(2), throttled ? Verdict.THROTTLED : Verdict.FAILURE)));

        assertSpread(returns(retry, ofMillis(10), 300), ofSeconds(2), ofMillis(2_500));
    }

    @Test
    void the_spread_is_a_share_of_what_was_told_and_can_be_chosen() {
        Retry retry = retry(
                config -> config.outcomes(told(ofSeconds(4), Verdict.FAILURE)).hintJitter(1));

        assertSpread(returns(retry, ofMillis(10), 900), ofSeconds(4), ofSeconds(8));
    }

    @Test
    void without_a_jitter_all_come_back_when_they_were_told() {
        Retry retry = retry(
                config -> config.outcomes(told(ofSeconds(2), Verdict.FAILURE)).hintJitter(0));

        assertThat(returns(retry, ofSeconds(1), 3)).hasSize(CALLERS).containsOnly(ofSeconds(2));
    }

    @Test
    void refusals_that_say_when_are_spread_as_well() {
        Retry retry = retry(config -> {});
        List<Duration> begun = new ArrayList<>();
        for (int caller = 0; caller < CALLERS; caller++) {
            retry.callAsync(() -> {
                if (CallContext.current().attempt() == 1) {
                    return CompletableFuture.failedFuture(new Full());
                }
                begun.add(time.elapsed());
                return CompletableFuture.completedFuture("ok");
            });
        }
        for (int i = 0; i < 300; i++) {
            time.advance(ofMillis(10));
        }

        assertSpread(begun, ofSeconds(2), ofMillis(2_500));
    }

    @Test
    void a_hedge_spreads_its_next_attempts_too() {
        Hedge hedge = Hedge.of(
                "h",
                config -> config.delay(ofSeconds(9))
                        .budget(RetryBudget.unlimited())
                        .outcomes(told(ofSeconds(2), Verdict.THROTTLED)),
                environment);
        List<Duration> begun = new ArrayList<>();
        for (int caller = 0; caller < CALLERS; caller++) {
            hedge.callAsync(() -> {
                if (CallContext.current().attempt() == 1) {
                    return CompletableFuture.failedFuture(new IOException("come back later"));
                }
                begun.add(time.elapsed());
                return CompletableFuture.completedFuture("ok");
            });
        }
        for (int i = 0; i < 300; i++) {
            time.advance(ofMillis(10));
        }

        assertSpread(begun, ofSeconds(2), ofMillis(2_500));
    }

    @Test
    void blocking_calls_wait_as_long() {
        ManualTime own = new ManualTime().autoAdvance();
        Retry retry = Retry.of(
                "r", config -> config.maxAttempts(2).outcomes(told(ofSeconds(2), Verdict.FAILURE)), own.environment());
        HashSet<Duration> waits = new HashSet<>();
        for (int caller = 0; caller < 20; caller++) {
            Duration before = own.elapsed();
            assertThat(catchThrowable(() -> retry.call(() -> {
                        throw new IOException("come back later");
                    })))
                    .isInstanceOf(IOException.class);
            waits.add(own.elapsed().minus(before));
        }

        assertThat(waits)
                .hasSizeGreaterThan(10)
                .allSatisfy(wait -> assertThat(wait).isBetween(ofSeconds(2), ofMillis(2_500)));
    }

    @Test
    void the_jitter_alone_never_leads_past_the_deadline() {
        Retry retry = retry(
                config -> config.outcomes(told(ofSeconds(2), Verdict.FAILURE)).hintJitter(1));
        List<Duration> begun = CallContext.current()
                .withDeadline(Deadline.after(ofMillis(2_010), environment.clock()))
                .call(() -> returns(retry, ofMillis(1), 2_010));

        assertThat(begun)
                .hasSize(CALLERS)
                .allSatisfy(at ->
                        assertThat(at).isBetween(ofSeconds(2), ofMillis(2_010).minusNanos(1)));
    }

    @Test
    void nor_past_the_total_time() {
        Retry retry = retry(config -> config.outcomes(told(ofSeconds(2), Verdict.FAILURE))
                .totalTime(ofSeconds(2).plusNanos(1)));

        assertThat(returns(retry, ofSeconds(1), 3)).hasSize(CALLERS).containsOnly(ofSeconds(2));
    }

    @Test
    void what_was_told_and_not_the_spread_is_compared_with_the_longest_hint() {
        Retry retry = retry(
                config -> config.outcomes(told(ofSeconds(2), Verdict.FAILURE)).maxHint(ofSeconds(2)));

        assertThat(returns(retry, ofMillis(10), 300)).hasSize(CALLERS);
    }

    @Property
    void no_wait_is_shorter_than_was_told_nor_longer_than_the_share_nor_than_what_is_left(
            @ForAll @LongRange(min = -1, max = Long.MAX_VALUE / 4) long hint,
            @ForAll @DoubleRange(min = 0, max = 1) double jitter,
            @ForAll @LongRange(min = 1, max = Long.MAX_VALUE / 4) long left) {
        long wait = HintSpread.spread(hint, jitter, left, environment.random());

        assertThat(wait).isGreaterThanOrEqualTo(hint);
        assertThat((double) wait).isLessThanOrEqualTo(Math.max((double) hint, hint * (1 + jitter)) + 1);
        if (hint < left) {
            assertThat(wait).isLessThan(left);
        }
    }

    @ParameterizedTest
    @ValueSource(doubles = {-0.1, 1.1, Double.NaN})
    void the_share_is_from_0_to_1(double jitter) {
        assertThatThrownBy(() -> retry(config -> config.hintJitter(jitter)))
                .hasMessage("retry \"r\": hintJitter must be from 0 to 1, but was " + jitter);
    }

    @Test
    void it_is_a_setting_like_the_others() {
        assertThat(RetryConfig.builder().build().hintJitter()).isEqualTo(0.25);
        assertThat(RetryConfig.builder().hintJitter(0.5).build().toBuilder()
                        .build()
                        .hintJitter())
                .isEqualTo(0.5);
    }

    private static final class Full extends RefusedException {
        private static final long serialVersionUID = 1L;

        Full() {
            super("full", "gate \"full\" is full", () -> 2_000_000_000L, false);
        }

        @Override
        public RefusedException detached() {
            return new Full();
        }
    }
}
