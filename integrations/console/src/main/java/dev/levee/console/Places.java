package dev.levee.console;

import dev.levee.core.NanoClock;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import org.jspecify.annotations.Nullable;

/**
 * The threads that serve requests at present. One that has got no further for a while, because its client sends or
 * takes nothing, is interrupted when another request needs a thread: that closes its connection. Thread-safe.
 */
final class Places {
    /** After so long without progress a request may lose its thread. */
    static final long STUCK_NANOS = TimeUnit.SECONDS.toNanos(10);

    /** That of a thread of any console, which belongs to one alone. */
    private static final ThreadLocal<@Nullable EndpointPlace> OF_THREAD = new ThreadLocal<>();

    private final NanoClock clock;
    private final Set<EndpointPlace> taken = ConcurrentHashMap.newKeySet();

    Places(NanoClock clock) {
        this.clock = clock;
    }

    /** One thread; it is interrupted only between {@link #enter} and {@link #leave}. */
    final class EndpointPlace {
        private final Thread thread = Thread.currentThread();
        private final AtomicBoolean held = new AtomicBoolean(true);
        private volatile boolean interrupted;
        private volatile boolean waits;
        private volatile long sinceNanos = clock.nanoTime();

        /** Says that this request has got further, and whether it now waits for time and not for its client. */
        void progress(boolean waitsNow) {
            sinceNanos = clock.nanoTime();
            waits = waitsNow;
        }

        private void interrupt() {
            if (held.compareAndSet(true, false)) {
                thread.interrupt();
                interrupted = true;
            }
        }

        void leave() {
            OF_THREAD.remove();
            taken.remove(this);
            if (!held.compareAndSet(true, false)) {
                while (!interrupted) {
                    Thread.onSpinWait(); // for the two steps of the method above
                }
                Thread.interrupted(); // it was for this request, and not for the next one of the thread
            }
        }
    }

    /** Takes a place for what this thread begins. */
    void enter() {
        EndpointPlace place = new EndpointPlace();
        taken.add(place);
        OF_THREAD.set(place);
    }

    /** The place of this thread, between {@link #enter} and its end. */
    EndpointPlace current() {
        return Objects.requireNonNull(OF_THREAD.get());
    }

    /** Interrupts those that are stuck. */
    void evict() {
        long now = clock.nanoTime();
        for (EndpointPlace place : taken) {
            if (!place.waits && now - place.sinceNanos >= STUCK_NANOS) {
                place.interrupt();
            }
        }
    }

    /** Interrupts all. */
    void close() {
        taken.forEach(EndpointPlace::interrupt);
    }
}
