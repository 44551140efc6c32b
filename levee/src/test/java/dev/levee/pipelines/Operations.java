package dev.levee.pipelines;

import static org.assertj.core.api.Assertions.assertThat;

import dev.levee.core.CallContext;
import dev.levee.core.Deadline;
import dev.levee.core.Environment;
import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.Queue;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicInteger;

/** Work that behaves in every way there is, by lot; it looks itself that no attempt starts after its deadline. */
final class Operations {
    static final String RESULT = "result";
    static final String SUBSTITUTE = "substitute";

    private final Random random;
    private final Environment environment;
    private final AtomicInteger started = new AtomicInteger();
    private final AtomicInteger timers = new AtomicInteger();
    private final Queue<String> complaints = new ConcurrentLinkedQueue<>();
    private final Queue<CompletableFuture<?>> sources = new ConcurrentLinkedQueue<>();

    Operations(Random random, Environment environment) {
        this.random = random;
        this.environment = environment;
    }

    int started() {
        return started.get();
    }

    /** Timers of this object that wait, and are no policy's. */
    int timers() {
        return timers.get();
    }

    boolean allEnded() {
        return sources.stream().allMatch(CompletableFuture::isDone);
    }

    List<String> complaints() {
        return List.copyOf(complaints);
    }

    private int draw(int bound) {
        synchronized (random) { // threads draw too
            return random.nextInt(bound);
        }
    }

    private void begin() {
        started.incrementAndGet();
        Deadline deadline = CallContext.current().deadline();
        if (deadline != null && deadline.isExpired()) {
            complaints.add("an attempt started after its deadline");
        }
    }

    private Throwable failure() {
        return switch (draw(4)) {
            case 0 -> new IOException("disk");
            case 1 -> new IllegalStateException("bug");
            case 2 -> new StackOverflowError("deep");
            default -> new java.net.ConnectException("refused");
        };
    }

    /** Blocking work. */
    String run() throws Exception {
        begin();
        return switch (draw(8)) {
            case 0 -> null;
            case 1 -> throw sneaky(failure());
            case 2 -> {
                environment.scheduler().sleep(draw(400_000_000));
                throw sneaky(failure());
            }
            case 3 -> {
                environment.scheduler().sleep(draw(400_000_000));
                yield RESULT;
            }
            case 4 -> {
                environment.scheduler().sleep(Duration.ofMinutes(10).toNanos()); // hangs
                yield RESULT;
            }
            case 5 -> {
                stubborn(draw(400_000_000));
                yield RESULT;
            }
            default -> RESULT;
        };
    }

    /** Runs to its end despite interrupts, and reports afterwards that it was interrupted. */
    private void stubborn(long nanos) {
        long start = environment.clock().nanoTime();
        boolean interrupted = false;
        for (long left = nanos; left > 0; left = nanos - (environment.clock().nanoTime() - start)) {
            try {
                environment.scheduler().sleep(left);
            } catch (InterruptedException ignored) {
                interrupted = true;
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }

    private static Exception sneaky(Throwable thrown) throws Exception {
        if (thrown instanceof Error error) {
            throw error;
        }
        return (Exception) thrown;
    }

    /** Asynchronous work. */
    CompletionStage<String> start() {
        begin();
        CompletableFuture<String> stubborn = new CompletableFuture<>() {
            @Override
            public boolean cancel(boolean mayInterruptIfRunning) {
                return false;
            }
        };
        return switch (draw(10)) {
            case 0 -> CompletableFuture.completedFuture(null);
            case 1 -> CompletableFuture.failedFuture(failure());
            case 2 -> later(new CompletableFuture<>(), draw(400_000_000), failure());
            case 3 -> later(new CompletableFuture<>(), draw(400_000_000), null);
            case 4 -> later(new CompletableFuture<>(), 600_000_000_000L, null); // hangs
            case 5 -> later(stubborn, draw(400_000_000), null);
            case 6 -> null;
            case 7 -> throw new IllegalStateException("threw before it began");
            default -> CompletableFuture.completedFuture(RESULT);
        };
    }

    private CompletableFuture<String> later(CompletableFuture<String> source, long nanos, Throwable failure) {
        sources.add(source);
        timers.incrementAndGet();
        environment
                .scheduler()
                .schedule(
                        () -> {
                            timers.decrementAndGet();
                            if (failure == null) {
                                source.complete(RESULT);
                                source.complete("twice");
                            } else {
                                source.completeExceptionally(failure);
                            }
                        },
                        nanos);
        return source;
    }

    void assertNoComplaints() {
        assertThat(complaints()).isEmpty();
    }
}
