package dev.levee.examples.shortlink.smoke;

import dev.levee.examples.shortlink.Reply;
import dev.levee.examples.shortlink.front.FrontServer;
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
    private final URI front;

    LoadDriver(URI front) {
        this.front = front;
    }

    /** Sends all requests, and waits for all outcomes. */
    List<Outcome> run(List<Request> requests, long startNanos) {
        Queue<Outcome> outcomes = new ConcurrentLinkedQueue<>();
        CompletableFuture<?>[] pending = requests.stream()
                .map(request -> {
                    waitUntil(startNanos + request.atNanos());
                    return http.sendAsync(message(request), BodyHandlers.discarding())
                            .handle((response, error) ->
                                    outcomes.add(outcome(request, response, System.nanoTime() - startNanos)));
                })
                .toArray(CompletableFuture<?>[]::new);
        CompletableFuture.allOf(pending).join();
        return List.copyOf(outcomes);
    }

    private static void waitUntil(long nanoTime) {
        for (long left = nanoTime - System.nanoTime(); left > 0; left = nanoTime - System.nanoTime()) {
            LockSupport.parkNanos(left);
        }
    }

    private HttpRequest message(Request request) {
        HttpRequest.Builder builder = request.kind().shortens()
                ? HttpRequest.newBuilder(front.resolve("/shorten")).POST(BodyPublishers.ofString(request.url()))
                : HttpRequest.newBuilder(front.resolve("/" + request.code()));
        if (!request.key().isEmpty()) {
            builder.header(Reply.IDEMPOTENCY_KEY, request.key());
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
