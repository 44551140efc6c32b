package dev.levee.core;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatNullPointerException;

import dev.levee.core.testing.ManualTime;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.io.UncheckedIOException;
import java.lang.reflect.UndeclaredThrowableException;
import java.net.ConnectException;
import java.net.NoRouteToHostException;
import java.net.SocketException;
import java.net.SocketTimeoutException;
import java.net.UnknownHostException;
import java.net.http.HttpConnectTimeoutException;
import java.net.http.HttpTimeoutException;
import java.nio.channels.ClosedByInterruptException;
import java.nio.channels.FileLockInterruptionException;
import java.nio.channels.UnresolvedAddressException;
import java.sql.SQLException;
import java.sql.SQLTransientException;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ExecutionException;
import java.util.stream.Stream;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

class OutcomeRuleTest {
    private static final OutcomeRule STANDARD = OutcomeRule.standard();

    @Nested
    class Standard {
        @Test
        void the_walk_through_causes_ends_where_they_form_a_circle() {
            Throwable[] circle = new Throwable[1];
            Throwable inner = new CompletionException("inner", null) {
                @Override
                public synchronized Throwable getCause() {
                    return circle[0];
                }
            };
            circle[0] = new CompletionException("outer", inner);

            assertThat(STANDARD.judge(null, circle[0])).isEqualTo(Verdict.FAILURE);
            assertThat(STANDARD.onCause(ConnectException.class, Verdict.IGNORED).judge(null, circle[0]))
                    .isEqualTo(Verdict.FAILURE);
        }

        static Stream<Arguments> errors() {
            return Stream.of(
                    Arguments.of(new IOException(), Verdict.FAILURE),
                    Arguments.of(new SocketTimeoutException(), Verdict.FAILURE),
                    Arguments.of(new RuntimeException(), Verdict.FAILURE),
                    Arguments.of(new StackOverflowError(), Verdict.FAILURE),
                    Arguments.of(new ConnectException(), Verdict.NOT_SENT),
                    Arguments.of(new NoRouteToHostException(), Verdict.NOT_SENT),
                    Arguments.of(new UnknownHostException(), Verdict.NOT_SENT),
                    Arguments.of(new InterruptedException(), Verdict.IGNORED),
                    Arguments.of(new ClosedByInterruptException(), Verdict.IGNORED),
                    Arguments.of(new FileLockInterruptionException(), Verdict.IGNORED),
                    Arguments.of(new InterruptedIOException(), Verdict.IGNORED),
                    Arguments.of(new InterruptedIOException("thread interrupted"), Verdict.IGNORED),
                    Arguments.of(new UncheckedIOException(new InterruptedIOException("Interrupted")), Verdict.IGNORED),
                    Arguments.of(new InterruptedIOException("timeout"), Verdict.FAILURE),
                    Arguments.of(new SocketTimeoutException("interrupted"), Verdict.FAILURE),
                    Arguments.of(new SocketException("Closed by interrupt"), Verdict.IGNORED),
                    Arguments.of(new SocketException("Connection reset"), Verdict.FAILURE),
                    Arguments.of(new CancellationException(), Verdict.IGNORED));
        }

        @ParameterizedTest
        @MethodSource("errors")
        void judges_by_the_class_of_the_error(Throwable error, Verdict verdict) {
            assertThat(STANDARD.judge(null, error)).isEqualTo(verdict);
        }

        @Test
        void takes_every_result_for_a_success_null_too() {
            assertThat(STANDARD.judge("result", null)).isEqualTo(Verdict.SUCCESS);
            assertThat(STANDARD.judge(null, null)).isEqualTo(Verdict.SUCCESS);
        }

        @ParameterizedTest
        @ValueSource(classes = {InterruptedException.class, CancellationException.class})
        void takes_an_end_that_was_asked_for_as_a_failure_only_after_the_deadline(Class<? extends Throwable> type)
                throws Exception {
            Throwable error = type.getConstructor().newInstance();
            ManualTime time = new ManualTime();
            CallContext context = CallContext.current()
                    .withDeadline(Deadline.after(
                            Duration.ofSeconds(1), time.environment().clock()));
            Operation<Verdict, RuntimeException> judge = () -> STANDARD.judge(null, error);

            time.advance(Duration.ofNanos(999_999_999));
            assertThat(context.call(judge)).isEqualTo(Verdict.IGNORED);
            time.advance(Duration.ofNanos(1));
            assertThat(context.call(judge)).isEqualTo(Verdict.FAILURE);
        }

        @Test
        void knows_no_hint_but_that_of_a_refusal() {
            assertThat(STANDARD.retryAfterNanos(null, new IOException())).isEqualTo(RefusedException.UNKNOWN);
            assertThat(STANDARD.retryAfterNanos("result", null)).isEqualTo(RefusedException.UNKNOWN);
            assertThat(STANDARD.retryAfterNanos(null, new Refused(5))).isEqualTo(5);
        }
    }

    @Nested
    class OnlyFailures {
        private final OutcomeRule rule =
                OutcomeRule.failures(FileNotFoundException.class, SocketTimeoutException.class);

        @Test
        void are_errors_of_the_listed_types_and_their_subclasses() {
            assertThat(rule.judge(null, new FileNotFoundException())).isEqualTo(Verdict.FAILURE);
            assertThat(rule.judge(null, new SocketTimeoutException())).isEqualTo(Verdict.FAILURE);
            assertThat(rule.judge(null, new SocketTimeoutException() {})).isEqualTo(Verdict.FAILURE);
        }

        @Test
        void are_not_other_errors_which_are_ignored() {
            assertThat(rule.judge(null, new IOException())).isEqualTo(Verdict.IGNORED);
            assertThat(rule.judge(null, new ConnectException())).isEqualTo(Verdict.IGNORED);
            assertThat(rule.judge(null, new StackOverflowError())).isEqualTo(Verdict.IGNORED);
        }

        @Test
        void are_not_results_which_are_successes() {
            assertThat(rule.judge("result", null)).isEqualTo(Verdict.SUCCESS);
            assertThat(rule.judge(null, null)).isEqualTo(Verdict.SUCCESS);
        }

        @Test
        void are_listed_errors_even_if_they_were_surely_not_sent() {
            assertThat(OutcomeRule.failures(IOException.class).judge(null, new ConnectException()))
                    .isEqualTo(Verdict.FAILURE);
        }

        @Test
        void are_never_refusals() {
            OutcomeRule every = OutcomeRule.failures(Throwable.class);

            assertThat(Outcomes.judge(every, null, new Refused(5))).isEqualTo(Verdict.IGNORED);
            assertThat(Outcomes.retryAfterNanos(every, Verdict.IGNORED, null, new Refused(5)))
                    .isEqualTo(5);
            assertThat(rule.retryAfterNanos(null, new IOException())).isEqualTo(RefusedException.UNKNOWN);
        }

        @ParameterizedTest
        @ValueSource(classes = {InterruptedException.class, CancellationException.class})
        void are_ends_from_outside_only_after_the_deadline_even_if_a_wider_type_is_listed(
                Class<? extends Throwable> type) throws Exception {
            Throwable error = type.getConstructor().newInstance();
            OutcomeRule wider = OutcomeRule.failures(Exception.class, IllegalStateException.class);
            ManualTime time = new ManualTime();
            CallContext context = CallContext.current()
                    .withDeadline(Deadline.afterNanos(1, time.environment().clock()));
            Operation<Verdict, RuntimeException> judge = () -> rule.judge(null, error);
            Operation<Verdict, RuntimeException> judgeWider = () -> wider.judge(null, error);

            assertThat(rule.judge(null, error)).isEqualTo(Verdict.IGNORED);
            assertThat(context.call(judge)).isEqualTo(Verdict.IGNORED);
            assertThat(context.call(judgeWider)).isEqualTo(Verdict.IGNORED);
            time.advance(Duration.ofNanos(1));
            assertThat(context.call(judge)).isEqualTo(Verdict.FAILURE);
            assertThat(context.call(judgeWider)).isEqualTo(Verdict.FAILURE);
        }

        @Test
        void are_ends_from_outside_that_are_listed_themselves() {
            OutcomeRule listed = OutcomeRule.failures(CancellationException.class);

            assertThat(listed.judge(null, new CancellationException())).isEqualTo(Verdict.FAILURE);
            assertThat(listed.judge(null, new InterruptedException())).isEqualTo(Verdict.IGNORED);
        }

        @Test
        void can_be_added_to() {
            OutcomeRule more = rule.onError(ConnectException.class, Verdict.NOT_SENT)
                    .onError(FileNotFoundException.class, Verdict.IGNORED)
                    .onResult(Integer.class, status -> status == 503, Verdict.THROTTLED)
                    .retryAfter((result, error) -> 7);

            assertThat(more.judge(null, new ConnectException())).isEqualTo(Verdict.NOT_SENT);
            assertThat(more.judge(null, new FileNotFoundException())).isEqualTo(Verdict.IGNORED);
            assertThat(more.judge(null, new SocketTimeoutException())).isEqualTo(Verdict.FAILURE);
            assertThat(more.judge(null, new IOException())).isEqualTo(Verdict.IGNORED);
            assertThat(more.judge(503, null)).isEqualTo(Verdict.THROTTLED);
            assertThat(more.judge(200, null)).isEqualTo(Verdict.SUCCESS);
            assertThat(more.retryAfterNanos(503, null)).isEqualTo(7);
        }

        @Test
        void are_printed() {
            assertThat(rule).hasToString("failures(FileNotFoundException, SocketTimeoutException)");
        }

        @Test
        @SuppressWarnings({"unchecked", "NullArgumentForNonNullParameter"})
        void must_have_a_type_and_none_that_is_null() {
            assertThatIllegalArgumentException()
                    .isThrownBy(OutcomeRule::failures)
                    .withMessage("types must be at least 1, but were 0");
            assertThatNullPointerException()
                    .isThrownBy(() -> OutcomeRule.failures((Class<? extends Throwable>[]) null))
                    .withMessage("types");
            assertThatNullPointerException()
                    .isThrownBy(() -> OutcomeRule.failures(IOException.class, null))
                    .withMessage("type");
        }
    }

    @Nested
    class Precedence {
        @Test
        void is_with_the_condition_that_was_written_last() {
            OutcomeRule rule = STANDARD.onError(IOException.class, Verdict.THROTTLED)
                    .onError(FileNotFoundException.class, Verdict.IGNORED);

            assertThat(rule.judge(null, new FileNotFoundException())).isEqualTo(Verdict.IGNORED);
            assertThat(rule.judge(null, new IOException())).isEqualTo(Verdict.THROTTLED);
            assertThat(rule.judge(null, new RuntimeException())).isEqualTo(Verdict.FAILURE);

            OutcomeRule other = STANDARD.onError(FileNotFoundException.class, Verdict.IGNORED)
                    .onError(IOException.class, Verdict.THROTTLED);
            assertThat(other.judge(null, new FileNotFoundException())).isEqualTo(Verdict.THROTTLED);
        }

        @Test
        void falls_through_to_the_rule_that_it_was_made_from() {
            OutcomeRule rule = STANDARD.onError(error -> "flaky".equals(error.getMessage()), Verdict.SUCCESS);

            assertThat(rule.judge(null, new IOException("flaky"))).isEqualTo(Verdict.SUCCESS);
            assertThat(rule.judge(null, new ConnectException("down"))).isEqualTo(Verdict.NOT_SENT);
            assertThat(rule.judge("result", null)).isEqualTo(Verdict.SUCCESS);
        }

        @Test
        void of_errors_looks_through_wrappers_but_not_through_other_exceptions() {
            OutcomeRule rule = STANDARD.onError(FileNotFoundException.class, Verdict.IGNORED);
            IOException inner = new FileNotFoundException();

            assertThat(rule.judge(null, new UncheckedIOException(inner))).isEqualTo(Verdict.IGNORED);
            assertThat(rule.judge(null, new ExecutionException(inner))).isEqualTo(Verdict.IGNORED);
            assertThat(rule.judge(null, new UndeclaredThrowableException(inner)))
                    .isEqualTo(Verdict.IGNORED);
            assertThat(rule.judge(null, new SQLException("wrapped", inner))).isEqualTo(Verdict.IGNORED);
            assertThat(rule.judge(null, new IllegalStateException(inner))).isEqualTo(Verdict.FAILURE);
            assertThat(STANDARD.onCause(FileNotFoundException.class, Verdict.IGNORED)
                            .judge(null, new IllegalStateException(new RuntimeException(inner))))
                    .isEqualTo(Verdict.IGNORED);
        }

        @Test
        void of_causes_ends_in_a_circle() {
            Exception first = new Exception();
            Exception second = new Exception(first);
            first.initCause(second);

            assertThat(STANDARD.onCause(IOException.class, Verdict.IGNORED).judge(null, first))
                    .isEqualTo(Verdict.FAILURE);
        }

        @Test
        void the_standard_rule_judges_a_wrapper_by_what_it_carries() {
            assertThat(STANDARD.judge(null, new UncheckedIOException(new ConnectException())))
                    .isEqualTo(Verdict.NOT_SENT);
            assertThat(STANDARD.judge(null, new SQLTransientException(new ConnectException())))
                    .isEqualTo(Verdict.NOT_SENT);
            assertThat(STANDARD.judge(null, new UnresolvedAddressException())).isEqualTo(Verdict.NOT_SENT);
            assertThat(STANDARD.judge(null, new HttpConnectTimeoutException("connect")))
                    .isEqualTo(Verdict.NOT_SENT);
            assertThat(STANDARD.judge(null, new HttpTimeoutException("late"))).isEqualTo(Verdict.FAILURE);
            assertThat(STANDARD.judge(null, new UndeclaredThrowableException(new InterruptedException())))
                    .isEqualTo(Verdict.IGNORED);
        }

        @Test
        void of_errors_applies_to_a_class_and_a_condition() {
            OutcomeRule rule = STANDARD.onError(
                    FileNotFoundException.class, error -> "gone".equals(error.getMessage()), Verdict.IGNORED);

            assertThat(rule.judge(null, new FileNotFoundException("gone"))).isEqualTo(Verdict.IGNORED);
            assertThat(rule.judge(null, new FileNotFoundException("busy"))).isEqualTo(Verdict.FAILURE);
            assertThat(rule.judge(null, new IOException("gone"))).isEqualTo(Verdict.FAILURE);
            assertThatNullPointerException()
                    .isThrownBy(() -> STANDARD.onError(IOException.class, null, Verdict.IGNORED))
                    .withMessage("condition");
        }

        @Test
        void of_results_looks_at_the_class_first_and_never_at_errors() {
            OutcomeRule rule = STANDARD.onResult(Integer.class, status -> status == 503, Verdict.THROTTLED)
                    .onResult(Integer.class, status -> status >= 400, Verdict.FAILURE);

            assertThat(rule.judge(503, null)).isEqualTo(Verdict.FAILURE);
            assertThat(rule.judge(200, null)).isEqualTo(Verdict.SUCCESS);
            assertThat(rule.judge("503", null)).isEqualTo(Verdict.SUCCESS);
            assertThat(rule.judge(null, null)).isEqualTo(Verdict.SUCCESS);
            assertThat(rule.judge(503, new InterruptedException())).isEqualTo(Verdict.IGNORED);
        }

        @Test
        void leaves_the_first_rule_as_it_was() {
            OutcomeRule changed = STANDARD.onError(IOException.class, Verdict.IGNORED);

            assertThat(changed).isNotSameAs(STANDARD);
            assertThat(STANDARD.judge(null, new IOException())).isEqualTo(Verdict.FAILURE);
        }
    }

    @Nested
    class Hints {
        private final OutcomeRule rule = STANDARD.retryAfter((result, error) ->
                result instanceof Integer seconds ? seconds * 1_000_000_000L : RefusedException.UNKNOWN);

        @Test
        void come_from_the_last_that_knows_one() {
            OutcomeRule both = rule.retryAfter((result, error) -> error == null ? RefusedException.UNKNOWN : 7L);

            assertThat(both.retryAfterNanos(3, null)).isEqualTo(3_000_000_000L);
            assertThat(both.retryAfterNanos(3, new IOException())).isEqualTo(7L);
            assertThat(both.retryAfterNanos("none", null)).isEqualTo(RefusedException.UNKNOWN);
        }

        @Test
        void survive_further_conditions_and_change_no_verdict() {
            OutcomeRule more = rule.onError(IOException.class, Verdict.IGNORED)
                    .onResult(Integer.class, seconds -> true, Verdict.THROTTLED);

            assertThat(more.retryAfterNanos(2, null)).isEqualTo(2_000_000_000L);
            assertThat(more.judge(2, null)).isEqualTo(Verdict.THROTTLED);
            assertThat(rule.judge(2, null)).isEqualTo(Verdict.SUCCESS);
        }
    }

    @Nested
    class AskedByGates {
        private final OutcomeRule throwing = new OutcomeRule() {
            @Override
            public Verdict judge(Object result, Throwable error) {
                throw new IllegalStateException("bad rule");
            }

            @Override
            public long retryAfterNanos(Object result, Throwable error) {
                throw new IllegalStateException("bad hint");
            }
        };

        @Test
        void a_rule_that_throws_leaves_the_verdict_to_the_standard_rule_and_is_logged_once() {
            try (CapturedLog log = new CapturedLog(OutcomeRule.class)) {
                OutcomeRule broken = (result, error) -> {
                    throw new IllegalStateException("bug");
                };
                assertThat(Outcomes.judge(broken, "result", null)).isEqualTo(Verdict.SUCCESS);
                assertThat(Outcomes.judge(broken, null, new IOException())).isEqualTo(Verdict.FAILURE);
                assertThat(Outcomes.judge(broken, null, new ConnectException())).isEqualTo(Verdict.NOT_SENT);

                assertThat(log.lines()).singleElement().asString().startsWith("WARN Outcome rule");
            }
        }

        @Test
        void a_rule_without_verdict_leaves_it_to_the_standard_rule_and_is_logged_once() {
            try (CapturedLog log = new CapturedLog(OutcomeRule.class)) {
                OutcomeRule silent = (result, error) -> null;
                assertThat(Outcomes.judge(silent, "result", null)).isEqualTo(Verdict.SUCCESS);
                assertThat(Outcomes.judge(silent, null, new IOException())).isEqualTo(Verdict.FAILURE);

                assertThat(log.lines()).hasSize(1);
            }
        }

        @Test
        void a_condition_that_throws_does_not_apply_and_is_logged_once() {
            try (CapturedLog log = new CapturedLog(OutcomeRule.class)) {
                OutcomeRule rule = STANDARD.onError(FileNotFoundException.class, Verdict.IGNORED)
                        .onError(IOException.class, error -> isGone(error.getMessage()), Verdict.THROTTLED)
                        .onError(error -> isGone(error.getMessage()), Verdict.THROTTLED)
                        .onResult(String.class, OutcomeRuleTest::isGone, Verdict.FAILURE);
                for (int i = 0; i < 3; i++) {
                    assertThat(Outcomes.judge(rule, "checked", null)).isEqualTo(Verdict.SUCCESS);
                    assertThat(Outcomes.judge(rule, null, new IOException("checked")))
                            .isEqualTo(Verdict.FAILURE);
                    assertThat(Outcomes.judge(rule, null, new FileNotFoundException("checked")))
                            .isEqualTo(Verdict.IGNORED);
                }
                assertThat(Outcomes.judge(rule, "gone", null)).isEqualTo(Verdict.FAILURE);

                assertThat(log.lines()).as("three rules").hasSize(3);
            }
        }

        @Test
        void a_condition_that_is_interrupted_keeps_the_interrupt() {
            OutcomeRule rule = STANDARD.onResult(
                    String.class,
                    result -> {
                        throw new InterruptedException();
                    },
                    Verdict.FAILURE);
            assertThat(Outcomes.judge(rule, "result", null)).isEqualTo(Verdict.SUCCESS);
            assertThat(Thread.interrupted()).isTrue();
        }

        @Test
        void a_hint_that_throws_is_none_and_is_logged() {
            try (CapturedLog log = new CapturedLog(OutcomeRule.class)) {
                assertThat(Outcomes.retryAfterNanos(throwing, Verdict.FAILURE, "result", null))
                        .isEqualTo(RefusedException.UNKNOWN);

                assertThat(log.lines()).hasSize(1);
            }
        }

        @Test
        void a_hint_is_not_asked_for_after_a_success() {
            assertThat(Outcomes.retryAfterNanos(throwing, Verdict.SUCCESS, "result", null))
                    .isEqualTo(RefusedException.UNKNOWN);
        }

        @Test
        void a_refusal_from_within_is_ignored_unless_a_rule_names_it() {
            assertThat(Outcomes.judge(throwing, null, new Refused(5))).isEqualTo(Verdict.IGNORED);
            assertThat(Outcomes.judge(STANDARD.onError(RuntimeException.class, Verdict.FAILURE), null, new Refused(5)))
                    .isEqualTo(Verdict.IGNORED);
            assertThat(Outcomes.judge(STANDARD.onError(error -> true, Verdict.FAILURE), null, new Refused(5)))
                    .isEqualTo(Verdict.IGNORED);

            OutcomeRule named = STANDARD.onError(Refused.class, Verdict.FAILURE)
                    .onError(IOException.class, Verdict.IGNORED)
                    .retryAfter((result, error) -> 7);
            assertThat(Outcomes.judge(named, null, new Refused(5))).isEqualTo(Verdict.FAILURE);
            assertThat(Outcomes.judge(OutcomeRule.failures(Refused.class), null, new Refused(5)))
                    .isEqualTo(Verdict.FAILURE);
            OutcomeRule some =
                    STANDARD.onError(Refused.class, refused -> refused.retryAfterNanos() > 5, Verdict.THROTTLED);
            assertThat(Outcomes.judge(some, null, new Refused(6))).isEqualTo(Verdict.THROTTLED);
            assertThat(Outcomes.judge(some, null, new Refused(5))).isEqualTo(Verdict.IGNORED);
        }

        @Test
        void a_rule_that_throws_at_a_refusal_is_logged_and_the_default_decides() {
            OutcomeRule broken = STANDARD.onError(
                    Refused.class,
                    refused -> {
                        throw new IllegalStateException("bug");
                    },
                    Verdict.FAILURE);

            assertThat(Outcomes.judge(broken, null, new Refused(5))).isEqualTo(Verdict.IGNORED);
            assertThat(Outcomes.mayBeRepeated(broken, new Refused(5))).isTrue();
        }

        @Test
        void errors_of_stages_are_taken_out_of_their_wrappers() {
            IOException cause = new IOException();

            assertThat(Outcomes.unwrap(new CompletionException(cause))).isSameAs(cause);
            assertThat(Outcomes.unwrap(new ExecutionException(cause))).isSameAs(cause);
            assertThat(Outcomes.unwrap(cause)).isSameAs(cause);
            CompletionException empty = new CompletionException("no cause", null);
            assertThat(Outcomes.unwrap(empty)).isSameAs(empty);
        }
    }

    @ParameterizedTest
    @EnumSource
    void evidence_against_the_dependency_is_failure_throttling_and_not_sent(Verdict verdict) {
        assertThat(verdict.isFailure())
                .isEqualTo(
                        switch (verdict) {
                            case FAILURE, THROTTLED, NOT_SENT -> true;
                            case SUCCESS, IGNORED -> false;
                        });
    }

    @Test
    void arguments_that_are_null_are_named() {
        assertThatNullPointerException()
                .isThrownBy(() -> STANDARD.onError((Class<? extends Throwable>) null, Verdict.IGNORED))
                .withMessage("type");
        assertThatNullPointerException()
                .isThrownBy(() -> STANDARD.onError(IOException.class, null))
                .withMessage("verdict");
        assertThatNullPointerException()
                .isThrownBy(() -> STANDARD.onResult(String.class, null, Verdict.IGNORED))
                .withMessage("condition");
        assertThatNullPointerException()
                .isThrownBy(() -> STANDARD.retryAfter(null))
                .withMessage("hint");
    }

    private static boolean isGone(String text) throws IOException {
        if (text.equals("checked")) {
            throw new IOException("cannot be read");
        }
        return text.equals("gone");
    }

    private static final class Refused extends RefusedException {
        private static final long serialVersionUID = 1L;

        Refused(long retryAfterNanos) {
            super("inner", "refused by a test", () -> retryAfterNanos, false);
        }

        @Override
        public RefusedException detached() {
            return this;
        }
    }

    @Test
    void a_call_that_joins_a_future_is_judged_as_the_future_is() {
        Throwable wrapped = new java.util.concurrent.CompletionException(new java.net.ConnectException("refused"));

        assertThat(Outcomes.judge(OutcomeRule.standard(), null, wrapped)).isEqualTo(Verdict.NOT_SENT);
    }

    /** An exception of a client that has seen more than its class says. */
    private static final class Knowing extends RuntimeException implements OutcomeRule.Judged {
        private static final long serialVersionUID = 1L;
        private final transient Verdict verdict;

        Knowing(Verdict verdict) {
            this.verdict = verdict;
        }

        @Override
        public Verdict verdict() {
            return verdict;
        }

        @Override
        public long retryAfterNanos() {
            return 7;
        }
    }

    @ParameterizedTest
    @EnumSource(Verdict.class)
    void the_standard_rule_goes_by_what_an_exception_knows_also_inside_a_wrapper(Verdict verdict) {
        Knowing known = new Knowing(verdict);
        for (Throwable error : List.of(known, new ExecutionException(known))) {
            assertThat(OutcomeRule.standard().judge(null, error)).isEqualTo(verdict);
            assertThat(OutcomeRule.standard().retryAfterNanos(null, error)).isEqualTo(7);
        }
    }

    @Test
    void a_rule_that_names_an_exception_goes_before_what_it_knows() {
        Knowing known = new Knowing(Verdict.SUCCESS);
        assertThat(OutcomeRule.standard()
                        .onError(Knowing.class, Verdict.FAILURE)
                        .judge(null, known))
                .isEqualTo(Verdict.FAILURE);
        assertThat(OutcomeRule.failures(IllegalStateException.class, Knowing.class)
                        .judge(null, known))
                .isEqualTo(Verdict.FAILURE);
        assertThat(OutcomeRule.standard().judge(null, new IllegalStateException(known)))
                .isEqualTo(Verdict.FAILURE);
    }

    @Test
    void an_exception_that_cannot_say_what_it_knows_is_a_failure() {
        assertThat(Outcomes.judge(OutcomeRule.standard(), null, new Knowing(null)))
                .isEqualTo(Verdict.FAILURE);
    }
}
