package dev.levee.ratelimit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import dev.levee.core.Environment;
import dev.levee.core.Gate;
import dev.levee.core.Listener;
import dev.levee.core.Pipeline;
import dev.levee.core.Policy;
import dev.levee.core.RefusedException;
import dev.levee.core.Verdict;
import dev.levee.core.testing.ManualTime;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class RateLimiterTest {
    private static final long MILLI = 1_000_000;

    private final ManualTime time = new ManualTime();
    private final RateLimiter limiter =
            RateLimiter.of("mail", Limit.perSecond(100).burst(3), time.environment());

    private void drain() {
        while (limiter.tryAcquireOrWaitNanos() == 0) {}
    }

    @Nested
    class Settings {
        @Test
        void can_be_given_as_a_configuration_and_are_copied_to_a_builder() {
            RateLimiterConfig config = RateLimiterConfig.builder()
                    .limit(Limit.perSecond(5))
                    .totals(true)
                    .build();
            assertThat(RateLimiter.of("mail", config).availablePermits()).isEqualTo(5);
            assertThat(config.toBuilder().build()).usingRecursiveComparison().isEqualTo(config);
        }

        @Test
        void must_not_be_null() {
            assertThatThrownBy(() -> RateLimiter.of("mail", (Consumer<RateLimiterConfig.Builder>) null))
                    .isInstanceOf(NullPointerException.class)
                    .hasMessage("configure");
            assertThatThrownBy(() -> RateLimiter.of("mail", (RateLimiterConfig) null))
                    .isInstanceOf(NullPointerException.class)
                    .hasMessage("config");
        }
    }

    @Nested
    class Permits {
        @Test
        void a_new_bucket_is_full() {
            assertThat(limiter.availablePermits()).isEqualTo(3);
            assertThat(limiter.tryAcquireOrWaitNanos()).isZero();
            assertThat(limiter.tryAcquireOrWaitNanos(2)).isZero();
            assertThat(limiter.availablePermits()).isZero();
        }

        @Test
        void they_come_back_one_by_one() {
            drain();
            assertThat(limiter.tryAcquireOrWaitNanos()).isEqualTo(10 * MILLI);
            time.advance(Duration.ofMillis(10));
            assertThat(limiter.availablePermits()).isEqualTo(1);
            assertThat(limiter.tryAcquireOrWaitNanos()).isZero();
            assertThat(limiter.tryAcquireOrWaitNanos()).isEqualTo(10 * MILLI);
        }

        @Test
        void they_are_taken_or_not_when_asked_for_a_boolean() {
            assertThat(limiter.tryAcquire()).isTrue();
            assertThat(limiter.tryAcquire(3)).isFalse();
            assertThat(limiter.tryAcquire(2)).isTrue();
            assertThat(limiter.tryAcquire()).isFalse();
            assertThat(limiter.tryAcquire(4)).as("more than the burst").isFalse();
            time.advance(Duration.ofMillis(10));
            assertThat(limiter.tryAcquire()).isTrue();
            assertThatThrownBy(() -> limiter.tryAcquire(0)).hasMessage("permits must be at least 1, but was 0");
        }

        @Test
        void a_refusal_costs_nothing() {
            drain();
            for (int i = 0; i < 1000; i++) {
                assertThat(limiter.tryAcquireOrWaitNanos()).isEqualTo(10 * MILLI);
                assertThat(limiter.tryAcquireOrWaitNanos(3)).isEqualTo(30 * MILLI);
            }
        }

        @Test
        void several_are_taken_together_or_not_at_all() {
            limiter.tryAcquireOrWaitNanos();
            assertThat(limiter.tryAcquireOrWaitNanos(3)).isEqualTo(10 * MILLI);
            assertThat(limiter.availablePermits()).isEqualTo(2);
        }

        @Test
        void more_than_the_bucket_holds_are_never_there() {
            assertThat(limiter.tryAcquireOrWaitNanos(4)).isEqualTo(RateLimiter.NEVER);
            assertThat(limiter.tryAcquireOrWaitNanos(Long.MAX_VALUE)).isEqualTo(RateLimiter.NEVER);
            assertThat(limiter.availablePermits()).isEqualTo(3);
        }

        @ParameterizedTest
        @ValueSource(longs = {0, -1, Long.MIN_VALUE})
        void a_call_wants_at_least_one(long permits) {
            assertThatThrownBy(() -> limiter.tryAcquireOrWaitNanos(permits))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessage("permits must be at least 1, but was " + permits);
        }

        @Test
        void a_refill_hint_is_exact() { // bucket4j issue 88
            RateLimiter slow = RateLimiter.of("slow", Limit.perSecond(1), time.environment());
            assertThat(slow.tryAcquireOrWaitNanos()).isZero();
            time.advance(Duration.ofMillis(200));
            assertThat(slow.tryAcquireOrWaitNanos()).isEqualTo(800 * MILLI);
        }

        @Test
        void a_long_rest_fills_the_bucket_and_no_more() { // bucket4j issue 51
            drain();
            for (Duration rest :
                    List.of(Duration.ofHours(12), Duration.ofDays(365 * 145), Duration.ofDays(365 * 145))) {
                time.advance(rest);
                assertThat(limiter.availablePermits()).isEqualTo(3);
            }
            drain();
            assertThat(limiter.tryAcquireOrWaitNanos()).isEqualTo(10 * MILLI);
        }

        @Test
        void the_longest_rest_that_a_clock_can_tell_fills_the_bucket() {
            SettableClock clock = new SettableClock(0);
            RateLimiter resting = RateLimiter.of("l", Limit.perSecond(100).burst(3), clock.environment());
            resting.tryAcquireOrWaitNanos(3);
            clock.set(Long.MAX_VALUE); // 292 years
            assertThat(resting.availablePermits()).isEqualTo(3);
        }

        @ParameterizedTest
        @ValueSource(longs = {Long.MAX_VALUE - 5_000_000, Long.MAX_VALUE, -5_000_000, 0})
        void a_clock_that_wraps_changes_nothing(long origin) {
            ManualTime wrapping = ManualTime.startingAt(origin);
            RateLimiter wrapped = RateLimiter.of("l", Limit.perSecond(100).burst(3), wrapping.environment());
            assertThat(wrapped.tryAcquireOrWaitNanos(3)).isZero();
            wrapping.advance(Duration.ofMillis(7));
            assertThat(wrapped.tryAcquireOrWaitNanos()).isEqualTo(3 * MILLI);
            wrapping.advance(Duration.ofMillis(3));
            assertThat(wrapped.tryAcquireOrWaitNanos()).isZero();
            assertThat(wrapped.tryAcquireOrWaitNanos()).isEqualTo(10 * MILLI);
        }
    }

    @Nested
    class AsAGate {
        @Test
        void a_call_takes_one_permit_and_gives_none_back() {
            limiter.run(() -> {});
            assertThat(limiter.<String, RuntimeException>call(() -> "sent")).isEqualTo("sent");
            assertThat(limiter.availablePermits()).isEqualTo(1);
            assertThatThrownBy(() -> limiter.run(() -> {
                        throw new IllegalStateException("mail");
                    }))
                    .hasMessage("mail");
            assertThat(limiter.availablePermits()).isZero();
        }

        @Test
        void without_a_permit_the_operation_does_not_run() {
            drain();
            List<String> sent = new ArrayList<>();
            assertThatThrownBy(() -> limiter.run(() -> sent.add("mail"))).isInstanceOf(RateLimitedException.class);
            assertThat(sent).isEmpty();
            time.advance(Duration.ofMillis(10));
            limiter.run(() -> sent.add("mail"));
            assertThat(sent).hasSize(1);
        }

        @Test
        void it_goes_by_the_stamp_and_reads_no_clock() {
            SettableClock unread = new SettableClock(0) {
                private boolean built;

                @Override
                public long nanoTime() {
                    assertThat(built).as("read after construction").isFalse();
                    built = true;
                    return super.nanoTime();
                }
            };
            RateLimiter stamped = RateLimiter.of("l", Limit.perSecond(100).burst(1), unread.environment());
            assertThat(stamped.timing()).isEqualTo(Gate.ENTRY);
            long stamp = stamped.tryEnter(5);
            assertThat(stamp).isNotEqualTo(Gate.REFUSED);
            stamped.exit(stamp, 5, 0, Verdict.SUCCESS, RefusedException.UNKNOWN);
            assertThat(stamped.tryEnter(5 + 10 * MILLI - 1)).isEqualTo(Gate.REFUSED);
            assertThat(stamped.tryEnter(5 + 10 * MILLI)).isNotEqualTo(Gate.REFUSED);
        }

        @Test
        void it_is_a_limiter_with_a_name_that_prints_its_limit() {
            assertThat(limiter.kind()).isEqualTo(Policy.Kind.LIMITER);
            assertThat(limiter.name()).isEqualTo("mail");
            assertThat(limiter.environment()).isSameAs(time.environment());
            assertThat(limiter).hasToString("limiter \"mail\" [100 per 1s, burst 3]");
            assertThat(Pipeline.of(limiter).toString()).contains("limiter");
        }
    }

    @Nested
    class Refusals {
        @Test
        void a_refusal_names_the_limiter_and_its_limit_and_has_no_stack_trace() {
            drain();
            RateLimitedException refusal =
                    catchThrowableOfType(RateLimitedException.class, () -> limiter.run(() -> {}));
            assertThat(refusal).hasMessage("limiter \"mail\" has no permit: 100 per 1s, burst 3");
            assertThat(refusal.policy()).isEqualTo("mail");
            assertThat(refusal.getStackTrace()).isEmpty();
        }

        @Test
        void it_is_shared_and_counts_down() {
            drain();
            RefusedException refusal = limiter.refusal();
            assertThat(refusal).isSameAs(limiter.refusal());
            assertThat(refusal.retryAfterNanos()).isEqualTo(10 * MILLI);
            time.advance(Duration.ofMillis(4));
            assertThat(refusal.retryAfterNanos()).isEqualTo(6 * MILLI);
            time.advance(Duration.ofMillis(40));
            assertThat(refusal.retryAfterNanos()).isZero();
        }

        @Test
        void a_detached_one_stands_still_and_carries_suppressed_exceptions() {
            drain();
            RefusedException detached = limiter.refusal().detached();
            time.advance(Duration.ofMillis(4));
            detached.addSuppressed(new IllegalStateException());
            assertThat(detached)
                    .isInstanceOf(RateLimitedException.class)
                    .hasMessage(limiter.refusal().getMessage());
            assertThat(detached.retryAfterNanos()).isEqualTo(10 * MILLI);
            assertThat(detached.getSuppressed()).hasSize(1);
        }
    }

    @Nested
    class Observers {
        private final List<String> heard = new ArrayList<>();
        private final Environment listening = time.environment().toBuilder()
                .listener(new Listener() {
                    @Override
                    public void onRefused(Policy.Kind kind, String policy) {
                        heard.add(policy);
                        throw new IllegalStateException("bad listener");
                    }
                })
                .build();

        private final RateLimiter observed = RateLimiter.of(
                "mail", config -> config.limit(Limit.perSecond(100).burst(3)).totals(true), listening);

        private Map<String, Double> figures(RateLimiter measured) {
            Map<String, Double> figures = new LinkedHashMap<>();
            measured.measure((policy, metric, value) -> {
                assertThat(policy).isEqualTo("mail");
                figures.put(metric, value);
            });
            return figures;
        }

        @Test
        void each_refusal_is_heard_once_however_it_came() {
            observed.tryAcquireOrWaitNanos(3);
            assertThat(heard).isEmpty();
            observed.tryAcquireOrWaitNanos();
            assertThat(heard).hasSize(1);
            observed.tryAcquireOrWaitNanos(2);
            observed.tryAcquireOrWaitNanos(4);
            assertThat(heard).hasSize(3);
            assertThatThrownBy(() -> observed.run(() -> {})).isInstanceOf(RateLimitedException.class);
            assertThatThrownBy(() -> Pipeline.of(observed).run(() -> {})).isInstanceOf(RateLimitedException.class);
            assertThat(heard).containsOnly("mail").hasSize(5);
            observed.tryEnter(time.nanoTime());
            assertThat(heard)
                    .as("the caller of a bare tryEnter notifies the listener")
                    .hasSize(5);
        }

        @Test
        void totals_count_calls_of_every_kind() {
            observed.tryAcquireOrWaitNanos(2);
            observed.run(() -> {});
            observed.tryAcquireOrWaitNanos();
            observed.tryAcquireOrWaitNanos(4);
            observed.tryEnter(time.nanoTime());
            assertThat(figures(observed))
                    .containsEntry("limiter.permits.available", 0.0)
                    .containsEntry("limiter.calls.admitted", 2.0)
                    .containsEntry("limiter.calls.refused", 3.0)
                    .hasSize(4);
        }

        @Test
        void without_totals_there_are_none() {
            limiter.tryAcquireOrWaitNanos();
            assertThat(figures(limiter))
                    .containsOnly(Map.entry("limiter.permits.available", 2.0), Map.entry("limiter.calls.waiting", 0.0));
        }
    }

    @Nested
    class Configuration {
        @Test
        void a_limit_must_be_set() {
            assertThatThrownBy(() -> RateLimiter.of("l", config -> {}))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessage("limiter \"l\": limit must be set");
        }

        @Test
        void a_name_must_not_be_blank() {
            assertThatThrownBy(() -> RateLimiter.of(" ", Limit.perSecond(1)))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessageContaining("name must not be blank");
        }

        @Test
        void settings_can_be_taken_over() {
            RateLimiterConfig config = RateLimiterConfig.builder()
                    .limit(Limit.perSecond(5))
                    .totals(true)
                    .build();
            RateLimiterConfig copy = config.toBuilder().build();
            assertThat(copy.limit()).isEqualTo(Limit.perSecond(5));
            assertThat(copy.totals()).isTrue();
            assertThat(RateLimiterConfig.builder()
                            .limit(Limit.perSecond(5))
                            .build()
                            .totals())
                    .isFalse();
        }
    }
}
