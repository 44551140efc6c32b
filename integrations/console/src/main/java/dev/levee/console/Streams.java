package dev.levee.console;

import com.sun.net.httpserver.HttpExchange;
import dev.levee.core.Environment;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * Server-sent events: each open page holds a thread, which sends what there is once a second. Without a page there is
 * no thread and no timer. What is sent each second shows also whether the page is still there. A page that takes
 * nothing for a while loses its place when another one needs it. Thread-safe.
 */
final class Streams {
    /** The wait between two messages. */
    static final long PERIOD_NANOS = TimeUnit.SECONDS.toNanos(1);

    /** After so long without having taken a message a page may lose its place. */
    private static final long STUCK_NANOS = TimeUnit.SECONDS.toNanos(10);

    private final Board board;
    private final Environment environment;
    private final int max;
    private final AtomicInteger open = new AtomicInteger();
    private final Set<Place> places = ConcurrentHashMap.newKeySet();
    private volatile boolean closed;

    Streams(Board board, Environment environment, int max) {
        this.board = board;
        this.environment = environment;
        this.max = max;
    }

    /** A thread that serves a page; it is interrupted while it does, and at no other time. */
    private static final class Place {
        final Thread thread = Thread.currentThread();
        final AtomicBoolean held = new AtomicBoolean(true);
        volatile long sinceNanos;
        volatile boolean sending;

        void interrupt() {
            if (held.compareAndSet(true, false)) {
                thread.interrupt(); // closes the channel if the thread is writing to it
            }
        }

        void leave() {
            if (!held.compareAndSet(true, false)) {
                // The interrupt is on its way, and belongs to this page.
                while (!Thread.interrupted()) {
                    Thread.onSpinWait();
                }
            }
        }
    }

    /** How many pages follow. */
    int open() {
        return open.get();
    }

    /** Takes a place for the calling thread; false if all are taken. */
    boolean enter() {
        if (closed) {
            return false;
        }
        if (open.incrementAndGet() <= max) {
            return true;
        }
        open.decrementAndGet();
        long now = environment.clock().nanoTime();
        for (Place place : places) {
            if (place.sending && now - place.sinceNanos >= STUCK_NANOS) {
                place.interrupt(); // free for the next attempt
            }
        }
        return false;
    }

    /** Sends until the page is gone or the console closes; gives the place back. */
    void serve(HttpExchange exchange, long afterEvent) throws IOException {
        Place place = new Place();
        places.add(place);
        try (exchange) {
            exchange.getResponseHeaders().set("Content-Type", "text/event-stream; charset=utf-8");
            exchange.sendResponseHeaders(200, 0);
            OutputStream out = exchange.getResponseBody();
            send(place, out, afterEvent);
        } catch (InterruptedException e) {
            // The console closes, or another page needs the place.
        } finally {
            places.remove(place);
            place.leave();
            open.decrementAndGet();
        }
    }

    private void send(Place place, OutputStream out, long afterEvent) throws IOException, InterruptedException {
        long seen = afterEvent;
        while (!closed) {
            long last = board.events.last();
            String text = "id: " + last + "\ndata: " + board.snapshot(seen) + "\n\n";
            seen = last;
            place.sinceNanos = environment.clock().nanoTime();
            place.sending = true;
            out.write(text.getBytes(StandardCharsets.UTF_8));
            out.flush();
            place.sending = false;
            environment.scheduler().sleep(PERIOD_NANOS);
        }
    }

    void close() {
        closed = true;
        places.forEach(Place::interrupt);
    }
}
