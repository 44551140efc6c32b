package dev.levee.core;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.levee.core.policy.Bulkhead;
import dev.levee.core.policy.Hedge;
import dev.levee.core.policy.Retry;
import dev.levee.core.policy.Timeout;
import dev.levee.core.testing.ManualTime;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** How critical a call is, and whose: in the context of the call, on its way to other threads, and as a header. */
class CriticalityTest {
    private final ManualTime time = new ManualTime();
    private final Environment environment = time.environment();
    private final CallContext prefetch =
            CallContext.current().withCriticality(Criticality.SHEDDABLE).withCohort(17);
    private final List<String> seen = new ArrayList<>();

    private void look() {
        CallContext now = CallContext.current();
        seen.add(now.criticality() + " " + now.cohort());
    }

    private String lookAndFail() {
        look();
        throw new IllegalStateException("try again");
    }

    @Nested
    class InTheContext {
        @Test
        void a_call_is_critical_and_of_no_cohort_unless_it_says_otherwise() {
            assertThat(CallContext.current().criticality()).isEqualTo(Criticality.CRITICAL);
            assertThat(CallContext.current().cohort()).isEqualTo(CallContext.NO_COHORT);
        }

        @ParameterizedTest
        @EnumSource
        void each_criticality_and_cohort_is_seen_within_and_gone_afterwards(Criticality criticality) {
            for (int cohort = CallContext.NO_COHORT; cohort < CallContext.COHORTS; cohort++) {
                CallContext context =
                        CallContext.current().withCriticality(criticality).withCohort(cohort);
                context.run(this::lookTwice);
                assertThat(seen).containsExactly(criticality + " " + cohort, criticality + " " + cohort);
                seen.clear();
            }
            look();
            assertThat(seen).containsExactly("CRITICAL -1");
        }

        private void lookTwice() {
            look();
            look();
        }

        @Test
        void other_values_keep_it_and_it_keeps_other_values() {
            CallContext context = prefetch.withAttempt(Integer.MAX_VALUE)
                    .withIdempotent(false)
                    .withRepeating(true)
                    .withDeadline(Deadline.after(Duration.ofSeconds(1), environment.clock()));
            context.run(() -> {
                CallContext now = CallContext.current();
                assertThat(now.criticality()).isEqualTo(Criticality.SHEDDABLE);
                assertThat(now.cohort()).isEqualTo(17);
                assertThat(now.attempt()).isEqualTo(Integer.MAX_VALUE);
                assertThat(now.idempotent()).isFalse();
                assertThat(now.repeating()).isTrue();
                assertThat(now.deadline()).isNotNull();
            });
            assertThat(context.withCriticality(Criticality.CRITICAL_PLUS).cohort())
                    .isEqualTo(17);
        }

        @Test
        void a_call_within_a_call_may_have_another_one() {
            prefetch.run(() -> {
                look();
                CallContext.current().withCriticality(Criticality.CRITICAL_PLUS).run(CriticalityTest.this::look);
                CallContext.notIdempotent(() -> {
                    look();
                    return null;
                });
                look();
            });
            assertThat(seen).containsExactly("SHEDDABLE 17", "CRITICAL_PLUS 17", "SHEDDABLE 17", "SHEDDABLE 17");
        }

        @Test
        void a_context_of_its_own_is_the_same_object_while_nothing_is_written() {
            assertThat(CallContext.current()).isSameAs(CallContext.current());
            prefetch.run(() -> assertThat(CallContext.current()).isSameAs(prefetch));
        }

        @Test
        void it_is_printed() {
            assertThat(prefetch).hasToString("attempt 1, sheddable, cohort 17");
            assertThat(CallContext.current()).hasToString("attempt 1");
        }

        @Test
        void what_is_wrong_is_named() {
            assertThatThrownBy(() -> prefetch.withCriticality(null))
                    .isInstanceOf(NullPointerException.class)
                    .hasMessage("criticality");
            assertThatThrownBy(() -> prefetch.withCohort(128)).hasMessage("cohort must be from -1 to 127, but was 128");
            assertThatThrownBy(() -> prefetch.withCohort(-2)).hasMessage("cohort must be from -1 to 127, but was -2");
            assertThatThrownBy(() -> CallContext.cohortOf(null)).hasMessage("caller");
        }
    }

    @Nested
    class OnItsWay {
        @Test
        void an_executor_that_carries_passes_it_on() {
            prefetch.run(() -> CallContext.carrying(environment.executor()).execute(CriticalityTest.this::look));
            time.runReady();
            assertThat(seen).containsExactly("SHEDDABLE 17");
        }

        @Test
        void a_retry_keeps_it_in_every_attempt() {
            time.autoAdvance();
            Retry retry = Retry.of("r", c -> c.maxAttempts(3).idempotent(true), environment);
            assertThatThrownBy(() -> prefetch.run(() -> retry.run(CriticalityTest.this::lookAndFail)))
                    .isInstanceOf(IllegalStateException.class);
            assertThat(seen).hasSize(3).containsOnly("SHEDDABLE 17");
        }

        @Test
        void an_asynchronous_retry_keeps_it_in_every_attempt() {
            Retry retry = Retry.of("r", c -> c.maxAttempts(3).idempotent(true), environment);
            prefetch.run(() -> retry.callAsync(() -> {
                look();
                return CompletableFuture.failedFuture(new IllegalStateException("try again"));
            }));
            time.advance(Duration.ofMinutes(1));
            assertThat(seen).hasSize(3).containsOnly("SHEDDABLE 17");
        }

        @Test
        void an_asynchronous_hedge_keeps_it_in_every_attempt() {
            Hedge hedge = Hedge.of("h", c -> c.delay(Duration.ofMillis(10)), environment);
            prefetch.run(() -> hedge.callAsync(() -> {
                look();
                return new CompletableFuture<>();
            }));
            time.advance(Duration.ofMinutes(1));
            assertThat(seen).hasSizeGreaterThan(1).containsOnly("SHEDDABLE 17");
        }

        @Test
        void a_blocking_hedge_keeps_it_in_every_attempt() {
            time.autoAdvance();
            Environment threads = environment.toBuilder().executor(time::start).build();
            Hedge hedge = Hedge.of("h", c -> c.delay(Duration.ofMillis(10)), threads);
            prefetch.run(() -> hedge.run(() -> {
                synchronized (seen) {
                    look();
                }
                sleep(100);
            }));
            assertThat(seen).hasSizeGreaterThan(1).containsOnly("SHEDDABLE 17");
        }

        private void sleep(int millis) {
            try {
                environment.scheduler().sleep(millis * 1_000_000L);
            } catch (InterruptedException interrupt) {
                Thread.currentThread().interrupt();
            }
        }

        @Test
        void a_timeout_on_an_executor_passes_it_on() {
            time.autoAdvance();
            Timeout timeout =
                    Timeout.of("t", Duration.ofSeconds(1), environment).onExecutor(time::start);
            prefetch.run(() -> timeout.run(CriticalityTest.this::look));
            assertThat(seen).containsExactly("SHEDDABLE 17");
        }

        @Test
        void blocking_work_on_an_executor_of_the_callers_choice_has_it() {
            Bulkhead bulkhead = Bulkhead.of("b", 1, environment);
            prefetch.run(() -> bulkhead.callAsync(environment.executor(), () -> {
                look();
                return null;
            }));
            time.runReady();
            assertThat(seen).containsExactly("SHEDDABLE 17");
        }

        @Test
        void a_call_that_has_waited_in_a_queue_has_it() {
            Bulkhead bulkhead = Bulkhead.of("b", c -> c.maxConcurrent(1).queue(1, Duration.ofSeconds(1)), environment);
            CompletableFuture<Void> holder = new CompletableFuture<>();
            bulkhead.callAsync(() -> holder);
            prefetch.run(() -> bulkhead.callAsync(() -> {
                look();
                return CompletableFuture.completedFuture(null);
            }));
            holder.complete(null);
            time.runReady();
            assertThat(seen).containsExactly("SHEDDABLE 17");
        }
    }

    @Nested
    class AsAHeader {
        @ParameterizedTest
        @EnumSource
        void it_comes_back_from_a_peer_that_is_trusted(Criticality criticality) {
            assertThat(Criticality.ofHeader(criticality.toHeader(), Criticality.CRITICAL_PLUS))
                    .isEqualTo(criticality);
        }

        @ParameterizedTest
        @CsvSource({
            "critical-plus, CRITICAL",
            "critical, CRITICAL",
            "sheddable-plus, SHEDDABLE_PLUS",
            "sheddable, SHEDDABLE",
            "SHEDDABLE, SHEDDABLE",
            "'  Sheddable-Plus ', SHEDDABLE_PLUS",
            "'critical-plus, sheddable', SHEDDABLE",
            "'sheddable-plus,sheddable', SHEDDABLE",
            "'sheddable, nonsense', SHEDDABLE",
        })
        void it_is_never_raised_by_what_any_client_may_write(String text, Criticality expected) {
            assertThat(Criticality.ofHeader(text)).isEqualTo(expected);
        }

        @ParameterizedTest
        @ValueSource(strings = {"", " ", ",", ",,,", "0", "-1", "high", "critical_plus", "sheddable;q=1", "\u0000"})
        void malformed_is_the_default(String text) {
            assertThat(Criticality.ofHeader(text)).isEqualTo(Criticality.CRITICAL);
            assertThat(Criticality.ofHeader(text, Criticality.CRITICAL_PLUS)).isEqualTo(Criticality.CRITICAL);
            assertThat(Criticality.ofHeader(text, Criticality.SHEDDABLE)).isEqualTo(Criticality.SHEDDABLE);
        }

        @Test
        void missing_is_the_default_and_huge_is_read_once() {
            assertThat(Criticality.ofHeader(null)).isEqualTo(Criticality.CRITICAL);
            assertThat(Criticality.ofHeader(",".repeat(1_000_000) + "sheddable"))
                    .isEqualTo(Criticality.SHEDDABLE);
            assertThat(Criticality.ofHeader("x".repeat(1_000_000))).isEqualTo(Criticality.CRITICAL);
        }

        @Test
        void it_does_not_depend_on_the_locale() {
            Locale before = Locale.getDefault();
            Locale.setDefault(Locale.forLanguageTag("tr"));
            try {
                assertThat(Criticality.ofHeader("CRITICAL-PLUS", Criticality.CRITICAL_PLUS))
                        .isEqualTo(Criticality.CRITICAL_PLUS);
                assertThat(Criticality.CRITICAL.toHeader()).isEqualTo("critical");
            } finally {
                Locale.setDefault(before);
            }
        }
    }

    @Nested
    class ACohort {
        @Test
        void is_the_same_in_every_version() {
            assertThat(List.of("", "a", "tenant-1", "tenant-2", "ä€").stream().map(CallContext::cohortOf))
                    .as("computed by another program")
                    .containsExactly(119, 67, 60, 109, 91);
        }

        @Test
        void has_about_as_many_callers_as_any_other() {
            int[] callers = new int[CallContext.COHORTS];
            for (int caller = 0; caller < 128_000; caller++) {
                callers[CallContext.cohortOf("user-" + caller)]++;
            }
            assertThat(Arrays.stream(callers).min().orElseThrow()).isGreaterThan(850);
            assertThat(Arrays.stream(callers).max().orElseThrow()).isLessThan(1150);
        }
    }
}
