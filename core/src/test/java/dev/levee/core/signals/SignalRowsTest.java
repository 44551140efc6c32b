package dev.levee.core.signals;

import static org.assertj.core.api.Assertions.assertThat;

import dev.levee.core.Environment;
import dev.levee.core.histogram.LatencyHistogram;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.Test;

/** No call is lost or counted twice, on however many threads, and whichever of them own a row. */
class SignalRowsTest {
    private static final int SUCCESS = SignalRows.ended(Ending.SUCCESS);

    private static void inThreads(int threads, Runnable task) throws InterruptedException {
        List<Thread> all = new ArrayList<>();
        for (int i = 0; i < threads; i++) {
            all.add(new Thread(task));
        }
        all.forEach(Thread::start);
        for (Thread each : all) {
            each.join();
        }
    }

    private static void call(SignalRows counts, int times) {
        for (int i = 0; i < times; i++) {
            counts.begin();
            counts.end(SUCCESS, SignalRows.SUCCESSES, i);
        }
    }

    @Test
    void more_threads_than_rows_at_once_and_after_one_another_lose_no_call() throws InterruptedException {
        SignalRows counts = new SignalRows(2);
        for (int round = 0; round < 20; round++) {
            inThreads(30, () -> call(counts, 1_000));
        }
        long calls = 20 * 30 * 1_000L;
        assertThat(counts.sum(SignalRows.STARTED)).isEqualTo(calls);
        assertThat(counts.sum(SUCCESS)).isEqualTo(calls);
        LatencyHistogram durations = new LatencyHistogram();
        counts.read(SignalRows.SUCCESSES, durations);
        assertThat(durations.count()).isEqualTo(calls);
        assertThat(durations.sumNanos()).isEqualTo(20 * 30 * (999L * 1_000 / 2));
        assertThat(counts.rows()).isLessThanOrEqualTo(8 + 2);
    }

    @Test
    void a_thread_that_calls_often_gets_a_row_and_leaves_it_to_another_when_it_dies() throws InterruptedException {
        SignalRows counts = new SignalRows(1);
        inThreads(1, () -> call(counts, 1_000));
        assertThat(counts.rows()).isEqualTo(2);
        for (int i = 0; i < 100; i++) {
            inThreads(1, () -> call(counts, 200));
        }
        assertThat(counts.rows()).isLessThanOrEqualTo(8 + 1);
        assertThat(counts.sum(SUCCESS)).isEqualTo(1_000 + 100 * 200);
    }

    @Test
    void a_thread_that_lives_keeps_its_row_whoever_else_calls() throws InterruptedException {
        SignalRows counts = new SignalRows(1);
        call(counts, 100);
        Thread owner = Thread.currentThread();
        assertThat(counts.owns(owner)).isTrue();
        CountDownLatch called = new CountDownLatch(30);
        CountDownLatch end = new CountDownLatch(1);
        List<Thread> others = new ArrayList<>();
        for (int i = 0; i < 30; i++) { // more than there are rows, all alive at once
            Thread other = new Thread(() -> {
                call(counts, 1_000);
                called.countDown();
                try {
                    end.await();
                } catch (InterruptedException interrupt) {
                    throw new AssertionError(interrupt);
                }
            });
            others.add(other);
            other.start();
        }
        called.await();
        assertThat(counts.owns(owner)).isTrue();
        assertThat(counts.rows()).isLessThanOrEqualTo(8 + 1);
        end.countDown();
        for (Thread other : others) {
            other.join();
        }
        assertThat(counts.sum(SUCCESS)).isEqualTo(100 + 30 * 1_000);
    }

    @Test
    void calls_that_end_on_another_thread_are_in_flight_until_then() throws InterruptedException {
        SignalRows counts = new SignalRows(2);
        inThreads(4, () -> {
            for (int i = 0; i < 500; i++) {
                counts.begin();
            }
        });
        assertThat(counts.sum(SignalRows.STARTED) - counts.sum(SUCCESS)).isEqualTo(2_000);
        inThreads(4, () -> {
            for (int i = 0; i < 500; i++) {
                counts.end(SUCCESS, SignalRows.SUCCESSES, 1);
            }
        });
        assertThat(counts.sum(SignalRows.STARTED) - counts.sum(SUCCESS)).isZero();
    }

    @Test
    void figures_never_fall_and_none_are_in_flight_less_than_zero_while_threads_call() throws InterruptedException {
        CallMeter meter = CallMeter.of("m", Environment.system());
        AtomicBoolean stopped = new AtomicBoolean();
        CountDownLatch begun = new CountDownLatch(4);
        List<Thread> callers = new ArrayList<>();
        for (int i = 0; i < 4; i++) {
            Thread caller = new Thread(() -> {
                begun.countDown();
                while (!stopped.get()) {
                    meter.run(() -> {});
                }
            });
            callers.add(caller);
            caller.start();
        }
        begun.await();
        LatencyHistogram before = new LatencyHistogram();
        LatencyHistogram now = new LatencyHistogram();
        long endedBefore = 0;
        for (int i = 0; i < 2_000; i++) {
            assertThat(meter.inFlight()).isNotNegative();
            long ended = meter.ended(Ending.SUCCESS);
            assertThat(ended).isGreaterThanOrEqualTo(endedBefore);
            endedBefore = ended;
            meter.successes().read(now);
            now.subtract(before);
            for (int bound = 0; bound < LatencyHistogram.bounds(); bound += 11) {
                assertThat(now.countUpTo(bound)).isNotNegative();
            }
            assertThat(now.sumNanos()).isNotNegative();
            before.add(now);
        }
        stopped.set(true);
        for (Thread caller : callers) {
            caller.join();
        }
        assertThat(meter.inFlight()).isZero();
    }
}
