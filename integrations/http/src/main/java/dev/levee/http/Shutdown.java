package dev.levee.http;

import dev.levee.core.Environment;
import dev.levee.core.Scheduler;
import dev.levee.core.internal.Nanos;
import java.io.IOException;
import java.time.Duration;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;

/**
 * The orderly end of a client, as {@code HttpClient} has it from JDK 21 on: calls that have begun run to their end,
 * retries and waits between them included, and no call begins any more. The client inside belongs to the code that made
 * it, and is left as it is. See ADR 78.
 */
class Shutdown { // not final, for tests that shut it down between two of its steps
    private static final long SHUT = 1L << 62;

    private final Environment environment;
    /** The calls that run, and {@link #SHUT} once none may begin. */
    private final AtomicLong calls = new AtomicLong();

    private final CompletableFuture<Boolean> lastCallEnded = new CompletableFuture<>();
    /** A call is put here before it reads {@link #aborted}, which is written before these are read. */
    private final Set<CompletableFuture<?>> asynchronous = ConcurrentHashMap.newKeySet();

    private final Set<BlockedThread> blocking = ConcurrentHashMap.newKeySet();
    private volatile boolean aborted;

    Shutdown(Environment environment) {
        this.environment = environment;
    }

    /** Counts a call that begins. */
    void begin() throws IOException {
        long running;
        do {
            running = calls.get();
            if (running >= SHUT) {
                throw refusal(null);
            }
        } while (!calls.compareAndSet(running, running + 1));
    }

    static IOException refusal(@Nullable Throwable cause) {
        return new IOException("the client has been shut down", cause);
    }

    void end() {
        if (calls.decrementAndGet() == SHUT) {
            lastCallEnded.complete(true);
        }
    }

    /** Counts a call that begins on this thread and blocks it. */
    BlockedThread beginHere() throws IOException {
        begin();
        BlockedThread call = new BlockedThread();
        blocking.add(call);
        if (aborted) {
            call.interrupt();
        }
        return call;
    }

    /** Counts it out; an interrupt by this client does not stay with the thread. */
    void endHere(BlockedThread call) {
        blocking.remove(call);
        call.end();
        end();
    }

    /** Counts a call that begins and ends with a future. */
    @SuppressWarnings("CollectionUndefinedEquality") // futures are equal if they are the same, which is meant
    <T> CompletableFuture<T> track(CompletableFuture<T> call) {
        asynchronous.add(call);
        call.whenComplete((result, error) -> {
            asynchronous.remove(call);
            end();
        });
        if (aborted) {
            call.cancel(true);
        }
        return call;
    }

    /** Whether attempts of calls that run must not begin any more. */
    boolean isAborted() {
        return aborted;
    }

    void shutdown() {
        if (calls.getAndUpdate(running -> running | SHUT) == 0) {
            lastCallEnded.complete(true);
        }
    }

    void shutdownNow() {
        aborted = true;
        shutdown();
        asynchronous.forEach(call -> call.cancel(true));
        blocking.forEach(BlockedThread::interrupt);
    }

    boolean isTerminated() {
        return lastCallEnded.isDone();
    }

    boolean awaitTermination(Duration duration) throws InterruptedException {
        if (isTerminated() || duration.isNegative()) {
            return isTerminated();
        }
        CompletableFuture<Boolean> either = lastCallEnded.thenApply(ended -> true);
        Scheduler.Timer timer = environment.schedule(() -> either.complete(false), Nanos.of(duration));
        try {
            return ended(either);
        } finally {
            timer.cancel();
        }
    }

    /** Waits for the end of the last call, without a timer: the environment may be closed already. */
    void awaitTermination() throws InterruptedException {
        ended(lastCallEnded);
    }

    private static boolean ended(CompletableFuture<Boolean> end) throws InterruptedException {
        try {
            return end.get();
        } catch (ExecutionException impossible) {
            throw new IllegalStateException(impossible);
        }
    }

    /** The thread of a call, which is interrupted at most once, and never after the call. */
    static final class BlockedThread {
        private static final int RUNNING = 0;
        private static final int INTERRUPTING = 1;
        private static final int INTERRUPTED = 2;
        private static final int ENDED = 3;

        private final Thread thread = Thread.currentThread();
        private final AtomicInteger state = new AtomicInteger(RUNNING);

        void interrupt() {
            if (state.compareAndSet(RUNNING, INTERRUPTING)) {
                thread.interrupt();
                state.set(INTERRUPTED);
            }
        }

        /** What a call throws that was interrupted: its own interrupt, if it was not one of {@link #interrupt}. */
        InterruptedException own(InterruptedException interrupt) throws IOException {
            if (state.get() == RUNNING) {
                return interrupt;
            }
            throw refusal(interrupt);
        }

        void end() {
            if (!state.compareAndSet(RUNNING, ENDED)) {
                while (state.get() == INTERRUPTING) {
                    Thread.onSpinWait();
                }
                Thread.interrupted();
            }
        }
    }
}
