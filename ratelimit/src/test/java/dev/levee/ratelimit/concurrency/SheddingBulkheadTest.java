package dev.levee.ratelimit.concurrency;

import static java.time.Duration.ofMillis;
import static java.time.Duration.ofSeconds;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowable;

import dev.levee.core.CallContext;
import dev.levee.core.Criticality;
import dev.levee.core.Deadline;
import dev.levee.core.Environment;
import dev.levee.core.Gate;
import dev.levee.core.InterruptedWaitException;
import dev.levee.core.Operation;
import dev.levee.core.Outcomes;
import dev.levee.core.Pipeline;
import dev.levee.core.Readings;
import dev.levee.core.RefusedException;
import dev.levee.core.Verdict;
import dev.levee.core.policy.Timeout;
import dev.levee.core.testing.ManualTime;
import dev.levee.core.testing.RecordingListener;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** A bulkhead whose queue sheds: whose turn it is, which calls are refused, why, and that no permit is lost. */
class SheddingBulkheadTest {
    private ManualTime time = new ManualTime();
    private Environment environment = time.environment();
    private final List<String> begun = new ArrayList<>();
    private final List<CompletableFuture<String>> running = new ArrayList<>();
    private SheddingBulkhead bulkhead = bulkhead(1, 100);

    private SheddingBulkhead bulkhead(int permits, int queue) {
        return SheddingBulkhead.of("db", c -> c.maxConcurrent(permits).maxWaiting(queue), environment);
    }

    private CompletableFuture<String> call(String name, Criticality criticality) {
        return CallContext.current()
                .withCriticality(criticality)
                .call(() -> bulkhead.callAsync(() -> {
                    begun.add(name);
                    CompletableFuture<String> work = new CompletableFuture<>();
                    running.add(work);
                    return work;
                }));
    }

    private CompletableFuture<String> call(String name) {
        return call(name, Criticality.CRITICAL);
    }

    private CompletableFuture<String> call(String name, long leftNanos) {
        return CallContext.current()
                .withDeadline(Deadline.afterNanos(leftNanos, environment.clock()))
                .call(() -> call(name));
    }

    /** Ends the call that was begun last, and lets what follows happen. */
    private void end() {
        running.remove(running.size() - 1).complete("done");
        time.runReady();
    }

    private static ShedReason reasonOf(CompletableFuture<?> refused) {
        assertThat(refused).isCompletedExceptionally();
        Throwable thrown = Outcomes.unwrap(catchThrowable(refused::join));
        assertThat(thrown).isInstanceOf(ShedException.class);
        return ((ShedException) thrown).reason();
    }

    /** A clock of a user that fails: the call that fails has no place in the queue, where it would get a permit. */
    @Test
    void a_call_that_fails_while_it_joins_the_queue_is_not_given_a_permit() {
        AtomicInteger readings = new AtomicInteger(Integer.MIN_VALUE);
        Environment failing = environment.toBuilder()
                .clock(() -> {
                    if (readings.incrementAndGet() == 1) {
                        throw new IllegalStateException("no time");
                    }
                    return time.nanoTime();
                })
                .build();
        bulkhead = SheddingBulkhead.of("db", c -> c.maxConcurrent(1).maxWaiting(9), failing);
        Deadline deadline = Deadline.after(Deadline.FOREVER, failing.clock());
        long holder = bulkhead.tryEnter(0);
        CompletableFuture<Long> first = bulkhead.enterAsync(deadline);
        readings.set(0);
        assertThatThrownBy(() -> exit(holder)).hasMessage("no time");
        readings.set(-1); // the time at which the next one comes
        assertThatThrownBy(() -> bulkhead.enterAsync(deadline)).hasMessage("no time");
        CompletableFuture<Long> last = bulkhead.enterAsync(deadline);
        time.runReady();
        exit(first.join());
        time.runReady();
        assertThat(last).isDone();
        exit(last.join());
        assertThat(bulkhead.inFlight()).isZero();
    }

    private void exit(long stamp) {
        bulkhead.exit(stamp, 0, 0, Verdict.SUCCESS, RefusedException.UNKNOWN);
    }

    @Nested
    class TheOrder {
        @Test
        void is_by_criticality_and_within_it_first_come_first_served() {
            call("holder");
            call("a", Criticality.SHEDDABLE);
            call("b", Criticality.CRITICAL);
            call("c", Criticality.SHEDDABLE_PLUS);
            call("d", Criticality.CRITICAL_PLUS);
            call("e", Criticality.CRITICAL);
            call("f", Criticality.SHEDDABLE);
            for (int ended = 0; ended < 7; ended++) {
                end();
            }
            assertThat(begun).containsExactly("holder", "d", "b", "e", "c", "a", "f");
            assertThat(bulkhead.inFlight()).isZero();
        }

        @Test
        void is_newest_first_within_a_criticality_while_the_queue_is_a_standing_one() {
            bulkhead = SheddingBulkhead.of("db", c -> c.maxConcurrent(1).waitControl(WaitControl.CODEL), environment);
            call("holder");
            call("a");
            call("b");
            time.advance(ofMillis(100));
            call("c");
            call("s1", Criticality.SHEDDABLE);
            call("s2", Criticality.SHEDDABLE);
            end(); // 100 ms are not more than the interval
            time.advance(Duration.ofNanos(1));
            call("d");
            for (int ended = 0; ended < 6; ended++) {
                end();
            }
            assertThat(begun).containsExactly("holder", "a", "d", "c", "b", "s2", "s1");
        }

        @Test
        void is_first_come_first_served_again_when_the_queue_was_empty() {
            newestFirstThenEmpty();
            begun.clear();
            call("holder");
            call("x");
            call("y");
            for (int ended = 0; ended < 3; ended++) {
                end();
            }
            assertThat(begun).containsExactly("holder", "x", "y");
        }

        private void newestFirstThenEmpty() {
            bulkhead = SheddingBulkhead.of("db", c -> c.maxConcurrent(1).waitControl(WaitControl.CODEL), environment);
            call("holder");
            call("a");
            time.advance(ofMillis(101));
            call("b");
            for (int ended = 0; ended < 3; ended++) {
                end();
            }
            assertThat(begun).containsExactly("holder", "b", "a");
        }

        @Test
        void stays_first_come_first_served_if_told_so() {
            bulkhead = SheddingBulkhead.of(
                    "db", c -> c.maxConcurrent(1).waitControl(WaitControl.CODEL).newestFirst(false), environment);
            call("holder");
            call("a");
            time.advance(ofSeconds(1));
            call("b");
            end();
            end();
            assertThat(begun).containsExactly("holder", "a", "b");
        }

        @Test
        void lets_no_call_that_comes_go_before_one_that_waits() {
            bulkhead = bulkhead(2, 100);
            call("a");
            call("b");
            call("c", Criticality.SHEDDABLE);
            bulkhead.setMaxConcurrent(1);
            running.remove(0).complete("done");
            assertThat(bulkhead.tryEnter(0)).isEqualTo(Gate.REFUSED);
            time.runReady();
            end();
            assertThat(begun).containsExactly("a", "b", "c");
        }

        @Test
        void counts_in_time_that_wraps() {
            time = ManualTime.startingAt(Long.MAX_VALUE - ofMillis(50).toNanos());
            environment = time.environment();
            is_newest_first_within_a_criticality_while_the_queue_is_a_standing_one();
        }
    }

    @Nested
    class WaitsAreBounded {
        @Test
        void by_the_interval_if_the_queue_was_empty_within_it() {
            call("holder");
            CompletableFuture<String> first = call("a");
            time.advance(ofMillis(100).minusNanos(1));
            assertThat(first).isNotDone();
            time.advance(Duration.ofNanos(1));
            assertThat(reasonOf(first)).isEqualTo(ShedReason.WAITED);
            assertThat(bulkhead.waiting()).isZero();
            assertThat(bulkhead.refused(ShedReason.WAITED)).isOne();
        }

        @Test
        void by_the_target_in_a_standing_queue() {
            call("holder");
            call("a");
            time.advance(ofMillis(60));
            CompletableFuture<String> second = call("b"); // may wait until 160
            time.advance(ofMillis(41));
            CompletableFuture<String> third = call("c"); // the queue was empty 101 ms ago
            time.advance(ofMillis(5).minusNanos(1));
            assertThat(third).isNotDone();
            time.advance(Duration.ofNanos(1));
            assertThat(reasonOf(third)).isEqualTo(ShedReason.WAITED);
            assertThat(second).isNotDone();
            time.advance(ofMillis(54));
            assertThat(reasonOf(second)).isEqualTo(ShedReason.WAITED);
            CompletableFuture<String> fourth = call("d"); // it was empty just now
            time.advance(ofMillis(99));
            assertThat(fourth).isNotDone();
        }

        @Test
        void by_a_maximum() {
            bulkhead = SheddingBulkhead.of("db", c -> c.maxConcurrent(1).maxWait(ofMillis(20)), environment);
            call("holder");
            CompletableFuture<String> first = call("a");
            time.advance(ofMillis(20));
            assertThat(reasonOf(first)).isEqualTo(ShedReason.WAITED);
        }

        @Test
        void by_the_deadline() {
            call("holder");
            CompletableFuture<String> first = call("a", ofMillis(30).toNanos());
            time.advance(ofMillis(30));
            assertThat(reasonOf(first)).isEqualTo(ShedReason.LATE);
        }

        @Test
        void by_codel_which_drops_the_oldest_of_the_least_critical() {
            bulkhead = SheddingBulkhead.of(
                    "db", c -> c.maxConcurrent(1).waitControl(WaitControl.CODEL).newestFirst(false), environment);
            call("holder");
            for (int call = 0; call < 20; call++) {
                call("c" + call);
            }
            CompletableFuture<String> oldest = call("s0", Criticality.SHEDDABLE);
            call("s1", Criticality.SHEDDABLE);
            time.advance(ofMillis(6));
            end(); // above the target for the first time
            time.advance(ofMillis(99));
            end();
            assertThat(oldest).isNotDone();
            time.advance(ofMillis(1));
            end(); // for an interval
            assertThat(reasonOf(oldest)).isEqualTo(ShedReason.WAITED);
            assertThat(begun).containsExactly("holder", "c0", "c1", "c2");
            assertThat(bulkhead.refused(ShedReason.WAITED)).isOne();
        }
    }

    @Nested
    class AFullQueue {
        @Test
        void sheds_the_newest_of_the_least_critical_for_a_more_critical_call() {
            bulkhead = bulkhead(1, 4);
            call("holder");
            CompletableFuture<String> a = call("a", Criticality.SHEDDABLE);
            CompletableFuture<String> b = call("b", Criticality.SHEDDABLE);
            CompletableFuture<String> c = call("c", Criticality.SHEDDABLE_PLUS);
            call("d");
            call("e");
            time.runReady();
            assertThat(reasonOf(b)).isEqualTo(ShedReason.DISPLACED);
            call("f", Criticality.SHEDDABLE_PLUS);
            time.runReady();
            assertThat(reasonOf(a)).isEqualTo(ShedReason.DISPLACED);
            call("g", Criticality.CRITICAL_PLUS);
            time.runReady();
            assertThat(c).isNotDone();
            assertThat(bulkhead.waiting()).isEqualTo(4);
            assertThat(bulkhead.refused(ShedReason.DISPLACED)).isEqualTo(3);
        }

        @Test
        void refuses_a_call_that_is_no_more_critical_than_the_least() {
            bulkhead = bulkhead(1, 2);
            call("holder");
            call("a");
            call("b", Criticality.SHEDDABLE_PLUS);
            assertThat(reasonOf(call("c", Criticality.SHEDDABLE_PLUS))).isEqualTo(ShedReason.FULL);
            assertThat(reasonOf(call("d", Criticality.SHEDDABLE))).isEqualTo(ShedReason.FULL);
            assertThat(bulkhead.refused(ShedReason.FULL)).isEqualTo(2);
        }

        @Test
        void tells_a_thread_that_it_was_displaced() {
            bulkhead = bulkhead(1, 1);
            call("holder");
            Throwable[] seen = new Throwable[1];
            time.start(() -> CallContext.current()
                    .withCriticality(Criticality.SHEDDABLE)
                    .run(() -> seen[0] = catchThrowable(() -> bulkhead.run(() -> begun.add("never")))));
            time.awaitSleepers(1);
            call("critical");
            time.runReady();
            assertThat(seen[0]).isInstanceOf(ShedException.class);
            assertThat(((ShedException) seen[0]).reason()).isEqualTo(ShedReason.DISPLACED);
        }
    }

    @Nested
    class ACallWithoutEnoughTime {
        private void learn(Duration took) {
            call("holder");
            call("told");
            end();
            time.advance(took);
            end();
            begun.clear();
        }

        @Test
        void is_not_begun_when_its_turn_comes() {
            learn(ofMillis(20));
            call("holder");
            CompletableFuture<String> late = call("late", ofMillis(25).toNanos());
            call("next", ofMillis(90).toNanos());
            time.advance(ofMillis(10));
            end();
            assertThat(reasonOf(late)).isEqualTo(ShedReason.LATE);
            assertThat(begun).containsExactly("holder", "next");
        }

        @Test
        void is_refused_at_once_if_it_would_have_to_wait_but_takes_a_free_permit() {
            learn(ofMillis(20));
            call("holder", ofMillis(1).toNanos());
            assertThat(begun).containsExactly("holder");
            assertThat(reasonOf(call("late", ofMillis(20).toNanos()))).isEqualTo(ShedReason.LATE);
            assertThat(bulkhead.refused(ShedReason.LATE)).isOne();
        }

        @Test
        void is_begun_if_the_bulkhead_is_told_to() {
            bulkhead = SheddingBulkhead.of("db", c -> c.maxConcurrent(1).refuseWithoutTime(false), environment);
            learn(ofMillis(20));
            call("holder");
            call("late", ofMillis(15).toNanos());
            time.advance(ofMillis(10));
            end();
            assertThat(begun).containsExactly("holder", "late");
        }
    }

    @Nested
    class GivingUp {
        @Test
        void by_a_cancel_lets_those_behind_move_up_and_costs_no_permit() {
            call("holder");
            CompletableFuture<String> a = call("a");
            call("b");
            a.cancel(true);
            assertThat(bulkhead.waiting()).isOne();
            end();
            end();
            assertThat(begun).containsExactly("holder", "b");
            assertThat(bulkhead.inFlight()).isZero();
            assertThat(time.pendingTimers()).isZero();
        }

        @Test
        void by_an_interrupt_is_no_refusal() {
            call("holder");
            Throwable[] seen = new Throwable[1];
            Thread thread = time.start(() -> seen[0] = catchThrowable(() -> bulkhead.run(() -> begun.add("never"))));
            time.awaitSleepers(1);
            thread.interrupt();
            time.runReady();
            assertThat(seen[0]).isInstanceOf(InterruptedWaitException.class);
            assertThat(bulkhead.waiting()).isZero();
            end();
            assertThat(bulkhead.inFlight()).isZero();
            assertThat(bulkhead.tryEnter(0)).isNotEqualTo(Gate.REFUSED);
        }

        @Test
        void on_a_thread_that_is_interrupted_already_happens_at_once() {
            call("holder");
            Thread.currentThread().interrupt();
            assertThatThrownBy(() -> bulkhead.callInterruptibly(() -> "never"))
                    .isInstanceOf(InterruptedException.class);
            assertThat(Thread.interrupted()).isFalse();
            assertThat(bulkhead.waiting()).isZero();
        }

        @Test
        void by_a_timeout_further_out_is_a_refusal_of_this_bulkhead() {
            call("holder");
            Pipeline pipeline = Pipeline.of(Timeout.of("t", ofMillis(10), environment), bulkhead);
            CompletableFuture<String> late = pipeline.callAsync(CompletableFuture::new);
            time.advance(ofMillis(10));
            assertThat(reasonOf(late)).isEqualTo(ShedReason.LATE);
            assertThat(bulkhead.waiting()).isZero();
        }

        @Test
        void through_the_bare_future_gives_the_place_up_once() throws Exception {
            long stamp = bulkhead.tryEnter(0);
            Deadline never = Deadline.after(Deadline.FOREVER, environment.clock());
            CompletableFuture<Long> cancelled = bulkhead.enterAsync(never);
            CompletableFuture<Long> failed = bulkhead.enterAsync(never);
            CompletableFuture<Long> completed = bulkhead.enterAsync(never);
            CompletableFuture<Long> next = bulkhead.enterAsync(never);
            assertThat(cancelled.cancel(false)).isTrue();
            assertThat(cancelled.cancel(false)).isFalse();
            assertThat(failed.completeExceptionally(new IllegalStateException()))
                    .isTrue();
            assertThat(completed.complete(Gate.REFUSED)).isTrue();
            assertThat(bulkhead.waiting()).isOne();
            bulkhead.exit(stamp, 0, 0, Verdict.SUCCESS, RefusedException.UNKNOWN);
            assertThat(next).isDone();
            assertThat(next.cancel(false)).isFalse();
            bulkhead.exit(next.join(), 0, 0, Verdict.SUCCESS, RefusedException.UNKNOWN);
            assertThat(bulkhead.inFlight()).isZero();
            assertThat(bulkhead.waiting()).isZero();
        }
    }

    @Nested
    class TheLimit {
        @Test
        void raised_admits_those_that_wait_in_their_order() {
            call("holder");
            call("a", Criticality.SHEDDABLE);
            call("b");
            call("c");
            bulkhead.setMaxConcurrent(3);
            time.runReady();
            assertThat(begun).containsExactly("holder", "b", "c");
            assertThat(bulkhead.maxConcurrent()).isEqualTo(3);
            assertThat(bulkhead.waiting()).isOne();
        }

        @Test
        void lowered_admits_none_until_the_excess_has_ended() {
            bulkhead = bulkhead(3, 100);
            call("a");
            call("b");
            call("c");
            bulkhead.setMaxConcurrent(1);
            call("d");
            end();
            end();
            assertThat(begun).containsExactly("a", "b", "c");
            end();
            assertThat(begun).containsExactly("a", "b", "c", "d");
        }

        @Test
        void a_permit_that_comes_back_twice_mints_none() {
            long stamp = bulkhead.tryEnter(0);
            bulkhead.exit(stamp, 0, 0, Verdict.SUCCESS, RefusedException.UNKNOWN);
            bulkhead.exit(stamp, 0, 0, Verdict.SUCCESS, RefusedException.UNKNOWN);
            assertThat(bulkhead.inFlight()).isZero();
            assertThat(bulkhead.tryEnter(0)).isNotEqualTo(Gate.REFUSED);
            assertThat(bulkhead.tryEnter(0)).isEqualTo(Gate.REFUSED);
        }
    }

    @Nested
    class ARefusal {
        @Test
        void says_by_which_gate_and_why_and_when_to_come_back() {
            bulkhead = bulkhead(1, 1);
            call("holder");
            call("waiter");
            RefusedException refusal = (RefusedException) catchThrowable(() -> bulkhead.run(() -> {}));
            assertThat(refusal)
                    .hasMessage("bulkhead \"db\" refused a call: no permit is free, and in the full queue no call is"
                            + " less critical");
            assertThat(refusal.policy()).isEqualTo("db");
            assertThat(refusal.retryAfterNanos())
                    .as("nothing is known")
                    .isEqualTo(ofMillis(100).toNanos());
            end();
            time.advance(ofMillis(30));
            end();
            assertThat(refusal.retryAfterNanos())
                    .as("a call takes 30 ms")
                    .isEqualTo(ofMillis(30).toNanos());
            assertThat(refusal.getStackTrace()).isEmpty();
            ShedException own = (ShedException) refusal.detached();
            assertThat(own.reason()).isEqualTo(ShedReason.FULL);
            assertThat(own).isNotSameAs(refusal).hasMessage(refusal.getMessage());
        }

        @Test
        void is_heard_once() {
            RecordingListener heard = new RecordingListener();
            environment = time.environment().toBuilder().listener(heard).build();
            bulkhead = bulkhead(1, 1);
            call("holder");
            CompletableFuture<String> displaced = call("a", Criticality.SHEDDABLE);
            call("b");
            call("c");
            time.runReady();
            assertThat(displaced).isDone();
            assertThat(heard.events().stream().filter(event -> event.contains("refused")))
                    .hasSize(2);
        }

        @Test
        void is_counted_by_reason() {
            bulkhead = bulkhead(1, 1);
            call("holder");
            call("a", Criticality.SHEDDABLE);
            call("b");
            call("c");
            Map<String, Double> figures = Readings.of(bulkhead);
            assertThat(figures)
                    .containsEntry("bulkhead.in.flight", 1.0)
                    .containsEntry("bulkhead.waiting", 1.0)
                    .containsEntry("bulkhead.limit", 1.0)
                    .containsEntry("bulkhead.refused.full", 1.0)
                    .containsEntry("bulkhead.refused.displaced", 1.0)
                    .containsEntry("bulkhead.refused.late", 0.0)
                    .containsEntry("bulkhead.refused.waited", 0.0)
                    .hasSize(7);
            assertThat(bulkhead).hasToString("bulkhead \"db\" [1 of 1 in flight, 1 of 1 waiting]");
        }
    }

    @Test
    void many_calls_in_the_queue_of_a_direct_executor_need_no_deep_stack() {
        environment = time.environment().toBuilder().executor(Runnable::run).build();
        bulkhead = bulkhead(1, 100_000);
        CompletableFuture<String> holder = new CompletableFuture<>();
        bulkhead.callAsync(() -> holder);
        int[] ran = new int[1];
        for (int call = 0; call < 100_000; call++) {
            bulkhead.callAsync(() -> {
                ran[0]++;
                return CompletableFuture.completedFuture("done");
            });
        }
        holder.complete("done");
        assertThat(ran[0]).isEqualTo(100_000);
        assertThat(bulkhead.inFlight()).isZero();
    }

    @Test
    void a_scheduler_that_throws_costs_no_place_and_no_permit() {
        environment =
                time.environment().toBuilder().scheduler(new FailingScheduler()).build();
        bulkhead = bulkhead(1, 1);
        long stamp = bulkhead.tryEnter(0);
        Deadline never = Deadline.after(Deadline.FOREVER, environment.clock());
        assertThatThrownBy(() -> bulkhead.enterAsync(never)).hasMessage("no timers");
        assertThatThrownBy(() -> bulkhead.enter(never)).hasMessage("no parking");
        assertThat(bulkhead.waiting()).isZero();
        bulkhead.exit(stamp, 0, 0, Verdict.SUCCESS, RefusedException.UNKNOWN);
        assertThat(bulkhead.inFlight()).isZero();
    }

    private static final class FailingScheduler implements dev.levee.core.Scheduler {
        @Override
        public Timer schedule(Runnable task, long delayNanos) {
            throw new IllegalStateException("no timers");
        }

        @Override
        public void sleep(long nanos) {}

        @Override
        public void park(Object blocker, long nanos) {
            throw new IllegalStateException("no parking");
        }
    }

    @Test
    void what_is_wrong_with_settings_is_named() {
        assertThatThrownBy(() -> SheddingBulkhead.of("db", 0))
                .hasMessage("bulkhead \"db\": maxConcurrent must be at least 1, but was 0");
        assertThatThrownBy(() -> SheddingBulkhead.of("db", c -> c.maxWaiting(0)))
                .hasMessage("bulkhead \"db\": maxWaiting must be at least 1, but was 0");
        assertThatThrownBy(() -> SheddingBulkhead.of("db", c -> c.target(ofMillis(0))))
                .hasMessage("bulkhead \"db\": target must be more than zero, but was 0s");
        assertThatThrownBy(() -> SheddingBulkhead.of("db", c -> c.target(ofMillis(101))))
                .hasMessage("bulkhead \"db\": target must be at most the interval of 100ms, but was 101ms");
        assertThatThrownBy(() -> SheddingBulkhead.of("db", c -> c.interval(Duration.ofHours(2))))
                .hasMessage("bulkhead \"db\": interval must be at most 1h, but was 2h");
        assertThatThrownBy(() -> SheddingBulkhead.of("db", c -> c.maxWait(ofMillis(-1))))
                .hasMessageContaining("maxWait must be more than zero");
        assertThatThrownBy(() -> SheddingBulkhead.of("db", c -> c.waitControl(null)))
                .isInstanceOf(NullPointerException.class)
                .hasMessage("bulkhead \"db\": waitControl");
        assertThatThrownBy(() -> SheddingBulkhead.of(" ", 1)).hasMessageContaining("name must not be blank");
        assertThatThrownBy(() -> bulkhead.setMaxConcurrent(0)).hasMessageContaining("maxConcurrent must be at least 1");
    }

    @Test
    @Tag("allocation")
    void a_call_that_finds_a_permit_allocates_nothing_and_neither_does_a_refusal() {
        SheddingBulkhead system = SheddingBulkhead.of("db", 2);
        Operation<String, RuntimeException> work = () -> "done";
        SheddingBulkhead full = SheddingBulkhead.of("full", 1);
        full.tryEnter(0);
        assertThat(AllocatedBytes.of(() -> {
                    system.call(work);
                    full.tryEnter(0);
                }))
                .isLessThan(64 * 1024);
    }
}
