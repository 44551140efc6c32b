package dev.levee.http;

import dev.levee.core.Environment;
import dev.levee.core.Scheduler;
import dev.levee.core.internal.Nanos;
import java.io.IOException;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.MethodType;
import java.net.http.HttpClient;
import java.time.Duration;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;

/**
 * The orderly end of a client, as {@code HttpClient} has it from JDK 21 on: calls that have begun run to their end,
 * retries and waits between them included, and no call begins any more.
 */
final class Shutdown {
    private static final long SHUT = 1L << 62;
    private static final @Nullable MethodHandle SHUTDOWN = inside("shutdown", void.class);
    private static final @Nullable MethodHandle SHUTDOWN_NOW = inside("shutdownNow", void.class);
    private static final @Nullable MethodHandle IS_TERMINATED = inside("isTerminated", boolean.class);
    private static final @Nullable MethodHandle AWAIT_TERMINATION =
            inside("awaitTermination", boolean.class, Duration.class);

    private final HttpClient client;
    private final Environment environment;
    /** The calls that run, and {@link #SHUT} once none may begin. */
    private final AtomicLong calls = new AtomicLong();

    private final CompletableFuture<Boolean> lastCallEnded = new CompletableFuture<>();
    private final Set<CompletableFuture<?>> asynchronous = ConcurrentHashMap.newKeySet();
    private volatile boolean aborted;

    Shutdown(HttpClient client, Environment environment) {
        this.client = client;
        this.environment = environment;
    }

    private static @Nullable MethodHandle inside(String method, Class<?> result, Class<?>... arguments) {
        try {
            return MethodHandles.publicLookup()
                    .findVirtual(HttpClient.class, method, MethodType.methodType(result, arguments));
        } catch (NoSuchMethodException before21) {
            return null;
        } catch (IllegalAccessException e) {
            throw new ExceptionInInitializerError(e);
        }
    }

    /** Counts a call that begins. */
    void begin() throws IOException {
        long running;
        do {
            running = calls.get();
            if (running >= SHUT) {
                throw new IOException("the client has been shut down");
            }
        } while (!calls.compareAndSet(running, running + 1));
    }

    void end() {
        if (calls.decrementAndGet() == SHUT) {
            lastCallEnded.complete(true);
        }
    }

    /** Counts a call that begins and ends with a future. */
    @SuppressWarnings("CollectionUndefinedEquality") // futures are equal if they are the same, which is meant
    <T> CompletableFuture<T> track(CompletableFuture<T> call) {
        asynchronous.add(call);
        call.whenComplete((result, error) -> {
            asynchronous.remove(call);
            end();
        });
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
        // Calls that run may still need the client inside: it ends when the last of them has.
        lastCallEnded.thenRun(() -> ask(SHUTDOWN));
    }

    void shutdownNow() {
        aborted = true;
        shutdown();
        asynchronous.forEach(call -> call.cancel(true));
        ask(SHUTDOWN_NOW);
    }

    boolean isTerminated() {
        if (!lastCallEnded.isDone()) {
            return false;
        }
        Object ended = ask(IS_TERMINATED);
        return ended == null || (boolean) ended;
    }

    boolean awaitTermination(Duration duration) throws InterruptedException {
        long start = environment.clock().nanoTime();
        long nanos = Nanos.of(duration);
        CompletableFuture<Boolean> either = lastCallEnded.thenApply(ended -> true);
        Scheduler.Timer timer = environment.scheduler().schedule(() -> either.complete(false), nanos);
        try {
            if (!either.get()) {
                return false;
            }
        } catch (ExecutionException impossible) {
            throw new IllegalStateException(impossible);
        } finally {
            timer.cancel();
        }
        long left = nanos - (environment.clock().nanoTime() - start);
        Object ended = AWAIT_TERMINATION == null ? null : await(AWAIT_TERMINATION, Duration.ofNanos(Math.max(left, 0)));
        return ended == null || (boolean) ended;
    }

    private Object await(MethodHandle method, Duration left) throws InterruptedException {
        try {
            return (boolean) method.invokeExact(client, left);
        } catch (RuntimeException | Error | InterruptedException thrown) {
            throw thrown;
        } catch (Throwable impossible) {
            throw new IllegalStateException(impossible);
        }
    }

    private @Nullable Object ask(@Nullable MethodHandle method) {
        if (method == null) {
            return null;
        }
        try {
            return method.invoke(client);
        } catch (RuntimeException | Error thrown) {
            throw thrown;
        } catch (Throwable impossible) {
            throw new IllegalStateException(impossible);
        }
    }
}
