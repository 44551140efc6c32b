package dev.levee.core.internal;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;

import dev.levee.core.CapturedLog;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.RejectedExecutionException;
import org.junit.jupiter.api.Test;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

class HandOverTest {
    private static final Logger LOG = LoggerFactory.getLogger(HandOverTest.class);

    private static void noThread(Runnable task) {
        throw new OutOfMemoryError("unable to create native thread");
    }

    private final HandOver handOver = new HandOver(LOG, "balancer \"stock\"");
    private final List<String> ran = new ArrayList<>();

    private void task() {
        ran.add("ran");
    }

    @Test
    void a_failure_is_returned_and_the_first_in_a_row_is_logged_with_the_part() {
        try (CapturedLog log = new CapturedLog(HandOverTest.class)) {
            assertThat(handOver.execute(HandOverTest::noThread, this::task)).isInstanceOf(OutOfMemoryError.class);
            assertThat(handOver.execute(HandOverTest::noThread, this::task)).isInstanceOf(OutOfMemoryError.class);
            assertThat(log.lines()).singleElement().asString().startsWith("WARN balancer \"stock\": a task could not");
            assertThat(handOver.execute(Runnable::run, this::task)).isNull();
            assertThat(handOver.execute(HandOverTest::noThread, this::task)).isNotNull();
            assertThat(log.lines()).hasSize(2);
        }
        assertThat(ran).containsExactly("ran");
    }

    @Test
    void a_task_that_an_executor_keeps_although_it_throws_does_not_run() {
        List<Runnable> kept = new ArrayList<>();
        Throwable failure = handOver.execute(
                given -> {
                    kept.add(given);
                    throw new RejectedExecutionException("no worker");
                },
                this::task);
        assertThat(failure).hasMessage("no worker");
        kept.forEach(Runnable::run);
        assertThat(ran).isEmpty();
    }

    @Test
    void a_task_that_has_begun_counts_as_handed_over() {
        Throwable failure = handOver.execute(
                given -> {
                    given.run();
                    throw new RejectedExecutionException("too late");
                },
                this::task);
        assertThat(failure).isNull();
        assertThat(ran).containsExactly("ran");
    }

    @Test
    void what_a_task_throws_on_the_thread_that_hands_it_over_is_logged_and_is_no_failure() {
        try (CapturedLog log = new CapturedLog(HandOverTest.class)) {
            assertThat(handOver.execute(Runnable::run, () -> {
                        throw new IllegalStateException("mine");
                    }))
                    .isNull();
            assertThat(log.lines())
                    .containsExactly("WARN balancer \"stock\": a task threw on the thread that handed it over");
        }
    }

    @Test
    void a_log_that_throws_changes_nothing() {
        try (ThrowingLog log = new ThrowingLog(HandOverTest.class)) {
            assertThatCode(() -> handOver.execute(HandOverTest::noThread, this::task))
                    .doesNotThrowAnyException();
            assertThat(log.events()).isOne();
        }
    }
}
