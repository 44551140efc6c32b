package dev.levee.console;

import com.sun.net.httpserver.HttpExchange;
import dev.levee.core.Environment;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * Server-sent events: each open page holds a thread, which sends what there is once a second. Without a page there is
 * no thread and no timer. What is sent each second shows also whether the page is still there, and whether the process
 * is. Thread-safe.
 */
final class Streams {
    /** The wait between two messages. */
    static final long PERIOD_NANOS = TimeUnit.SECONDS.toNanos(1);

    private final Board board;
    private final Environment environment;
    private final int max;
    private final AtomicInteger open = new AtomicInteger();
    private volatile boolean closed;

    Streams(Board board, Environment environment, int max) {
        this.board = board;
        this.environment = environment;
        this.max = max;
    }

    /** How many pages follow. */
    int open() {
        return open.get();
    }

    /** Takes a place for a page, which {@link #serve} gives back; false if all are taken. */
    boolean enter() {
        if (!closed && open.incrementAndGet() <= max) {
            return true;
        }
        if (!closed) {
            open.decrementAndGet();
        }
        return false;
    }

    /** Sends until the page is gone or the console closes. */
    void serve(HttpExchange exchange, Places.EndpointPlace place, long afterEvent) throws IOException {
        try {
            exchange.getResponseHeaders().set("Content-Type", "text/event-stream; charset=utf-8");
            exchange.sendResponseHeaders(200, 0);
            send(place, exchange.getResponseBody(), afterEvent);
        } catch (InterruptedException e) {
            // The console closes, or another page needs the thread.
        } finally {
            open.decrementAndGet();
        }
    }

    private void send(Places.EndpointPlace place, OutputStream out, long afterEvent)
            throws IOException, InterruptedException {
        long seen = afterEvent;
        while (!closed) {
            long last = board.events.last();
            String text = "id: " + last + "\ndata: " + board.snapshot(seen) + "\n\n";
            seen = last;
            place.progress(false);
            out.write(text.getBytes(StandardCharsets.UTF_8));
            out.flush();
            place.progress(true);
            environment.scheduler().sleep(PERIOD_NANOS);
        }
    }

    void close() {
        closed = true;
    }
}
