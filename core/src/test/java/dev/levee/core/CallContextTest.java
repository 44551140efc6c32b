package dev.levee.core;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatNullPointerException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.levee.core.internal.CallState;
import dev.levee.core.internal.Nanos;
import dev.levee.core.testing.ManualTime;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;

class CallContextTest {
    private static final CallContext NONE = CallContext.current();

    private final ManualTime time = new ManualTime();
    private final NanoClock clock = time.environment().clock();

    @AfterEach
    void nothingIsLeftOnTheThread() {
        assertThat(CallContext.current()).isSameAs(NONE);
    }

    @Test
    void an_action_runs_in_it_and_its_exception_comes_out() throws Exception {
        CallContext second = CallContext.current().withAttempt(2);
        List<Integer> attempts = new ArrayList<>();

        second.run(() -> attempts.add(CallContext.current().attempt()));

        assertThat(attempts).containsExactly(2);
        IOException down = new IOException("down");
        assertThatThrownBy(() -> second.run(() -> {
                    throw down;
                }))
                .isSameAs(down);
    }

    @Nested
    class Outside {
        @Test
        void has_no_deadline_and_is_the_first_attempt_of_what_may_be_repeated() {
            assertThat(CallContext.current().deadline()).isNull();
            assertThat(CallContext.current().attempt()).isEqualTo(1);
            assertThat(CallContext.current().idempotent()).isTrue();
        }

        @Test
        void is_one_shared_object_on_all_threads() {
            assertThat(CompletableFuture.supplyAsync(CallContext::current).join())
                    .isSameAs(NONE);
        }
    }

    @Nested
    class Inside {
        @Test
        void is_seen_by_what_it_runs_and_gone_afterwards() {
            CallContext second = NONE.withAttempt(2);

            CallContext seen = second.call((Operation<CallContext, RuntimeException>) CallContext::current);

            assertThat(seen).isSameAs(second);
            assertThat(CallContext.current()).isSameAs(NONE);
        }

        @Test
        void nests_and_each_level_gets_back_what_was_there() {
            List<Integer> attempts = new ArrayList<>();
            Action<RuntimeException> note =
                    () -> attempts.add(CallContext.current().attempt());

            NONE.withAttempt(2).call((Action<RuntimeException>) () -> {
                note.run();
                NONE.withAttempt(3).call(note);
                note.run();
                NONE.call(note);
                note.run();
            });

            assertThat(attempts).containsExactly(2, 3, 2, 1, 2);
        }

        @Test
        void is_restored_when_the_operation_throws_and_the_exception_is_the_same() {
            IOException failure = new IOException();

            assertThatThrownBy(() -> NONE.withAttempt(2).call(() -> {
                        throw failure;
                    }))
                    .isSameAs(failure);
            assertThat(CallContext.current()).isSameAs(NONE);
        }
    }

    @Nested
    class Changes {
        @Test
        void keep_the_rest() {
            Deadline deadline = Deadline.afterNanos(10, clock);

            CallContext context = NONE.withDeadline(deadline).withAttempt(3).withIdempotent(false);

            assertThat(context.deadline()).isSameAs(deadline);
            assertThat(context.attempt()).isEqualTo(3);
            assertThat(context.idempotent()).isFalse();
            assertThat(context).hasToString("attempt 3, deadline in 10ns, not idempotent");
            assertThat(NONE).hasToString("attempt 1");
        }

        @Test
        void that_change_nothing_make_no_object() {
            CallContext context = NONE.withDeadline(Deadline.afterNanos(10, clock));

            assertThat(context.withAttempt(1)).isSameAs(context);
            assertThat(context.withIdempotent(true)).isSameAs(context);
            assertThat(context.withDeadline(Deadline.afterNanos(11, clock))).isSameAs(context);
        }

        @Test
        void make_a_deadline_only_shorter() {
            Deadline far = Deadline.afterNanos(100, clock);
            Deadline near = Deadline.afterNanos(10, clock);

            assertThat(NONE.withDeadline(far).withDeadline(near).deadline()).isSameAs(near);
            assertThat(NONE.withDeadline(near).withDeadline(far).deadline()).isSameAs(near);
        }

        @Test
        void out_of_range_name_what_is_wrong() {
            assertThatIllegalArgumentException()
                    .isThrownBy(() -> NONE.withAttempt(0))
                    .withMessage("attempt must be at least 1, but was 0");
            assertThatNullPointerException()
                    .isThrownBy(() -> NONE.withDeadline(null))
                    .withMessage("deadline");
            assertThatNullPointerException()
                    .isThrownBy(() ->
                            NONE.withDeadline(Deadline.afterNanos(1, clock)).withDeadline(null))
                    .withMessage("deadline");
        }
    }

    /** How policies write it: fields of the thread, put back in a finally. */
    @Nested
    class WrittenByPolicies {
        private final CallState state = CallState.current();

        @Test
        void makes_one_snapshot_when_it_is_read() {
            repeated(3, () -> {
                CallContext snapshot = CallContext.current();
                assertThat(snapshot.attempt()).isEqualTo(3);
                assertThat(snapshot.repeating()).isTrue();
                assertThat(CallContext.current()).isSameAs(snapshot);
            });
        }

        @Test
        void is_what_it_was_afterwards_whether_it_was_read_inside_or_not() {
            CallContext mine = NONE.withAttempt(7);
            mine.call((Action<RuntimeException>) () -> {
                repeated(2, () -> {});
                assertThat(CallContext.current()).isSameAs(mine);
                repeated(2, CallContext::current);
                assertThat(CallContext.current()).isSameAs(mine);
            });
        }

        @Test
        void a_deadline_only_gets_shorter_and_the_snapshots_follow() {
            narrowed(100, () -> {
                assertThat(left()).isEqualTo(100);
                narrowed(500, () -> assertThat(left()).isEqualTo(100));
                narrowed(10, () -> assertThat(left()).isEqualTo(10));
                assertThat(left()).isEqualTo(100);
                repeated(2, () -> assertThat(left()).isEqualTo(100));
            });
        }

        @Test
        void a_deadline_of_another_clock_is_refused() {
            NanoClock other = () -> 0;
            assertThatIllegalArgumentException()
                    .isThrownBy(() -> narrowed(100, () -> state.narrow(other, 5)))
                    .withMessageStartingWith("deadlines of different clocks: ");
        }

        @Test
        void a_deadline_that_never_comes_gives_way_to_any() {
            NONE.withDeadline(Deadline.afterNanos(Long.MAX_VALUE, clock)).call((Action<RuntimeException>) () -> {
                assertThat(left()).isEqualTo(Nanos.NEVER);
                narrowed(10, () -> assertThat(left()).isEqualTo(10));
            });
        }

        @Test
        void works_across_the_wrap_of_the_clock() {
            NanoClock late = () -> Long.MAX_VALUE - 5;
            state.narrow(late, late.nanoTime() + 10); // wraps
            try {
                assertThat(left()).isEqualTo(10);
                state.narrow(late, Long.MAX_VALUE - 2);
                assertThat(left()).isEqualTo(3);
            } finally {
                state.restoreDeadline(null, 0, null);
            }
        }

        private void repeated(int attempt, Runnable work) {
            long marks = state.marks();
            Object snapshot = state.snapshot();
            state.repeat(attempt, true, true);
            try {
                work.run();
            } finally {
                state.restoreMarks(marks, snapshot);
            }
        }

        private void narrowed(long nanos, Runnable work) {
            Object clockBefore = state.clock();
            long before = state.deadlineNanos();
            Object snapshot = state.snapshot();
            state.narrow(clock, clock.nanoTime() + nanos);
            try {
                work.run();
            } finally {
                state.restoreDeadline(clockBefore, before, snapshot);
            }
        }

        private long left() {
            return CallContext.current().deadline().remainingNanos();
        }
    }

    @Nested
    class Marks {
        @Test
        void what_is_not_idempotent_says_so_inside_and_not_afterwards() throws IOException {
            CallContext seen = CallContext.notIdempotent(CallContext::current);
            assertThat(seen.idempotent()).isFalse();
            assertThat(CallContext.current()).isSameAs(NONE);
            assertThatThrownBy(() -> CallContext.notIdempotent(() -> {
                        throw new IOException("through");
                    }))
                    .isInstanceOf(IOException.class);
            assertThat(CallContext.current()).isSameAs(NONE);
        }

        @Test
        void that_a_policy_repeats_can_be_written_and_reset() {
            CallContext repeating = NONE.withRepeating(true);
            assertThat(repeating.repeating()).isTrue();
            assertThat(repeating).hasToString("attempt 1, repeated further out");
            assertThat(repeating.withRepeating(true)).isSameAs(repeating);
            assertThat(repeating.withAttempt(2).withIdempotent(false).repeating())
                    .isTrue();
            repeating.call((Action<RuntimeException>) () -> {
                assertThat(CallContext.current()).isSameAs(repeating);
                CallContext.current().withRepeating(false).call((Action<RuntimeException>)
                        () -> assertThat(CallContext.current().repeating()).isFalse());
            });
        }
    }

    @Nested
    class Carrying {
        private final List<Runnable> queue = new ArrayList<>();
        private final Executor carrying = CallContext.carrying(queue::add);
        private final List<Integer> attempts = new ArrayList<>();

        private void submit() {
            carrying.execute(() -> attempts.add(CallContext.current().attempt()));
        }

        @Test
        void runs_each_task_in_the_context_in_which_it_was_submitted() {
            submit();
            NONE.withAttempt(2).call((Action<RuntimeException>) this::submit);
            NONE.withAttempt(3).call((Action<RuntimeException>) this::submit);

            NONE.withAttempt(9).call((Action<RuntimeException>) () -> queue.forEach(Runnable::run));

            assertThat(attempts).containsExactly(1, 2, 3);
        }

        @Test
        void carries_the_deadline_and_both_marks() {
            CallContext whole = NONE.withDeadline(Deadline.afterNanos(10, clock))
                    .withIdempotent(false)
                    .withRepeating(true);
            List<CallContext> seen = new ArrayList<>();
            whole.call((Action<RuntimeException>) () -> carrying.execute(() -> seen.add(CallContext.current())));

            queue.forEach(Runnable::run);

            assertThat(seen).containsExactly(whole);
        }

        @Test
        void leaves_nothing_on_the_thread_of_the_executor() {
            NONE.withAttempt(2).call((Action<RuntimeException>) this::submit);

            queue.get(0).run();

            assertThat(CallContext.current()).isSameAs(NONE);
        }

        @Test
        void refuses_null_at_once() {
            assertThatNullPointerException()
                    .isThrownBy(() -> carrying.execute(null))
                    .withMessage("task");
            assertThatNullPointerException()
                    .isThrownBy(() -> CallContext.carrying(null))
                    .withMessage("executor");
        }
    }
}
