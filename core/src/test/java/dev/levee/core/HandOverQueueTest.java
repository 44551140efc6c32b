package dev.levee.core;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;

/** The thread of the timers is not held up by what follows from many of them. */
class HandOverQueueTest {
    private final Deque<Runnable> workers = new ArrayDeque<>();
    private final List<Integer> ran = new ArrayList<>();
    private final List<Runnable> alarms = new CopyOnWriteArrayList<>();
    private final AtomicLong clock = new AtomicLong();
    private final HandOverQueue queue = new HandOverQueue(clock::get, workers::add, this::alarm);

    private Runnable alarm(Runnable task, long delayNanos) {
        assertThat(delayNanos).isEqualTo(HandOverQueue.LOST_NANOS);
        alarms.add(task);
        return () -> alarms.remove(task);
    }

    @Test
    void many_tasks_are_one_task_of_the_executor_for_the_thread_that_hands_them_over() {
        for (int i = 0; i < 80_000; i++) {
            int number = i;
            queue.add(() -> ran.add(number));
        }
        assertThat(workers).hasSize(1);
        while (!workers.isEmpty()) {
            workers.poll().run();
        }
        assertThat(ran).hasSize(80_000).isSorted();
    }

    @Test
    void no_task_waits_for_one_that_blocks() throws Exception {
        CountDownLatch open = new CountDownLatch(1);
        CountDownLatch done = new CountDownLatch(100);
        HandOverQueue threads = new HandOverQueue(clock::get, task -> new Thread(task).start(), this::alarm);
        for (int i = 0; i < 10; i++) {
            threads.add(() -> awaitQuietly(open));
        }
        for (int i = 0; i < 100; i++) {
            threads.add(done::countDown);
        }
        assertThat(done.await(60, TimeUnit.SECONDS)).isTrue();
        open.countDown();
    }

    private static void awaitQuietly(CountDownLatch latch) {
        try {
            latch.await();
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }

    @Test
    void a_worker_that_the_executor_loses_is_replaced_by_a_later_task() {
        queue.add(() -> ran.add(1));
        workers.clear();
        queue.add(() -> ran.add(2));
        assertThat(workers).isEmpty();
        clock.addAndGet(TimeUnit.MILLISECONDS.toNanos(11));
        queue.add(() -> ran.add(3));
        workers.remove().run();
        assertThat(ran).containsExactly(1, 2, 3);
    }

    @Test
    void tasks_run_in_turn_on_a_worker_for_which_there_is_no_second_thread() {
        int[] starts = new int[1];
        HandOverQueue poor = new HandOverQueue(
                clock::get,
                task -> {
                    if (starts[0]++ > 0) {
                        throw new OutOfMemoryError("unable to create native thread");
                    }
                    workers.add(task);
                },
                this::alarm);
        for (int i = 0; i < 10_000; i++) {
            int number = i;
            poor.add(() -> {
                synchronized (ran) {
                    ran.add(number);
                }
            });
        }
        workers.remove().run();
        synchronized (ran) {
            assertThat(ran).contains(0);
        }
    }

    @Test
    void a_task_and_a_clock_that_throw_keep_no_other_from_running() {
        HandOverQueue hostile = new HandOverQueue(
                () -> {
                    throw new IllegalStateException("no time");
                },
                Runnable::run,
                this::alarm);
        hostile.add(() -> {
            throw new OutOfMemoryError("Java heap space");
        });
        hostile.add(() -> ran.add(2));
        assertThat(ran).containsExactly(2);
    }

    @Test
    void tasks_whose_worker_the_executor_has_dropped_run_on_that_of_the_machine() throws Exception {
        CountDownLatch ran = new CountDownLatch(2);
        queue.add(ran::countDown);
        queue.add(ran::countDown);
        workers.clear();
        assertThat(alarms).hasSize(1);
        clock.addAndGet(HandOverQueue.LOST_NANOS);
        alarms.remove(0).run();
        assertThat(ran.await(60, TimeUnit.SECONDS)).isTrue();
    }

    @Test
    void tasks_that_go_on_coming_do_not_put_that_off() throws Exception {
        CountDownLatch ran = new CountDownLatch(100);
        for (int i = 0; i < 99; i++) {
            queue.add(ran::countDown);
            clock.addAndGet(TimeUnit.MILLISECONDS.toNanos(11));
        }
        workers.clear();
        clock.addAndGet(HandOverQueue.LOST_NANOS);
        queue.add(ran::countDown); // has the executor asked once more
        alarms.get(0).run();
        assertThat(ran.await(60, TimeUnit.SECONDS)).isTrue();
    }

    @Test
    void a_worker_that_begins_takes_its_alarm_back() {
        queue.add(() -> ran.add(1));
        Runnable late = alarms.get(0);
        workers.remove().run();
        assertThat(alarms).isEmpty();
        late.run();
        assertThat(ran).containsExactly(1);
        assertThat(workers).isEmpty();
    }
}
