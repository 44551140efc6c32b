package dev.levee.core.policy;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;

import dev.levee.core.CallContext;
import dev.levee.core.CountingGate;
import dev.levee.core.Deadline;
import dev.levee.core.Environment;
import dev.levee.core.Gate;
import dev.levee.core.Outcomes;
import dev.levee.core.RefusedException;
import dev.levee.core.Verdict;
import dev.levee.core.testing.ManualTime;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Iterator;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentLinkedDeque;
import java.util.concurrent.Executor;
import java.util.concurrent.TimeUnit;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Whose turn it is in the queue of a bulkhead, and what it costs to give up. */
class BulkheadQueueTest {
    private static final Duration HOUR = Duration.ofHours(1);
    private static final long WORK = Duration.ofMillis(20).toNanos();

    private ManualTime time = new ManualTime();
    private Environment environment = time.environment();
    private final List<String> begun = new ArrayList<>();

    private Bulkhead bulkhead(int permits, int queue) {
        return Bulkhead.of("db", config -> config.maxConcurrent(permits).queue(queue, HOUR), environment);
    }

    private Deadline in(long nanos) {
        return Deadline.afterNanos(nanos, environment.clock());
    }

    private CompletableFuture<String> call(Gate gate, String name, Deadline deadline, long nanos) {
        return CallContext.current()
                .withDeadline(deadline)
                .call(() -> gate.callAsync(() -> {
                    begun.add(name);
                    CompletableFuture<String> stage = new CompletableFuture<>();
                    environment.scheduler().schedule(() -> stage.complete(name), nanos);
                    return stage;
                }));
    }

    /** Lets calls wait and end, so that it is known how long they take. */
    private void learn(Gate bulkhead, long nanos) {
        for (int call = 0; call < 3; call++) {
            call(bulkhead, "learning", Deadline.after(Deadline.FOREVER, environment.clock()), nanos);
        }
        time.advance(Duration.ofNanos(3 * nanos));
        begun.clear();
    }

    @Nested
    class ACallWithoutEnoughTime {
        private final CountingGate outside = new CountingGate(Bulkhead.of("outside", 99, environment));
        private final Bulkhead bulkhead = bulkhead(1, 99);

        @Test
        void is_refused_when_its_turn_comes_with_a_message_that_says_so_and_no_evidence() {
            learn(bulkhead, WORK);
            call(bulkhead, "holder", in(10 * WORK), WORK);
            CompletableFuture<String> late = outside.callAsync(() -> call(bulkhead, "late", in(2 * WORK), WORK));
            CompletableFuture<String> next = call(bulkhead, "next", in(9 * WORK), WORK);
            time.advance(Duration.ofNanos(WORK));
            assertThat(late).isDone();
            Throwable refused = Outcomes.unwrap(catchThrowable(late::join));
            assertThat(refused)
                    .isInstanceOf(BulkheadFullException.class)
                    .hasMessageStartingWith("bulkhead \"db\" is full: 1 calls in flight, 99 may wait up to PT1H")
                    .hasMessageEndingWith("not begun, because calls take longer at present than it has time left");
            assertThat(Outcomes.mayHaveRun(refused)).isFalse();
            assertThat(outside.verdicts()).containsExactly(Verdict.IGNORED);
            time.advance(HOUR);
            assertThat(begun).containsExactly("holder", "next");
            assertThat(next).isCompletedWithValue("next");
        }

        @Test
        void is_refused_at_once_if_it_would_have_to_wait() {
            learn(bulkhead, WORK);
            call(bulkhead, "holder", in(10 * WORK), WORK);
            CompletableFuture<String> hopeless = call(bulkhead, "hopeless", in(WORK), WORK);
            assertThat(hopeless).isDone();
            assertThat(catchThrowable(hopeless::join)).hasMessageContaining("was not begun");
            assertThat(bulkhead.waiting()).isZero();
        }

        @Test
        void is_told_so_on_a_thread_that_waits_too() {
            learn(bulkhead, WORK);
            call(bulkhead, "holder", in(10 * WORK), WORK);
            Throwable[] seen = new Throwable[2];
            for (int thread = 0; thread < 2; thread++) {
                int number = thread;
                time.start(() -> seen[number] = catchThrowable(() -> CallContext.current()
                        .withDeadline(in((number + 1) * WORK))
                        .run(() -> bulkhead.run(() -> begun.add("never")))));
            }
            time.advance(Duration.ofNanos(WORK));
            assertThat(seen)
                    .allSatisfy(it -> assertThat(it)
                            .isInstanceOf(BulkheadFullException.class)
                            .hasMessageContaining("was not begun"));
            assertThat(begun).containsExactly("holder");
        }

        @Test
        void takes_a_permit_that_is_free_all_the_same() {
            learn(bulkhead, WORK);
            assertThat(call(bulkhead, "quick", in(WORK / 2), 1)).isNotCompletedExceptionally();
            assertThat(begun).containsExactly("quick");
        }

        @Test
        void is_begun_if_the_bulkhead_is_told_to() {
            Bulkhead lenient = Bulkhead.of(
                    "db", config -> config.maxConcurrent(1).queue(9, HOUR).refuseWithoutTime(false), environment);
            learn(lenient, WORK);
            call(lenient, "holder", in(10 * WORK), WORK);
            call(lenient, "late", in(WORK + 1), WORK);
            time.advance(Duration.ofNanos(WORK));
            assertThat(begun).containsExactly("holder", "late");
        }

        @Test
        void is_begun_when_it_has_not_been_known_for_a_second_how_long_calls_take() {
            learn(bulkhead, 10 * WORK);
            time.advance(Duration.ofNanos(10 * WORK).plusSeconds(1).plusNanos(1));
            call(bulkhead, "holder", in(10 * WORK), WORK);
            CompletableFuture<String> next = call(bulkhead, "next", in(3 * WORK), WORK);
            time.advance(HOUR);
            assertThat(next).isCompletedWithValue("next");
        }
    }

    @Nested
    class TheOrder {
        private final Bulkhead bulkhead = bulkhead(1, 99);

        private void queue(long nanos, String... names) {
            for (String name : names) {
                call(bulkhead, name, in(nanos), WORK);
            }
        }

        @Test
        void is_first_come_first_served_as_long_as_the_first_has_time_for_two_calls() {
            learn(bulkhead, WORK);
            queue(6 * WORK, "a", "b", "c", "d", "e");
            time.advance(HOUR);
            assertThat(begun).containsExactly("a", "b", "c", "d", "e");
        }

        @Test
        void is_newest_first_when_the_first_has_not() {
            learn(bulkhead, WORK);
            queue(3 * WORK - 1, "a", "b", "c");
            time.advance(Duration.ofNanos(WORK / 2));
            queue(3 * WORK - 1, "d", "e");
            time.advance(HOUR);
            assertThat(begun).containsExactly("a", "e", "d");
        }

        @Test
        void is_first_come_first_served_if_the_bulkhead_is_told_so() {
            Bulkhead strict = Bulkhead.of(
                    "db", config -> config.maxConcurrent(1).queue(9, HOUR).newestFirstWhenLate(false), environment);
            learn(strict, WORK);
            for (String name : List.of("a", "b", "c", "d")) {
                call(strict, name, in(3 * WORK + 1), WORK);
            }
            time.advance(HOUR);
            assertThat(begun).as("the fourth has no time left").containsExactly("a", "b", "c");
        }

        @Test
        void does_not_starve_a_call_without_a_deadline_among_others_that_are_late() {
            learn(bulkhead, WORK);
            queue(3 * WORK, "holder", "early");
            CompletableFuture<String> patient = bulkhead.callAsync(() -> {
                begun.add("patient");
                return CompletableFuture.completedFuture("patient");
            });
            for (int round = 0; round < 20 && !patient.isDone(); round++) {
                queue(3 * WORK, "x" + round, "y" + round);
                time.advance(Duration.ofNanos(WORK));
            }
            assertThat(patient).isCompletedWithValue("patient");
        }

        @Test
        void counts_in_time_that_wraps() {
            time = ManualTime.startingAt(Long.MAX_VALUE - 7 * WORK / 2);
            environment = time.environment();
            new TheOrder().is_newest_first_when_the_first_has_not();
        }
    }

    /** The order in which waiters give up. */
    enum GivingUp {
        OLDEST_FIRST,
        NEWEST_FIRST,
        AT_RANDOM,
        ALL_BUT_THE_OLDEST
    }

    @ParameterizedTest
    @EnumSource
    void giving_up_costs_the_same_however_long_the_queue_is(GivingUp order) {
        assertThat(stepsOfGivingUp(order, 20_000)).isLessThan(12 * 20_000L);
        assertThat(stepsOfGivingUp(order, 5_000)).isLessThan(12 * 5_000L);
    }

    private static long stepsOfGivingUp(GivingUp order, int count) {
        CountedDeque deque = new CountedDeque();
        BulkheadQueue queue =
                new BulkheadQueue(BulkheadConfig.builder().queue(count, HOUR).build(), deque);
        List<BulkheadWaiter> waiters = new ArrayList<>();
        for (int waiter = 0; waiter < count; waiter++) {
            waiters.add(new BulkheadWaiter(queue, null, 0, 1_000, 1_000));
            assertThat(queue.add(waiters.get(waiter))).isTrue();
        }
        switch (order) {
            case OLDEST_FIRST -> {}
            case NEWEST_FIRST -> Collections.reverse(waiters);
            case AT_RANDOM -> Collections.shuffle(waiters, new Random(1));
            case ALL_BUT_THE_OLDEST -> waiters.remove(0);
        }
        deque.steps = 0;
        int most = 0;
        for (BulkheadWaiter waiter : waiters) {
            waiter.cancel(false);
            most = Math.max(most, deque.entries - 2 * queue.waiting());
        }
        long steps = deque.steps;
        assertThat(queue.waiting()).isEqualTo(order == GivingUp.ALL_BUT_THE_OLDEST ? 1 : 0);
        assertThat(most).as("entries beyond twice those that wait").isLessThan(70);
        return steps;
    }

    /** Counts entries that are added, looked at, taken out or walked over. */
    private static final class CountedDeque extends ConcurrentLinkedDeque<BulkheadWaiter> {
        private static final long serialVersionUID = 1L;

        long steps;
        int entries;

        @Override
        public void addLast(BulkheadWaiter waiter) {
            steps++;
            entries++;
            super.addLast(waiter);
        }

        @Override
        public BulkheadWaiter peekFirst() {
            steps++;
            return super.peekFirst();
        }

        @Override
        public BulkheadWaiter pollFirst() {
            return polled(super.pollFirst());
        }

        @Override
        public BulkheadWaiter pollLast() {
            return polled(super.pollLast());
        }

        private BulkheadWaiter polled(BulkheadWaiter waiter) {
            steps++;
            entries -= waiter == null ? 0 : 1;
            return waiter;
        }

        @Override
        public boolean remove(Object waiter) {
            steps += entries; // as a linked list does, where it comes last
            entries--;
            return super.remove(waiter);
        }

        @Override
        public Iterator<BulkheadWaiter> iterator() {
            Iterator<BulkheadWaiter> all = super.iterator();
            return new Iterator<>() {
                @Override
                public boolean hasNext() {
                    return all.hasNext();
                }

                @Override
                public BulkheadWaiter next() {
                    steps++;
                    return all.next();
                }

                @Override
                public void remove() {
                    steps++;
                    entries--;
                    all.remove();
                }
            };
        }
    }

    @Test
    void waiters_whose_deadlines_pass_together_are_one_task_of_the_timers() {
        int[] tasks = {0};
        List<Runnable> executor = new ArrayList<>();
        Environment counting = environment.toBuilder()
                .executor(task -> {
                    tasks[0]++;
                    executor.add(task);
                })
                .build();
        Bulkhead bulkhead = Bulkhead.of("db", config -> config.maxConcurrent(1).queue(8_000, HOUR), counting);
        bulkhead.tryEnter(0);
        List<CompletableFuture<Long>> turns = new ArrayList<>();
        for (int waiter = 0; waiter < 8_000; waiter++) {
            turns.add(bulkhead.enterAsync(in(WORK)));
        }
        time.advance(Duration.ofNanos(WORK));
        assertThat(tasks[0]).isOne();
        assertThat(turns).noneMatch(CompletableFuture::isDone);
        executor.get(0).run();
        assertThat(turns).allMatch(turn -> turn.getNow(1L) == Gate.REFUSED);
        assertThat(bulkhead.waiting()).isZero();
    }

    @Test
    void a_task_that_the_executor_loses_is_handed_over_again_for_the_next_waiter() {
        List<Runnable> tasks = new ArrayList<>();
        Executor lossy = tasks::add;
        Bulkhead bulkhead = Bulkhead.of(
                "db",
                config -> config.maxConcurrent(1).queue(9, HOUR),
                environment.toBuilder().executor(lossy).build());
        bulkhead.tryEnter(0);
        CompletableFuture<Long> first = bulkhead.enterAsync(in(WORK));
        CompletableFuture<Long> second = bulkhead.enterAsync(in(2 * WORK));
        time.advance(Duration.ofNanos(WORK));
        tasks.clear(); // lost
        time.advance(Duration.ofNanos(WORK));
        assertThat(tasks).hasSize(1);
        tasks.get(0).run();
        assertThat(first).isCompletedWithValue(Gate.REFUSED);
        assertThat(second).isCompletedWithValue(Gate.REFUSED);
    }

    @Test
    void a_turn_that_is_ended_by_its_holder_is_counted_out() {
        Bulkhead bulkhead = bulkhead(1, 3);
        bulkhead.tryEnter(0);
        bulkhead.enterAsync(in(WORK)).completeExceptionally(new IllegalStateException());
        bulkhead.enterAsync(in(WORK)).complete(Gate.REFUSED);
        bulkhead.enterAsync(in(WORK)).cancel(true);
        assertThat(bulkhead.waiting()).isZero();
        bulkhead.exit(1, 0, 0, Verdict.SUCCESS, RefusedException.UNKNOWN);
        assertThat(bulkhead.tryEnter(0)).isNotEqualTo(Gate.REFUSED);
    }

    /** Random histories with deadlines, against a plain list with the same rule. */
    @Property(tries = 100)
    void the_order_is_what_a_plain_model_says_and_nothing_is_lost(@ForAll long seed) {
        new Model(new ManualTime(), new Random(seed)).play();
    }

    /** Calls of one duration, so that it is known exactly; a list of those that wait, oldest first. */
    private static final class Model {
        private record Waiting(CompletableFuture<Long> turn, long endNanos, boolean finite) {}

        private final ManualTime time;
        private final Random random;
        private final int permits;
        private final Bulkhead bulkhead;
        private final List<Long> held = new ArrayList<>();
        private final List<Long> heldUntil = new ArrayList<>();
        private final List<Waiting> waiting = new ArrayList<>();
        private boolean known;
        private long toldNanos;

        Model(ManualTime time, Random random) {
            this.time = time;
            this.random = random;
            this.permits = 1 + random.nextInt(3);
            this.bulkhead =
                    Bulkhead.of("db", config -> config.maxConcurrent(permits).queue(20, HOUR), time.environment());
        }

        void play() {
            for (int step = 0; step < 200; step++) {
                switch (random.nextInt(6)) {
                    case 0, 1, 2 -> arrive();
                    case 3 -> giveUp();
                    default -> pass(1 + random.nextInt((int) WORK));
                }
                check();
            }
            while (!held.isEmpty()) {
                pass(WORK);
                check();
            }
            assertThat(waiting).isEmpty();
            assertThat(bulkhead.inFlight()).isZero();
            for (int permit = 0; permit < permits; permit++) {
                assertThat(bulkhead.tryEnter(0)).isNotEqualTo(Gate.REFUSED);
            }
        }

        private void check() {
            assertThat(bulkhead.inFlight()).isEqualTo(held.size()).isLessThanOrEqualTo(permits);
            assertThat(bulkhead.waiting()).isEqualTo(waiting.size());
            assertThat(waiting).noneMatch(it -> it.turn.isDone());
            assertThat(waiting.isEmpty() || held.size() == permits)
                    .as("no permit is idle")
                    .isTrue();
        }

        private long typical() {
            return known && time.nanoTime() - toldNanos - WORK <= TimeUnit.SECONDS.toNanos(1) ? WORK : 0;
        }

        private void arrive() {
            boolean finite = random.nextInt(8) != 0;
            long nanos = (long) (random.nextDouble() * 6 * WORK) + 1;
            Deadline deadline = Deadline.after(
                    finite ? Duration.ofNanos(nanos) : Deadline.FOREVER,
                    time.environment().clock());
            CompletableFuture<Long> turn = bulkhead.enterAsync(deadline);
            if (held.size() < permits) {
                assertThat(turn).isCompletedWithValueMatching(it -> it != Gate.REFUSED);
                begin(turn);
            } else if (waiting.size() == 20 || (finite && nanos <= typical())) {
                assertThat(turn).isCompletedWithValue(Gate.REFUSED);
            } else {
                assertThat(turn).isNotDone();
                waiting.add(new Waiting(turn, time.nanoTime() + nanos, finite));
            }
        }

        private void begin(CompletableFuture<Long> turn) {
            held.add(turn.join());
            heldUntil.add(time.nanoTime() + WORK);
        }

        private void giveUp() {
            if (!waiting.isEmpty()) {
                assertThat(waiting.remove(random.nextInt(waiting.size())).turn.cancel(false))
                        .isTrue();
            }
        }

        /** Goes from event to event: deadlines first, then the calls that end. */
        private void pass(long nanos) {
            long end = time.nanoTime() + nanos;
            while (true) {
                long next = end;
                for (long until : heldUntil) {
                    next = Math.min(next, until);
                }
                for (Waiting waiter : waiting) {
                    next = waiter.finite ? Math.min(next, waiter.endNanos) : next;
                }
                time.advance(Duration.ofNanos(next - time.nanoTime()));
                waiting.removeIf(it -> {
                    boolean over = it.finite && it.endNanos - time.nanoTime() <= 0;
                    assertThat(over && it.turn.getNow(1L) != Gate.REFUSED).isFalse();
                    return over;
                });
                for (int call = 0; call < held.size(); ) {
                    if (heldUntil.get(call) - time.nanoTime() <= 0) {
                        end(call);
                        call = 0;
                    } else {
                        call++;
                    }
                }
                if (next == end) {
                    return;
                }
            }
        }

        private void end(int call) {
            heldUntil.remove(call);
            long stamp = held.remove(call);
            if (stamp > 255) { // it has waited
                known = true;
                toldNanos = time.nanoTime();
            }
            bulkhead.exit(stamp, 0, 0, Verdict.SUCCESS, RefusedException.UNKNOWN);
            long now = time.nanoTime();
            int refused = 0;
            while (!waiting.isEmpty()) {
                Waiting oldest = waiting.get(0);
                long left = oldest.finite ? oldest.endNanos - now : Long.MAX_VALUE;
                if (left <= typical() && refused < 8) {
                    refused++;
                    waiting.remove(0);
                    assertThat(oldest.turn).isCompletedWithValue(Gate.REFUSED);
                    continue;
                }
                Waiting next = waiting.remove(left / 2 < typical() ? waiting.size() - 1 : 0);
                if (next.finite && next.endNanos - now <= typical()) {
                    assertThat(next.turn).isCompletedWithValue(Gate.REFUSED);
                    continue;
                }
                assertThat(next.turn).isCompletedWithValueMatching(it -> it != Gate.REFUSED);
                begin(next.turn);
                return;
            }
        }
    }
}
