package dev.levee.pipelines;

import static org.assertj.core.api.Assertions.assertThat;

import dev.levee.core.CallContext;
import dev.levee.core.Deadline;
import dev.levee.core.Environment;
import dev.levee.core.Listener;
import dev.levee.core.Pipeline;
import dev.levee.core.Policy;
import dev.levee.core.Verdict;
import dev.levee.core.policy.RetryBudget;
import dev.levee.core.testing.ManualTime;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReferenceArray;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.Size;

/**
 * Any policies in any order, around work that behaves in any way, with callers that cancel and interrupt: permits are
 * conserved, no timer is left, no attempt starts after the deadline, the budget is kept, and each call has one outcome.
 */
class RandomPipelinesTest {
    private static final int CALLS = 6;

    /** What a listener throws must change nothing. */
    static final Listener HOSTILE = new Listener() {
        @Override
        public void onRefused(Policy.Kind kind, String policy) {
            throw new IllegalStateException("onRefused");
        }

        @Override
        public void onOutcome(Policy.Kind kind, String policy, Verdict verdict, long elapsedNanos) {
            throw new IllegalStateException("onOutcome");
        }

        @Override
        public void onAttempt(Policy.Kind kind, String policy, int attempt, long delayNanos) {
            throw new IllegalStateException("onAttempt");
        }

        @Override
        public void onDegraded(Policy.Kind kind, String policy, String source, Throwable error) {
            throw new IllegalStateException("onDegraded");
        }
    };

    /** A pipeline with a spy outside of everything and one next to the work. */
    private static final class Subject {
        final Random random;
        final Environment environment;
        final Spy outermost;
        final Spy innermost;
        final CountedBudget budget;
        final Pipeline pipeline;
        final Operations operations;

        Subject(List<Part> parts, long seed, Environment environment) {
            this.random = new Random(seed);
            this.environment = random.nextInt(4) == 0
                    ? environment.toBuilder().listener(HOSTILE).build()
                    : environment;
            this.outermost = new Spy("outermost", this.environment);
            this.innermost = new Spy("innermost", this.environment);
            this.budget = new CountedBudget(RetryBudget.of("budget", 0.5, 0, 2, this.environment));
            List<Policy> policies = new ArrayList<>();
            policies.add(outermost);
            for (Part part : parts) {
                policies.add(part.make(part + "-" + policies.size(), random, budget, this.environment));
            }
            policies.add(innermost);
            this.pipeline = Pipeline.of(policies.toArray(new Policy[0]));
            this.operations = new Operations(new Random(seed + 1), this.environment);
        }

        /** A context with a deadline or without, for calls that may be repeated or not. */
        synchronized CallContext context() {
            CallContext context = CallContext.current().withIdempotent(random.nextInt(4) > 0);
            return random.nextBoolean()
                    ? context
                    : context.withDeadline(
                            Deadline.after(Duration.ofNanos(1 + random.nextInt(500_000_000)), environment.clock()));
        }

        /** What must hold when all calls and all work have ended. */
        void assertAtRest(int calls) {
            operations.assertNoComplaints();
            assertThat(outermost.entered()).as("calls").isEqualTo(calls);
            for (Spy spy : List.of(outermost, innermost)) {
                assertThat(spy.inside()).as("inside of " + spy.name()).isZero();
                assertThat(spy.strangers())
                        .as("second exits from " + spy.name())
                        .isZero();
            }
            Part.assertNothingHeld(pipeline);
            assertThat(operations.started())
                    .as("attempts")
                    .isEqualTo((int) innermost.entered())
                    .isLessThanOrEqualTo(calls + budget.withdrawn());
            assertThat(budget.withdrawn()).as("extra attempts").isLessThanOrEqualTo(2 + calls * parts() / 2);
        }

        /** Each retry and each hedge tells of its first attempts. */
        private int parts() {
            return pipeline.policies().size() - 2;
        }
    }

    @Property(tries = 2000)
    void asynchronous_calls(@ForAll @Size(min = 1, max = 6) List<Part> parts, @ForAll long seed) {
        ManualTime time = new ManualTime().seed(seed);
        Subject subject = new Subject(parts, seed, time.environment());
        Random random = subject.random;
        List<CompletableFuture<String>> calls = new ArrayList<>();
        AtomicInteger outcomes = new AtomicInteger();

        for (int i = 0; i < CALLS; i++) {
            CompletableFuture<String> call =
                    subject.context().call(() -> subject.pipeline.callAsync(subject.operations::start));
            call.whenComplete((result, error) -> outcomes.incrementAndGet());
            calls.add(call);
            if (random.nextInt(3) == 0) {
                calls.get(random.nextInt(calls.size())).cancel(true);
            }
            time.advance(Duration.ofNanos(random.nextInt(150_000_000)));
            if (random.nextInt(3) == 0) {
                calls.get(random.nextInt(calls.size())).cancel(true);
            }
        }
        time.runReady();
        for (int i = 0; !atRest(subject, calls); i++) {
            assertThat(i).as("minutes after which something still runs").isLessThan(60);
            time.advance(Duration.ofMinutes(1));
        }

        subject.assertAtRest(CALLS);
        assertThat(outcomes).hasValue(CALLS);
        assertThat(time.pendingTimers()).as("timers left").isEqualTo(subject.operations.timers());
        assertThat(time.pendingTasks()).as("tasks left").isZero();
        for (CompletableFuture<String> call : calls) {
            if (!call.isCompletedExceptionally()) {
                assertThat(call.join()).isIn(Operations.RESULT, Operations.SUBSTITUTE, null);
            }
        }
    }

    private static boolean atRest(Subject subject, List<CompletableFuture<String>> calls) {
        return calls.stream().allMatch(CompletableFuture::isDone) && subject.operations.allEnded();
    }

    @Property(tries = 300)
    void blocking_calls(@ForAll @Size(min = 1, max = 6) List<Part> parts, @ForAll long seed)
            throws InterruptedException {
        ManualTime time = new ManualTime().seed(seed);
        Queue<Thread> workers = new ConcurrentLinkedQueue<>();
        Environment threads = time.environment().toBuilder()
                .executor(task -> workers.add(time.start("worker", task)))
                .build();
        Subject subject = new Subject(parts, seed, threads);
        int calls = 3;
        AtomicInteger outcomes = new AtomicInteger();
        AtomicReferenceArray<String> complaints = new AtomicReferenceArray<>(calls);
        List<Thread> callers = new ArrayList<>();
        for (int i = 0; i < calls; i++) {
            int number = i;
            long wait = subject.random.nextInt(100_000_000);
            boolean interrupts = subject.random.nextInt(3) == 0;
            long until = subject.random.nextInt(300_000_000);
            Thread caller = time.start("caller", () -> {
                try {
                    threads.scheduler().sleep(wait);
                    String result =
                            subject.context().call(() -> subject.pipeline.callInterruptibly(subject.operations::run));
                    if (result != null && !result.equals(Operations.RESULT) && !result.equals(Operations.SUBSTITUTE)) {
                        complaints.set(number, "got " + result);
                    }
                } catch (Throwable failed) {
                    // one of the things that may happen
                }
                outcomes.incrementAndGet();
                if (Thread.interrupted() && !interrupts) {
                    complaints.set(number, "interrupted without a cause");
                }
            });
            callers.add(caller);
            if (interrupts) {
                time.start("interrupter", () -> {
                    try {
                        threads.scheduler().sleep(until);
                        caller.interrupt();
                    } catch (InterruptedException impossible) {
                        throw new AssertionError(impossible);
                    }
                });
            }
        }
        time.autoAdvance();
        for (Thread caller : callers) {
            assertEnds(caller);
        }
        for (Thread worker : workers) { // may go on when its caller has what it waited for
            assertEnds(worker);
        }

        assertThat(outcomes).hasValue(calls);
        for (int i = 0; i < calls; i++) {
            assertThat(complaints.get(i)).isNull();
        }
        subject.assertAtRest((int) subject.outermost.entered());
        assertThat(time.pendingTimers()).as("timers left").isZero();
        assertThat(time.pendingTasks()).as("tasks left").isZero();
    }

    private static void assertEnds(Thread thread) throws InterruptedException {
        thread.join(10_000);
        assertThat(thread.isAlive()).as(thread + " still runs").isFalse();
    }
}
