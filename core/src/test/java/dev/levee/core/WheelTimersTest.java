package dev.levee.core;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.lang.reflect.Field;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.LongRange;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The timers of the machine on a clock that is set by hand, run by the test. */
class WheelTimersTest {
    private static final long TICK = 1L << WheelTimers.TICK_BITS;

    private static WheelTimers timers(AtomicLong clock) {
        return new WheelTimers(clock::get, Environment.system().scheduler(), ignored -> new Thread(), 1);
    }

    @Property
    void nothing_comes_early_nor_later_than_one_tick_wherever_the_clock_stands(
            @ForAll long origin,
            @ForAll @LongRange(max = Long.MAX_VALUE / 4) long before,
            @ForAll @LongRange(max = 1L << 50) long delay) {
        AtomicLong clock = new AtomicLong(origin);
        WheelTimers timers = timers(clock);
        clock.addAndGet(before);
        AtomicInteger ran = new AtomicInteger();
        timers.set(ran::incrementAndGet, clock.get(), delay);

        clock.addAndGet(delay - 1);
        timers.runDue();
        assertThat(ran).as("a moment early").hasValue(delay == 0 ? 1 : 0);
        clock.addAndGet(TICK);
        timers.runDue();
        assertThat(ran).as("a tick later").hasValue(1);
        assertThat(timers.pending()).isZero();
    }

    @ParameterizedTest
    @ValueSource(longs = {Long.MAX_VALUE, Long.MAX_VALUE / 2, Long.MAX_VALUE / 2 + 1})
    void what_never_comes_waits_for_146_years_and_disturbs_no_other_timer(long never) {
        AtomicLong clock = new AtomicLong(Long.MAX_VALUE - 5);
        WheelTimers timers = timers(clock);
        AtomicInteger ran = new AtomicInteger();
        AtomicInteger other = new AtomicInteger();
        Runnable task = ran::incrementAndGet;
        long ticket = timers.set(task, clock.get(), never);
        timers.set(other::incrementAndGet, clock.get(), TICK);

        clock.addAndGet(100L * 365 * 24 * 3600 * 1_000_000_000L);
        timers.runDue();

        assertThat(ran).hasValue(0);
        assertThat(other).hasValue(1);
        assertThat(timers.take(ticket, task)).isTrue();
        assertThat(timers.runDue()).isEqualTo(TimerWheel.NONE);
    }

    @Test
    void a_task_is_cancelled_once_and_leaves_nothing() {
        AtomicLong clock = new AtomicLong();
        WheelTimers timers = timers(clock);
        Runnable task = () -> {};
        long ticket = timers.set(task, 0, TICK);

        assertThat(timers.take(ticket, () -> {}))
                .as("the timer of another task")
                .isFalse();
        assertThat(timers.take(ticket, task)).isTrue();
        assertThat(timers.take(ticket, task)).isFalse();
        assertThat(timers.pending()).isZero();
    }

    @Test
    void a_task_can_be_cancelled_until_it_runs_even_by_another_of_the_same_tick() {
        AtomicLong clock = new AtomicLong();
        WheelTimers timers = timers(clock);
        List<String> ran = new ArrayList<>();
        Runnable second = () -> ran.add("second");
        long[] ticket = new long[1];
        timers.set(() -> ran.add("first, " + timers.take(ticket[0], second)), 0, TICK);
        ticket[0] = timers.set(second, 0, TICK);

        clock.set(TICK);
        timers.runDue();

        assertThat(ran).containsExactly("first, true");
    }

    @Test
    void a_task_that_throws_or_interrupts_does_not_keep_others_from_running() {
        AtomicLong clock = new AtomicLong();
        WheelTimers timers = timers(clock);
        AtomicInteger ran = new AtomicInteger();
        try (CapturedLog log = new CapturedLog(Scheduler.class)) {
            timers.set(
                    () -> {
                        Thread.currentThread().interrupt();
                        throw new AssertionError("mine");
                    },
                    0,
                    1);
            timers.set(() -> ran.set(Thread.currentThread().isInterrupted() ? -1 : 1), 0, 1);
            clock.set(TICK);
            timers.runDue();
            assertThat(log.lines())
                    .singleElement()
                    .asString()
                    .startsWith("WARN A timer task threw: dev.levee.core.WheelTimersTest");
        }
        assertThat(ran).hasValue(1);
    }

    @Test
    void a_task_that_delays_all_others_is_logged() {
        AtomicLong clock = new AtomicLong();
        WheelTimers timers = timers(clock);
        try (CapturedLog log = new CapturedLog(Scheduler.class)) {
            timers.set(() -> clock.addAndGet(999_999_999), 0, 0);
            timers.runDue();
            assertThat(log.lines()).isEmpty();
            timers.set(() -> clock.addAndGet(1_000_000_000), clock.get(), 0);
            timers.runDue();
            assertThat(log.lines())
                    .singleElement()
                    .asString()
                    .startsWith("WARN A timer task took 1000 ms, and all other timers waited: ");
        }
    }

    @Test
    void a_task_that_runs_for_long_is_logged_while_it_runs_by_a_thread_that_sets_a_timer() {
        AtomicLong clock = new AtomicLong();
        WheelTimers timers = timers(clock);
        try (CapturedLog log = new CapturedLog(Scheduler.class)) {
            timers.set(
                    () -> {
                        clock.addAndGet(500_000_000);
                        timers.set(() -> {}, clock.get(), TICK); // a wake-up is planned
                        clock.addAndGet(3_000_000_000L);
                        timers.set(() -> {}, clock.get(), TICK);
                        timers.set(() -> {}, clock.get(), TICK);
                        assertThat(log.lines())
                                .as("while it runs, and once")
                                .singleElement()
                                .asString()
                                .startsWith("WARN A timer task has been running for 3500 ms, and all other timers"
                                        + " wait: dev.levee.core.WheelTimersTest");
                    },
                    0,
                    0);
            timers.runDue();
            assertThat(log.lines()).hasSize(2);
        }
    }

    @Test
    void a_task_that_runs_for_long_once_more_is_logged_once_more() {
        AtomicLong clock = new AtomicLong();
        WheelTimers timers = timers(clock);
        Runnable slow = () -> {
            timers.set(() -> {}, clock.get(), TICK); // a wake-up is planned
            clock.addAndGet(3_000_000_000L);
            timers.set(() -> {}, clock.get(), TICK);
        };
        try (CapturedLog log = new CapturedLog(Scheduler.class)) {
            for (int run = 0; run < 2; run++) {
                timers.set(slow, clock.get(), 0);
                timers.runDue();
            }
            assertThat(log.lines())
                    .filteredOn(line -> line.contains("has been running for 3000 ms"))
                    .hasSize(2);
        }
    }

    @Test
    void a_stripe_that_cannot_be_locked_is_passed_over_and_said_so_once() throws Exception {
        AtomicLong clock = new AtomicLong();
        WheelTimers timers = new WheelTimers(clock::get, new CountingParks(new AtomicInteger()), w -> new Thread(), 1);
        AtomicInteger ran = new AtomicInteger();
        Runnable task = ran::incrementAndGet;
        long[] tickets = onEachStripe(timers, task, TICK);
        clock.set(TICK);
        try (CapturedLog log = new CapturedLog(Scheduler.class)) {
            hold(timers, 0, 1);
            assertThat(timers.runDue()).as("it looks again soon").isBetween(1L, 100L);
            timers.runDue();
            assertThat(ran).as("the timer of the other stripe").hasValue(1);
            assertThat(timers.take(tickets[0], task)).isFalse();
            assertThat(log.lines()).singleElement().asString().startsWith("WARN Some timers are late");
            hold(timers, 0, 0);
            timers.runDue();
            assertThat(ran).hasValue(2);
            assertThat(timers.pending()).isZero();
        }
    }

    @Test
    void a_stripe_that_is_passed_over_again_after_it_could_be_locked_is_said_so_again() throws Exception {
        WheelTimers timers = new WheelTimers(
                new AtomicLong()::get, new CountingParks(new AtomicInteger()), ignored -> new Thread(), 1);
        try (CapturedLog log = new CapturedLog(Scheduler.class)) {
            for (int episode = 1; episode <= 2; episode++) {
                hold(timers, 0, 1);
                timers.runDue();
                hold(timers, 0, 0);
                timers.runDue();
                assertThat(log.lines()).hasSize(episode);
            }
        }
    }

    /** Sets a task on both stripes, from threads whose numbers lead there; returns the tickets. */
    private static long[] onEachStripe(WheelTimers timers, Runnable task, long delay) throws InterruptedException {
        long[] tickets = new long[2];
        while (tickets[0] == 0 || tickets[1] == 0) {
            Thread sets = new Thread(() -> {
                long ticket = timers.set(task, 0, delay);
                int stripe = (int) (ticket >>> Integer.SIZE);
                if (tickets[stripe] == 0) {
                    tickets[stripe] = ticket;
                } else {
                    timers.take(ticket, task);
                }
            });
            sets.start();
            sets.join();
        }
        return tickets;
    }

    /** As a thread does that stops while it has the lock. */
    private static void hold(WheelTimers timers, int number, int value) throws ReflectiveOperationException {
        Field stripes = WheelTimers.class.getDeclaredField("stripes");
        stripes.setAccessible(true);
        Object stripe = ((Object[]) stripes.get(timers))[number];
        Field held = stripe.getClass().getDeclaredField("held");
        held.setAccessible(true);
        held.setInt(stripe, value);
    }

    /**
     * A timer that is set while others run, on a stripe that has been looked at already and after the time for which
     * the thread was woken, wakes the thread again.
     */
    @Test
    void a_timer_that_is_set_while_the_thread_is_awake_wakes_it() throws Exception {
        Environment system = Environment.system();
        WheelTimers timers = new WheelTimers(system.clock(), system.scheduler(), WheelTimersTest::daemon, 1);
        CountDownLatch ran = new CountDownLatch(1);
        ExecutorService toFirst = threadOfStripe(timers, 0);
        ExecutorService toSecond = threadOfStripe(timers, 1);
        Runnable later = ran::countDown;
        Runnable first = () -> {
            try {
                toFirst.submit(() -> timers.set(later, system.clock().nanoTime(), 100_000_000))
                        .get();
            } catch (InterruptedException | ExecutionException thrown) {
                throw new AssertionError(thrown);
            }
        };
        toSecond.submit(() -> timers.set(first, system.clock().nanoTime(), 20_000_000))
                .get();
        assertThat(ran.await(10, TimeUnit.SECONDS)).isTrue();
        toFirst.shutdown();
        toSecond.shutdown();
        timers.close();
    }

    @Test
    void a_thread_that_could_not_be_started_is_started_by_the_next_timer() {
        Environment system = Environment.system();
        AtomicInteger made = new AtomicInteger();
        WheelTimers timers = new WheelTimers(
                system.clock(),
                system.scheduler(),
                work -> made.getAndIncrement() == 0 ? Thread.currentThread() : daemon(work), // one that runs already
                1);
        CountDownLatch ran = new CountDownLatch(1);
        assertThatThrownBy(() -> timers.set(ran::countDown, system.clock().nanoTime(), 0))
                .isInstanceOf(IllegalThreadStateException.class);
        timers.set(ran::countDown, system.clock().nanoTime(), 0);
        assertThat(made).hasValue(2);
        await(ran);
        timers.close();
    }

    private static ExecutorService threadOfStripe(WheelTimers timers, int stripe) throws Exception {
        while (true) {
            ExecutorService one = Executors.newSingleThreadExecutor();
            Runnable task = () -> {};
            long ticket = one.submit(() -> timers.set(task, System.nanoTime(), Long.MAX_VALUE / 4))
                    .get();
            timers.take(ticket, task);
            if (ticket >>> Integer.SIZE == stripe) {
                return one;
            }
            one.shutdown();
        }
    }

    @Test
    void a_task_may_set_itself_again() {
        AtomicLong clock = new AtomicLong();
        WheelTimers timers = timers(clock);
        AtomicInteger ran = new AtomicInteger();
        timers.set(
                new Runnable() {
                    @Override
                    public void run() {
                        if (ran.incrementAndGet() < 5) {
                            timers.set(this, clock.get(), TICK);
                        }
                    }
                },
                0,
                TICK);
        for (int tick = 1; tick <= 5; tick++) {
            clock.set(tick * TICK);
            timers.runDue();
            assertThat(ran).hasValue(tick);
        }
        assertThat(timers.pending()).isZero();
    }

    @Test
    void timers_of_many_threads_are_all_found_again() throws Exception {
        WheelTimers timers = timers(new AtomicLong());
        Runnable[] tasks = new Runnable[64];
        long[] tickets = new long[64];
        Thread[] threads = new Thread[64];
        for (int i = 0; i < 64; i++) {
            int number = i;
            tasks[i] = new Thread();
            threads[i] = new Thread(() -> tickets[number] = timers.set(tasks[number], 0, TICK));
            threads[i].start();
        }
        for (Thread thread : threads) {
            thread.join();
        }
        assertThat(timers.pending()).isEqualTo(64);
        for (int i = 0; i < 64; i++) {
            assertThat(timers.take(tickets[i], tasks[i])).isTrue();
        }
    }

    /** In the machine's time: were one wake-up lost, the timer thread would sleep for good, and this test with it. */
    @Test
    void the_thread_sleeps_while_nothing_is_due_and_no_wake_up_is_lost() throws Exception {
        Environment system = Environment.system();
        AtomicInteger parks = new AtomicInteger();
        WheelTimers timers = new WheelTimers(system.clock(), new CountingParks(parks), WheelTimersTest::daemon, 2);
        Thread[] threads = new Thread[3];
        for (int i = 0; i < threads.length; i++) {
            threads[i] = daemon(() -> {
                for (int round = 0; round < 1_000; round++) {
                    CountDownLatch ran = new CountDownLatch(1);
                    timers.set(ran::countDown, system.clock().nanoTime(), 0);
                    await(ran);
                }
            });
            threads[i].start();
        }
        for (Thread thread : threads) {
            thread.join(60_000);
            assertThat(thread.isAlive()).isFalse();
        }
        assertThat(timers.pending()).isZero();
        assertThat(parks).as("it does not spin").hasValueLessThan(10_000);
    }

    private static Thread daemon(Runnable work) {
        Thread thread = new Thread(work);
        thread.setDaemon(true);
        return thread;
    }

    private static void await(CountDownLatch latch) {
        try {
            latch.await();
        } catch (InterruptedException e) {
            throw new AssertionError(e);
        }
    }

    private record CountingParks(AtomicInteger parks) implements Scheduler {
        @Override
        public Timer schedule(Runnable task, long delayNanos) {
            throw new UnsupportedOperationException();
        }

        @Override
        public void sleep(long nanos) {
            throw new UnsupportedOperationException();
        }

        @Override
        public void park(Object blocker, long nanos) {
            parks.incrementAndGet();
            Environment.system().scheduler().park(blocker, nanos);
        }
    }
}
