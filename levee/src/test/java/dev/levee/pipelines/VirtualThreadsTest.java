package dev.levee.pipelines;

import static org.assertj.core.api.Assertions.assertThat;

import dev.levee.circuitbreaker.CircuitBreaker;
import dev.levee.core.Pipeline;
import dev.levee.core.policy.Backoff;
import dev.levee.core.policy.Bulkhead;
import dev.levee.core.policy.Fallback;
import dev.levee.core.policy.Hedge;
import dev.levee.core.policy.Retry;
import dev.levee.core.policy.RetryBudget;
import dev.levee.core.policy.Timeout;
import dev.levee.ratelimit.Limit;
import dev.levee.ratelimit.RateLimiter;
import dev.levee.ratelimit.concurrency.AdaptiveBulkhead;
import dev.levee.ratelimit.concurrency.AdaptiveThrottle;
import dev.levee.ratelimit.concurrency.PriorityShedder;
import dev.levee.ratelimit.concurrency.SheddingBulkhead;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import jdk.jfr.Recording;
import jdk.jfr.consumer.RecordedEvent;
import jdk.jfr.consumer.RecordingFile;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledForJreRange;
import org.junit.jupiter.api.condition.JRE;
import org.junit.jupiter.api.io.TempDir;

/**
 * Virtual threads that wait in any policy leave their carrier. In real time, since it is the JDK's scheduler that is
 * watched; nothing is asserted about how long anything takes.
 */
@EnabledForJreRange(min = JRE.JAVA_25)
class VirtualThreadsTest {
    private static final int CALLS = 500;

    @TempDir
    Path directory;

    private static void inVirtualThreads(Runnable work) throws Exception {
        List<Future<?>> running = new ArrayList<>();
        ExecutorService threads = (ExecutorService)
                Executors.class.getMethod("newVirtualThreadPerTaskExecutor").invoke(null);
        try {
            for (int i = 0; i < CALLS; i++) {
                running.add(threads.submit(work));
            }
            for (Future<?> future : running) {
                future.get(60, TimeUnit.SECONDS);
            }
        } finally {
            threads.shutdown();
        }
    }

    private List<RecordedEvent> pinnedWhile(Runnable work) throws Exception {
        try (Recording recording = new Recording()) {
            recording
                    .enable("jdk.VirtualThreadPinned")
                    .withThreshold(Duration.ZERO)
                    .withStackTrace();
            recording.start();
            inVirtualThreads(work);
            recording.stop();
            Path file = directory.resolve("pinned.jfr");
            recording.dump(file);
            return RecordingFile.readAllEvents(file);
        }
    }

    /**
     * The first calls load classes, while which the JDK pins; so they are not recorded, and a straggler is not counted.
     */
    private void assertPinsNobody(Runnable work) throws Exception {
        for (int i = 0; i < 4; i++) {
            inVirtualThreads(work);
        }
        assertThat(pinnedWhile(work))
                .filteredOn(event -> !event.toString().contains("nitialization of ")
                        && !event.toString().contains("ClassLoader"))
                .isEmpty();
    }

    /** Slow, failing or well; gives way to interrupts. */
    private static String work() throws IOException, InterruptedException {
        int kind = ThreadLocalRandom.current().nextInt(10);
        if (kind < 5) {
            Thread.sleep(1 + kind);
        }
        if (kind == 9) {
            throw new IOException("now and then");
        }
        return "answer";
    }

    private static void guarded(Pipeline pipeline) {
        try {
            pipeline.callInterruptibly(VirtualThreadsTest::work);
        } catch (Exception refusedOrFailed) {
            // is not what this is about
        }
    }

    @Test
    void waits_in_queues_backoffs_and_timeouts_pin_no_carrier() throws Exception {
        RetryBudget budget = RetryBudget.unlimited();
        Pipeline pipeline = Pipeline.of(
                Fallback.value("virtual", "substitute"),
                Retry.of(
                        "virtual",
                        config -> config.backoff(Backoff.fixed(Duration.ofMillis(1)))
                                .budget(budget)),
                CircuitBreaker.of("virtual", config -> config.countWindow(10).openFor(Duration.ofMillis(1))),
                RateLimiter.of("virtual", Limit.perSecond(100_000)),
                Timeout.of("virtual", Duration.ofMillis(20)),
                Bulkhead.of("virtual", config -> config.maxConcurrent(4).queue(CALLS, Duration.ofSeconds(1))));

        assertPinsNobody(() -> guarded(pipeline));
    }

    @Test
    void nor_do_hedges_and_work_on_an_executor() throws Exception {
        Pipeline pipeline = Pipeline.of(
                Timeout.of("virtual-total", Duration.ofSeconds(1)),
                Hedge.of("virtual", config -> config.delay(Duration.ofMillis(2)).budget(RetryBudget.unlimited())),
                Timeout.of("virtual-worker", Duration.ofMillis(20))
                        .onExecutor(dev.levee.core.Environment.system().executor()),
                Bulkhead.of("virtual", config -> config.maxConcurrent(50).queue(CALLS, Duration.ofSeconds(1))));

        assertPinsNobody(() -> guarded(pipeline));
    }

    @Test
    void nor_do_waits_for_permits_of_limits_and_queues_that_shed() throws Exception {
        SheddingBulkhead shedding =
                SheddingBulkhead.of("virtual", config -> config.maxConcurrent(8).maxWaiting(CALLS));
        Pipeline pipeline = Pipeline.of(
                RateLimiter.of(
                        "virtual",
                        config ->
                                config.limit(Limit.perSecond(100_000).burst(10)).maxWait(Duration.ofSeconds(1))),
                RateLimiter.of(
                        "virtual-paced",
                        config -> config.limit(Limit.paced(100_000, Duration.ofSeconds(1)))
                                .maxWait(Duration.ofSeconds(1))),
                PriorityShedder.of("virtual", shedding),
                AdaptiveThrottle.of("virtual"),
                AdaptiveBulkhead.of("virtual", config -> config.initialLimit(100)),
                shedding);

        assertPinsNobody(() -> guarded(pipeline));
    }

    /**
     * While a class is initialized a virtual thread cannot leave its carrier: if the recording missed that, the others
     * prove nothing.
     */
    @Test
    void the_recording_sees_a_thread_that_is_pinned() throws Exception {
        assertThat(pinnedWhile(() -> assertThat(SleepsWhileItIsMade.READY).isTrue()))
                .isNotEmpty();
    }

    private static final class SleepsWhileItIsMade {
        static final boolean READY = sleep();

        private static boolean sleep() {
            try {
                Thread.sleep(20);
            } catch (InterruptedException impossible) {
                throw new AssertionError(impossible);
            }
            return Boolean.parseBoolean("true");
        }
    }
}
