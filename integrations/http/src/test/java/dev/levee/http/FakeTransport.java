package dev.levee.http;

import dev.levee.core.CallContext;
import dev.levee.core.CallFuture;
import dev.levee.core.Deadline;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.jspecify.annotations.Nullable;

/** A client of another kind: it sends when a test says so, and all in one thread. */
final class FakeTransport implements Transport<String, FakeTransport.Request, FakeTransport.Response> {
    record Request(boolean idempotent, boolean replayable) {
        static final Request GET = new Request(true, true);
        static final Request POST = new Request(false, true);
        static final Request STREAM = new Request(true, false);
    }

    record Response(int status, Map<String, String> headers) {
        static Response of(int status) {
            return new Response(status, Map.of());
        }
    }

    static final class Sent extends CallFuture<Response> {
        final String address;
        final @Nullable Deadline deadline = CallContext.current().deadline();
        final int attempt = CallContext.current().attempt();

        @Nullable Throwable cancelled;

        Sent(String address) {
            this.address = address;
            onCancel(reason -> {
                cancelled = reason;
                completeExceptionally(reason);
            });
        }
    }

    final List<Sent> sent = new ArrayList<>();
    final List<Response> discarded = new ArrayList<>();
    final List<CallFuture<Response>> bodies = new ArrayList<>();
    boolean bodiesComeLater;

    /** The ends of bodies that the caller reads; null if responses are handed out with their bodies. */
    @Nullable List<CallFuture<Response>> ends;

    Runnable onBodyEnd = () -> {};

    Sent last() {
        return sent.get(sent.size() - 1);
    }

    List<String> addresses() {
        return sent.stream().map(it -> it.address).toList();
    }

    @Override
    public CompletionStage<Response> send(String address, Request request) {
        sent.add(new Sent(address));
        return last();
    }

    @Override
    public CompletionStage<Response> receive(Response response) {
        if (!bodiesComeLater) {
            return CompletableFuture.completedStage(response);
        }
        CallFuture<Response> body = new CallFuture<>();
        body.onCancel(body::completeExceptionally);
        bodies.add(body);
        return body;
    }

    @Override
    public @Nullable CompletionStage<?> bodyEnd(Response response) {
        if (ends == null) {
            return null;
        }
        onBodyEnd.run();
        if (ends.isEmpty()) {
            ends.add(new CallFuture<>());
        }
        return ends.get(0);
    }

    @Override
    public void discard(Response response) {
        discarded.add(response);
    }

    @Override
    public int status(Response response) {
        return response.status();
    }

    @Override
    public @Nullable String header(Response response, String name) {
        return response.headers().get(name);
    }

    @Override
    public boolean isIdempotent(Request request) {
        return request.idempotent();
    }

    @Override
    public boolean isReplayable(Request request) {
        return request.replayable();
    }
}
