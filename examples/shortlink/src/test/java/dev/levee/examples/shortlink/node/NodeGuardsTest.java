package dev.levee.examples.shortlink.node;

import static java.time.Duration.ofMillis;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.levee.core.CallContext;
import dev.levee.core.Deadline;
import dev.levee.core.DeadlineExpiredException;
import dev.levee.core.policy.TimedOutException;
import dev.levee.core.testing.ManualTime;
import dev.levee.examples.shortlink.Reply;
import dev.levee.examples.shortlink.Without;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Test;

class NodeGuardsTest {
    private final ManualTime time = new ManualTime();
    private final NodeGuards guards = new NodeGuards(Without.NOTHING, time.environment());

    @Test
    void a_statement_has_50_ms() throws Exception {
        assertThatItEndsAfter(ofMillis(50), ofMillis(200));
    }

    @Test
    void or_what_is_left_of_the_request() throws Exception {
        assertThatItEndsAfter(ofMillis(10), ofMillis(10));
    }

    @Test
    void and_is_not_begun_if_that_is_nothing() {
        Deadline past = Deadline.after(Duration.ZERO, time.environment().clock());

        assertThatThrownBy(() -> CallContext.current()
                        .withDeadline(past)
                        .call(() -> guards.database(() -> {
                            throw new AssertionError("begun");
                        })))
                .isInstanceOf(DeadlineExpiredException.class);
    }

    @Test
    void a_load_of_another_request_that_takes_too_long_is_the_fault_of_the_database() throws Exception {
        CountDownLatch begun = new CountDownLatch(1);
        CountDownLatch end = new CountDownLatch(1);
        Thread other = new Thread(() -> guards.links().get("code", code -> {
            begun.countDown();
            awaitUninterrupted(end);
            return "url";
        }));
        other.start();
        begun.await();
        Deadline past = Deadline.after(Duration.ZERO, time.environment().clock());

        Reply reply = CallContext.current()
                .withDeadline(past)
                .call(() -> guards.orUnavailable(() -> {
                    guards.links().get("code", code -> "another");
                    return Reply.of(302, "not in time");
                }));
        end.countDown();
        other.join();
        assertThat(reply.status()).isEqualTo(503);
    }

    private static void awaitUninterrupted(CountDownLatch latch) {
        try {
            latch.await();
        } catch (InterruptedException e) {
            throw new AssertionError(e);
        }
    }

    private void assertThatItEndsAfter(Duration end, Duration left) throws InterruptedException {
        Deadline deadline = Deadline.after(left, time.environment().clock());
        AtomicReference<Throwable> thrown = new AtomicReference<>();
        Thread thread = new Thread(() -> {
            try {
                CallContext.current().withDeadline(deadline).call(() -> guards.database(CompletableFuture::new));
            } catch (Throwable e) {
                thrown.set(e);
            }
        });
        thread.start();
        while (time.pendingTimers() == 0) {
            Thread.onSpinWait();
        }
        time.advance(end.minusNanos(1));
        assertThat(time.pendingTimers()).isOne();
        time.advance(Duration.ofNanos(1));
        thread.join();
        assertThat(thrown.get()).isInstanceOf(TimedOutException.class);
    }
}
