package dev.levee.core.testing;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Threads that keep running; with a shorter timeout than users have. */
class RestlessThreadsTest {
    private final VirtualTimeDriver driver = new VirtualTimeDriver(0, Duration.ofMillis(30));
    private final ManualScheduler scheduler = new ManualScheduler(driver);
    private final AtomicBoolean over = new AtomicBoolean();

    private final List<Thread> threads = new ArrayList<>();

    private void start(String name, Runnable task) {
        Thread thread = new Thread(() -> driver.runStarted(task), name);
        threads.add(thread);
        driver.start(thread);
    }

    private void spin() {
        while (!over.get()) {
            Thread.onSpinWait();
        }
    }

    @AfterEach
    void end() throws InterruptedException {
        over.set(true);
        for (Thread thread : threads) {
            thread.interrupt();
            thread.join();
        }
    }

    @Test
    void are_named_by_advance_which_gives_up_and_can_be_called_again() throws InterruptedException {
        start("busy", this::spin);
        driver.schedule(() -> {}, 10);

        assertThatThrownBy(() -> driver.advance(10))
                .isInstanceOf(IllegalStateException.class)
                .hasMessageMatching("time cannot move: \"busy\" \\(RUNNABLE at .*\\) has not come to rest for PT0.03S");
        assertThat(driver.now()).isZero();

        end();
        driver.advance(10);
        assertThat(driver.now()).isEqualTo(10);
        assertThat(driver.timerQueue.timers()).isZero();
    }

    @Test
    void that_a_task_has_left_running_do_not_hide_what_the_task_threw() {
        AssertionError failure = new AssertionError("task");
        driver.execute(() -> {
            start("busy", this::spin);
            throw failure;
        });

        assertThatThrownBy(() -> driver.advance(10))
                .hasMessageStartingWith("time cannot move")
                .satisfies(it -> assertThat(it.getSuppressed()).containsExactly(failure));
    }

    @Test
    void are_described_when_too_few_sleep() {
        start("busy", this::spin);
        start("asleep", () -> {
            try {
                scheduler.sleep(10);
            } catch (InterruptedException e) {
                over.set(true);
            }
        });
        while (driver.lock.get(driver.threads::waitingCount) == 0) {
            Thread.onSpinWait();
        }

        assertThatThrownBy(() -> driver.threads.awaitWaiting(2))
                .isInstanceOf(IllegalStateException.class)
                .hasMessageMatching("after PT0.03S only 1 of 2 threads sleep or park; known are "
                        + "\\[\"busy\" \\(RUNNABLE at .*\\), \"asleep\" \\(waits\\)]");
    }

    @Test
    void that_park_for_random_times_do_not_stop_time() {
        ManualTime time = new ManualTime();
        Random random = new Random(1);
        for (int i = 0; i < 2; i++) { // each time one parks anew, the other one checks its condition
            threads.add(time.start(() -> {
                while (!over.get()) {
                    time.environment().scheduler().park(this, 1 + random.nextInt(1_000_000_000));
                }
            }));
        }

        time.advance(Duration.ofSeconds(2));

        assertThat(time.elapsed()).isEqualTo(Duration.ofSeconds(2));
    }
}
