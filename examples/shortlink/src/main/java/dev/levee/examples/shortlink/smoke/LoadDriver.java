package dev.levee.examples.shortlink.smoke;

import dev.levee.core.consistency.Session;
import dev.levee.examples.shortlink.Reply;
import dev.levee.examples.shortlink.front.FrontServer;
import dev.levee.examples.shortlink.smoke.Request.Kind;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.time.Duration;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;

/** Sends each request when it is due, whether or not earlier ones have been answered (an open loop). */
final class LoadDriver {
    /** Long enough to see how long a hanging service hangs, short enough for the run to end. */
    private static final Duration PATIENCE = Duration.ofSeconds(5);

    /** A few threads, so that the driver of the load takes little from what it measures. */
    private static final int THREADS = 2;

    private final HttpClient http = HttpClient.newBuilder()
            .version(HttpClient.Version.HTTP_1_1)
            .executor(Executors.newFixedThreadPool(THREADS, task -> {
                Thread thread = new Thread(task, "driver");
                thread.setDaemon(true);
                return thread;
            }))
            .build();
    private final List<URI> fronts;
    private final boolean readsOwn;
    private final AtomicInteger sent = new AtomicInteger();
    private final AtomicInteger withoutSession = new AtomicInteger();

    /**
     * A driver that sends to each front in turn.
     *
     * @param readsOwn whether each new link is resolved as soon as the answer is there that it was made, by another
     *     front if there is one, and with the session of that answer
     */
    LoadDriver(List<URI> fronts, boolean readsOwn) {
        this.fronts = fronts;
        this.readsOwn = readsOwn;
    }

    /** How many new links came without a session, so that nothing is promised to the one that made them. */
    int withoutSession() {
        return withoutSession.get();
    }

    /** Sends all requests, and waits for all outcomes. */
    List<Outcome> run(List<Request> requests, long startNanos) {
        Queue<Outcome> outcomes = new ConcurrentLinkedQueue<>();
        CompletableFuture<?>[] pending = requests.stream()
                .map(request -> {
                    waitUntil(startNanos + request.atNanos());
                    return send(request, "", startNanos, outcomes);
                })
                .toArray(CompletableFuture<?>[]::new);
        CompletableFuture.allOf(pending).join();
        return List.copyOf(outcomes);
    }

    private CompletableFuture<?> send(Request request, String session, long startNanos, Queue<Outcome> outcomes) {
        return http.sendAsync(message(request, session), BodyHandlers.discarding())
                .handle((response, error) -> {
                    long now = System.nanoTime() - startNanos;
                    Outcome outcome = outcome(request, response, now);
                    outcomes.add(outcome);
                    return readsOwn && response != null && request.kind() == Kind.SHORTEN && outcome.isRight()
                            ? send(own(request, outcome, now), session(response), startNanos, outcomes)
                            : CompletableFuture.completedFuture(outcome);
                })
                .thenCompose(last -> last);
    }

    private static Request own(Request request, Outcome made, long now) {
        return new Request(now, Kind.OWN, made.code(), request.url(), request.client());
    }

    private String session(HttpResponse<?> response) {
        String session = header(response, Session.HEADER);
        if (session.isEmpty()) {
            withoutSession.incrementAndGet();
        }
        return session;
    }

    private static void waitUntil(long nanoTime) {
        for (long left = nanoTime - System.nanoTime(); left > 0; left = nanoTime - System.nanoTime()) {
            LockSupport.parkNanos(left);
        }
    }

    private HttpRequest message(Request request, String session) {
        URI front = fronts.get(Math.floorMod(sent.getAndIncrement(), fronts.size()));
        HttpRequest.Builder builder = request.kind().shortens()
                ? HttpRequest.newBuilder(front.resolve("/shorten")).POST(BodyPublishers.ofString(request.url()))
                : HttpRequest.newBuilder(front.resolve("/" + request.code()));
        if (!request.key().isEmpty()) {
            builder.header(Reply.IDEMPOTENCY_KEY, request.key());
        }
        if (!session.isEmpty()) {
            builder.header(Session.HEADER, session);
        }
        return builder.header("X-Forwarded-For", request.client())
                .header(FrontServer.TENANT, request.tenant())
                .timeout(PATIENCE)
                .build();
    }

    private static Outcome outcome(Request request, @Nullable HttpResponse<?> response, long now) {
        return response == null
                ? new Outcome(request, now, 0, "", "", false, false)
                : new Outcome(
                        request,
                        now,
                        response.statusCode(),
                        header(response, "Location"),
                        header(response, "X-Node"),
                        header(response, "X-Cache").equals("hit"),
                        header(response, Reply.REPLAYED).equals("true"),
                        header(response, Reply.COUNTED).equals("true"));
    }

    private static String header(HttpResponse<?> response, String name) {
        return response.headers().firstValue(name).orElse("");
    }
}
