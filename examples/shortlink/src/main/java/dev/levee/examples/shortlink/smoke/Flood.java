package dev.levee.examples.shortlink.smoke;

import dev.levee.examples.shortlink.front.FrontServer;
import dev.levee.examples.shortlink.node.Code;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * One tenant asks far more than it may, from so many addresses that no limit of a client is in its way: it guesses
 * codes, which no cache holds, so that each guess that is admitted costs a statement.
 *
 * <p>An open loop: a request is sent when it is due, whether or not others have been answered, over a connection that
 * waits for no answer or over a new one. So a service that is slow gets no less. Only where more are without an answer
 * than any service that sheds would leave so, what is due is left out, and counted as not sent.
 */
final class Flood {
    /** How many times as much as the tenant may. */
    static final int TIMES = 10;

    private static final String TENANT = "flood";

    /** More than the front begins and lets wait, as long as it takes to say so: the rate times 0.6 s. */
    private static final int MAX_OUTSTANDING = 900;

    private static final int CLIENTS = 1_000;

    /** An answer that comes later is not waited for. */
    private static final long PATIENCE_NANOS = TimeUnit.SECONDS.toNanos(1);

    private static final int TOO_MANY_REQUESTS = 429;

    private final URI front;
    private long sent;
    private long refused;
    private int most;

    Flood(URI front) {
        this.front = front;
    }

    /** How many requests per second are due. */
    static int rate() {
        return TIMES * FrontServer.tenantRate();
    }

    /** How many requests were sent. */
    long sent() {
        return sent;
    }

    /** How many of them were answered with 429. */
    long refused() {
        return refused;
    }

    /** The most that were without an answer at once. */
    int mostOutstanding() {
        return most;
    }

    /** Floods for a while, and returns when the last answer has come, or is not waited for any more. */
    void run(long nanos) {
        long start = System.nanoTime();
        try (Wires wires = new Wires(nanos + PATIENCE_NANOS)) {
            for (int next = 0; due(next) < nanos; ) {
                next = sendDue(wires, next, System.nanoTime() - start);
                wires.receive(Math.max(0, due(next) - (System.nanoTime() - start)));
            }
            long patience = System.nanoTime() + PATIENCE_NANOS;
            for (long left = PATIENCE_NANOS; wires.outstanding() > 0 && left > 0; left = patience - System.nanoTime()) {
                wires.receive(left);
            }
            most = Math.max(most, wires.mostOutstanding());
        }
    }

    private static long due(int request) {
        return request * TimeUnit.SECONDS.toNanos(1) / rate();
    }

    /** Sends all that are due, and returns the number of the next one. */
    private int sendDue(Wires wires, int first, long now) {
        int next = first;
        for (; due(next) <= now; next++) {
            if (wires.outstanding() < MAX_OUTSTANDING && wires.send(front, request(next), this::received)) {
                sent++;
            }
        }
        return next;
    }

    private void received(@Nullable Answer answer) {
        if (answer != null && answer.status() == TOO_MANY_REQUESTS) {
            refused++;
        }
    }

    private byte[] request(int number) {
        int client = number % CLIENTS;
        return String.join(
                        "\r\n",
                        "GET /" + Code.of("flood " + number, 0) + " HTTP/1.1",
                        "Host: " + front.getAuthority(),
                        "X-Forwarded-For: 10.50." + client / 250 + "." + client % 250,
                        FrontServer.TENANT + ": " + TENANT,
                        "",
                        "")
                .getBytes(StandardCharsets.US_ASCII);
    }
}
