package dev.levee.circuitbreaker;

import static dev.levee.circuitbreaker.CircuitBreaker.State.CLOSED;
import static dev.levee.circuitbreaker.CircuitBreaker.State.FORCED_OPEN;
import static dev.levee.circuitbreaker.CircuitBreaker.State.HALF_OPEN;
import static dev.levee.circuitbreaker.CircuitBreaker.State.OPEN;
import static org.assertj.core.api.Assertions.assertThat;

import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.UnsynchronizedAppenderBase;
import dev.levee.core.CapturedLog;
import dev.levee.core.Environment;
import dev.levee.core.Listener;
import dev.levee.core.Policy;
import dev.levee.core.Readings;
import dev.levee.core.Verdict;
import dev.levee.core.testing.ManualTime;
import dev.levee.core.testing.RecordingListener;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import org.slf4j.LoggerFactory;

/**
 * Each change of state is published once, in order, to the listener and to the log; neither can change anything by
 * failing.
 */
class AnnouncementTest {
    private final ManualTime time = new ManualTime();

    private CircuitBreaker breaker(Listener listener, Consumer<CircuitBreakerConfig.Builder> configure) {
        Environment environment =
                time.environment().toBuilder().listener(listener).build();
        return CircuitBreaker.of("payments", configure, environment);
    }

    private static void quick(CircuitBreakerConfig.Builder builder) {
        builder.consecutiveFailures(1).openFor(Duration.ofSeconds(10)).halfOpenCalls(1);
    }

    @Nested
    class ToTheListener {
        @Test
        void every_change_once_and_in_order() {
            RecordingListener heard = new RecordingListener();
            CircuitBreaker breaker = breaker(heard, AnnouncementTest::quick);
            Calls.fail(breaker, 1);
            time.advance(Duration.ofSeconds(10));
            Calls.fail(breaker, 1);
            time.advance(Duration.ofSeconds(10));
            Calls.succeed(breaker, 1);
            breaker.disable();
            breaker.disable();
            breaker.reset();
            breaker.reset();
            assertThat(heard.events())
                    .containsExactly(
                            "breaker payments CLOSED->OPEN",
                            "breaker payments OPEN->HALF_OPEN",
                            "breaker payments HALF_OPEN->OPEN",
                            "breaker payments OPEN->HALF_OPEN",
                            "breaker payments HALF_OPEN->CLOSED",
                            "breaker payments CLOSED->DISABLED",
                            "breaker payments DISABLED->CLOSED");
        }

        @Test
        void a_change_that_is_due_is_published_with_the_next_call_or_reading() {
            RecordingListener heard = new RecordingListener();
            CircuitBreaker breaker = breaker(heard, AnnouncementTest::quick);
            Calls.fail(breaker, 1);
            time.advance(Duration.ofSeconds(10));
            assertThat(heard.count("HALF_OPEN")).isZero();
            assertThat(breaker.toString()).contains("OPEN");
            assertThat(heard.count("HALF_OPEN")).as("printing it is no reading").isZero();
            Readings.of(breaker);
            assertThat(heard.count("HALF_OPEN")).isOne();
        }

        @Test
        void one_that_throws_changes_nothing_and_still_receives_events() {
            AtomicInteger received = new AtomicInteger();
            CircuitBreaker breaker = breaker(
                    new Listener() {
                        @Override
                        public void onStateChange(Policy.Kind kind, String policy, String from, String to) {
                            received.incrementAndGet();
                            throw new StackOverflowError("a bad listener");
                        }
                    },
                    AnnouncementTest::quick);
            Calls.fail(breaker, 1);
            assertThat(breaker.state()).isEqualTo(OPEN);
            breaker.reset();
            assertThat(received).hasValue(2);
        }

        @Test
        void one_that_changes_the_state_is_notified_of_that_when_it_has_returned() {
            List<String> heard = new ArrayList<>();
            CircuitBreaker[] self = new CircuitBreaker[1];
            self[0] = breaker(
                    new Listener() {
                        @Override
                        public void onStateChange(Policy.Kind kind, String policy, String from, String to) {
                            heard.add("begin " + from + " " + to);
                            if (to.equals("OPEN")) {
                                self[0].forceOpen();
                            }
                            if (to.equals("FORCED_OPEN")) {
                                self[0].reset();
                                assertThat(Calls.call(self[0], Verdict.SUCCESS)).isTrue();
                            }
                            heard.add("end " + from + " " + to);
                        }
                    },
                    AnnouncementTest::quick);
            Calls.fail(self[0], 1);
            assertThat(self[0].state()).isEqualTo(CLOSED);
            assertThat(heard)
                    .containsExactly(
                            "begin CLOSED OPEN",
                            "end CLOSED OPEN",
                            "begin OPEN FORCED_OPEN",
                            "end OPEN FORCED_OPEN",
                            "begin FORCED_OPEN CLOSED",
                            "end FORCED_OPEN CLOSED");
        }

        @Test
        void one_that_blocks_holds_up_one_thread_and_no_state() throws InterruptedException {
            CountDownLatch blocked = new CountDownLatch(1);
            CountDownLatch release = new CountDownLatch(1);
            List<String> heard = Collections.synchronizedList(new ArrayList<>());
            CircuitBreaker breaker = breaker(
                    new Listener() {
                        @Override
                        public void onStateChange(Policy.Kind kind, String policy, String from, String to) {
                            if (heard.isEmpty()) {
                                blocked.countDown();
                                awaitQuietly(release);
                            }
                            heard.add(from + " " + to);
                        }
                    },
                    AnnouncementTest::quick);
            Thread victim = new Thread(() -> Calls.fail(breaker, 1));
            victim.start();
            assertThat(blocked.await(10, TimeUnit.SECONDS)).isTrue();
            // Everything continues meanwhile.
            assertThat(breaker.state()).isEqualTo(OPEN);
            time.advance(Duration.ofSeconds(10));
            assertThat(breaker.state()).isEqualTo(HALF_OPEN);
            Calls.succeed(breaker, 1);
            assertThat(breaker.state()).isEqualTo(CLOSED);
            breaker.forceOpen();
            assertThat(breaker.state()).isEqualTo(FORCED_OPEN);
            assertThat(heard).isEmpty();
            release.countDown();
            victim.join(10_000);
            assertThat(heard)
                    .containsExactly("CLOSED OPEN", "OPEN HALF_OPEN", "HALF_OPEN CLOSED", "CLOSED FORCED_OPEN");
        }

        private void awaitQuietly(CountDownLatch latch) {
            try {
                latch.await();
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
        }
    }

    @Nested
    class UnderContention {
        /** Not thread-safe on purpose: it is notified of one change at a time. */
        private final List<String> heard = new ArrayList<>();

        private final CircuitBreaker breaker = breaker(
                new Listener() {
                    @Override
                    public void onStateChange(Policy.Kind kind, String policy, String from, String to) {
                        heard.add(from);
                        heard.add(to);
                    }
                },
                c -> c.countWindow(8).minCalls(4).openFor(Duration.ofNanos(1)).halfOpenCalls(2));

        @Test
        void one_thread_wins_each_change_and_all_are_published_in_order() throws InterruptedException {
            inParallel(4, thread -> {
                for (int i = 0; i < 4_000; i++) {
                    Calls.call(breaker, (i * 31 + thread) % 3 == 0 ? Verdict.SUCCESS : Verdict.FAILURE);
                    if (i % 16 == 0) {
                        time.advance(Duration.ofNanos(1));
                    }
                    if (i % 97 == thread) {
                        breaker.forceOpen();
                        breaker.reset();
                    }
                }
            });
            assertThat(heard).hasSizeGreaterThan(1000);
            assertThat(heard.get(0)).isEqualTo("CLOSED");
            for (int i = 2; i < heard.size(); i += 2) {
                assertThat(heard.get(i))
                        .as("change %d begins where the one before ended", i / 2)
                        .isEqualTo(heard.get(i - 1));
                assertThat(heard.get(i + 1)).isNotEqualTo(heard.get(i));
            }
            assertThat(breaker.state().name()).isEqualTo(heard.get(heard.size() - 1));
        }

        @Test
        void many_failures_at_once_open_it_once() throws InterruptedException {
            RecordingListener counting = new RecordingListener();
            for (int round = 0; round < 200; round++) {
                CircuitBreaker fresh = breaker(counting, c -> c.countWindow(8).minCalls(4));
                inParallel(4, thread -> Calls.tryToFail(fresh, 4));
                assertThat(fresh.state()).isEqualTo(OPEN);
            }
            assertThat(counting.events()).hasSize(200).containsOnly("breaker payments CLOSED->OPEN");
        }

        private void inParallel(int threads, Consumer<Integer> work) throws InterruptedException {
            CyclicBarrier start = new CyclicBarrier(threads);
            List<Thread> all = new ArrayList<>();
            List<Throwable> thrown = Collections.synchronizedList(new ArrayList<>());
            for (int i = 0; i < threads; i++) {
                int number = i;
                Thread thread = new Thread(() -> {
                    try {
                        start.await();
                        work.accept(number);
                    } catch (Throwable e) {
                        thrown.add(e);
                    }
                });
                all.add(thread);
                thread.start();
            }
            for (Thread thread : all) {
                thread.join(30_000);
            }
            assertThat(thrown).isEmpty();
        }
    }

    @Nested
    class ToTheLog {
        @Test
        void one_line_with_name_reason_and_rates_and_a_warning_if_it_opens() {
            CircuitBreaker breaker = breaker(
                    Listener.NONE,
                    c -> c.countWindow(4)
                            .slowCallRate(1)
                            .slowCallDuration(Duration.ofSeconds(1))
                            .openFor(Duration.ofSeconds(10))
                            .halfOpenCalls(1));
            try (CapturedLog log = new CapturedLog(CircuitBreaker.class)) {
                Calls.succeed(breaker, 1);
                Calls.slow(breaker, Duration.ofSeconds(1).toNanos());
                Calls.fail(breaker, 2);
                time.advance(Duration.ofSeconds(10));
                Calls.succeed(breaker, 1);
                breaker.forceOpen();
                breaker.reset();
                assertThat(log.lines())
                        .containsExactly(
                                "WARN breaker \"payments\" CLOSED -> OPEN: 2 of 4 calls failed, the limit is 50.0 %"
                                        + " (failure rate 50.0 %, slow-call rate 25.0 %, calls 4)",
                                "INFO breaker \"payments\" OPEN -> HALF_OPEN: it was open for 10 s"
                                        + " (failure rate 50.0 %, slow-call rate 25.0 %, calls 4)",
                                "INFO breaker \"payments\" HALF_OPEN -> CLOSED: 0 of 1 probes failed"
                                        + " (failure rate 0.0 %, slow-call rate 0.0 %, calls 1)",
                                "INFO breaker \"payments\" CLOSED -> FORCED_OPEN: by hand"
                                        + " (failure rate none, slow-call rate none, calls 0)",
                                "INFO breaker \"payments\" FORCED_OPEN -> CLOSED: by hand"
                                        + " (failure rate none, slow-call rate none, calls 0)");
            }
        }

        @Test
        void the_first_opening_is_a_warning_and_each_reopening_by_probes_is_not() {
            CircuitBreaker breaker = breaker(Listener.NONE, AnnouncementTest::quick);
            try (CapturedLog log = new CapturedLog(CircuitBreaker.class)) {
                Calls.fail(breaker, 1);
                for (int i = 0; i < 3; i++) {
                    time.advance(Duration.ofSeconds(10));
                    Calls.fail(breaker, 1);
                }
                assertThat(openings(log))
                        .containsExactly("WARN CLOSED", "INFO HALF_OPEN", "INFO HALF_OPEN", "INFO HALF_OPEN");
            }
        }

        @Test
        void after_it_was_closed_the_next_opening_is_a_warning_again() {
            CircuitBreaker breaker = breaker(Listener.NONE, AnnouncementTest::quick);
            try (CapturedLog log = new CapturedLog(CircuitBreaker.class)) {
                Calls.fail(breaker, 1);
                time.advance(Duration.ofSeconds(10));
                Calls.fail(breaker, 1);
                time.advance(Duration.ofSeconds(10));
                Calls.succeed(breaker, 1);
                Calls.fail(breaker, 1);
                assertThat(openings(log)).containsExactly("WARN CLOSED", "INFO HALF_OPEN", "WARN CLOSED");
            }
        }

        @Test
        void an_expired_probe_reopens_without_a_warning() {
            CircuitBreaker breaker = breaker(Listener.NONE, c -> {
                quick(c);
                c.probeLease(Duration.ofSeconds(1)).expiredProbesFail(true);
            });
            try (CapturedLog log = new CapturedLog(CircuitBreaker.class)) {
                Calls.fail(breaker, 1);
                time.advance(Duration.ofSeconds(10));
                assertThat(breaker.tryEnter(time.environment().clock().nanoTime()))
                        .isNegative();
                time.advance(Duration.ofSeconds(1));
                assertThat(breaker.state()).isEqualTo(OPEN);
                assertThat(openings(log)).containsExactly("WARN CLOSED", "INFO HALF_OPEN");
            }
        }

        @Test
        void a_breaker_that_probes_by_hand_before_it_ever_opened_warns_when_it_opens() {
            CircuitBreaker breaker = breaker(Listener.NONE, AnnouncementTest::quick);
            try (CapturedLog log = new CapturedLog(CircuitBreaker.class)) {
                breaker.halfOpen();
                Calls.fail(breaker, 1);
                assertThat(openings(log)).containsExactly("WARN HALF_OPEN");
            }
        }

        @Test
        void a_ramp_that_fails_warns_because_callers_were_admitted_again() {
            CircuitBreaker breaker = breaker(Listener.NONE, c -> {
                quick(c);
                c.ramp(Duration.ofSeconds(1), 1.0);
            });
            try (CapturedLog log = new CapturedLog(CircuitBreaker.class)) {
                Calls.fail(breaker, 1);
                time.advance(Duration.ofSeconds(10));
                Calls.succeed(breaker, 1);
                Calls.fail(breaker, 1);
                assertThat(openings(log)).containsExactly("WARN CLOSED", "WARN RAMPING");
            }
        }

        /** Level and state before, of each line about an opening. */
        private static List<String> openings(CapturedLog log) {
            return log.lines().stream()
                    .filter(line -> line.contains("-> OPEN"))
                    .map(line -> line.replaceAll("(\\w+) breaker \"payments\" (\\w+) -> OPEN.*", "$1 $2"))
                    .toList();
        }

        @Test
        void a_short_open_time_is_logged_in_milliseconds() {
            CircuitBreaker breaker =
                    breaker(Listener.NONE, c -> c.consecutiveFailures(1).openFor(Duration.ofMillis(50)));
            try (CapturedLog log = new CapturedLog(CircuitBreaker.class)) {
                Calls.fail(breaker, 1);
                time.advance(Duration.ofMillis(50));
                assertThat(breaker.state()).isEqualTo(HALF_OPEN);
                assertThat(log.lines()).last().asString().contains("it was open for 50 ms");
            }
        }

        @Test
        void an_appender_that_throws_disturbs_neither_the_caller_nor_the_listener() {
            Logger logger = (Logger) LoggerFactory.getLogger(CircuitBreaker.class);
            UnsynchronizedAppenderBase<ILoggingEvent> broken = new UnsynchronizedAppenderBase<>() {
                @Override
                public void doAppend(ILoggingEvent event) {
                    throw new StackOverflowError("a bad appender");
                }

                @Override
                protected void append(ILoggingEvent event) {}
            };
            RecordingListener heard = new RecordingListener();
            CircuitBreaker breaker = breaker(heard, AnnouncementTest::quick);
            logger.addAppender(broken);
            try {
                Calls.fail(breaker, 1);
            } finally {
                logger.detachAppender(broken);
            }
            breaker.reset();
            assertThat(heard.events())
                    .containsExactly("breaker payments CLOSED->OPEN", "breaker payments OPEN->CLOSED");
        }

        @Test
        void no_line_for_a_call() {
            CircuitBreaker breaker = breaker(Listener.NONE, AnnouncementTest::quick);
            Calls.fail(breaker, 1);
            try (CapturedLog log = new CapturedLog(CircuitBreaker.class)) {
                Calls.call(breaker, Verdict.SUCCESS);
                Calls.call(breaker, Verdict.FAILURE);
                assertThat(log.lines()).isEmpty();
            }
        }
    }

    @Nested
    class TheChainOfEpochs {
        /** Otherwise a breaker would hold every epoch that it ever had, with its window. */
        @Test
        void is_cut_behind_what_has_been_published() {
            CircuitBreakerConfig config = CircuitBreakerConfig.builder().build();
            Epoch first = Epoch.first(config, new Epoch.Change(0, "made", Counts.NONE));
            Epoch second = Epoch.admitting(OPEN, first, new Epoch.Change(1, "second", Counts.NONE), null);
            Epoch third = Epoch.admitting(CLOSED, second, new Epoch.Change(2, "third", Counts.NONE), null);
            new StateChangePublisher("payments", Listener.NONE, first, () -> third).publish();
            assertThat(second.previous).isNull();
            assertThat(third.previous).isNull();
            assertThat(first.next).isNull();
            assertThat(second.next).isNull();
        }
    }
}
