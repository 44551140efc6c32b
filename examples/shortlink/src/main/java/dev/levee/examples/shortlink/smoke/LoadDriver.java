package dev.levee.examples.shortlink.smoke;

import dev.levee.core.consistency.Session;
import dev.levee.examples.shortlink.Reply;
import dev.levee.examples.shortlink.front.FrontServer;
import dev.levee.examples.shortlink.smoke.Request.Kind;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * Sends each request when it is due, whether or not earlier ones have been answered (an open loop). For one thread at a
 * time.
 */
final class LoadDriver {
    /** Long enough to see how long a hanging service hangs, short enough for the run to end. */
    private static final long PATIENCE_NANOS = TimeUnit.SECONDS.toNanos(5);

    private final List<URI> fronts;
    private final boolean readsOwn;
    private int sent;
    private int withoutSession;

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
        return withoutSession;
    }

    /** Sends all requests, and waits for all outcomes. */
    List<Outcome> run(List<Request> requests, long startNanos) {
        try (Wires wires = new Wires(PATIENCE_NANOS)) {
            Run run = new Run(wires, startNanos);
            for (Request request : requests) {
                long left;
                do {
                    left = startNanos + request.atNanos() - System.nanoTime();
                    wires.receive(Math.max(0, left));
                } while (left > 0);
                run.send(request, "");
            }
            while (wires.outstanding() > 0) {
                wires.receive(PATIENCE_NANOS);
            }
            return List.copyOf(run.outcomes);
        }
    }

    private final class Run {
        private final Wires wires;
        private final long startNanos;
        private final List<Outcome> outcomes = new ArrayList<>();

        Run(Wires wires, long startNanos) {
            this.wires = wires;
            this.startNanos = startNanos;
        }

        void send(Request request, String session) {
            URI front = fronts.get(Math.floorMod(sent++, fronts.size()));
            if (!wires.send(front, message(request, session, front), answer -> answered(request, answer))) {
                answered(request, null);
            }
        }

        private void answered(Request request, @Nullable Answer answer) {
            long now = System.nanoTime() - startNanos;
            Outcome outcome = outcome(request, answer, now);
            outcomes.add(outcome);
            if (readsOwn && answer != null && request.kind() == Kind.SHORTEN && outcome.isRight()) {
                send(new Request(now, Kind.OWN, outcome.code(), request.url(), request.client()), session(answer));
            }
        }
    }

    private String session(Answer answer) {
        String session = answer.header(Session.HEADER);
        if (session.isEmpty()) {
            withoutSession++;
        }
        return session;
    }

    private static byte[] message(Request request, String session, URI front) {
        String body = request.kind().shortens() ? request.url() : "";
        List<String> lines = new ArrayList<>();
        lines.add(request.kind().shortens() ? "POST /shorten HTTP/1.1" : "GET /" + request.code() + " HTTP/1.1");
        lines.add("Host: " + front.getAuthority());
        lines.add("X-Forwarded-For: " + request.client());
        lines.add(FrontServer.TENANT + ": " + request.tenant());
        if (request.kind().shortens()) {
            lines.add("Content-Length: " + body.getBytes(StandardCharsets.UTF_8).length);
        }
        if (!request.key().isEmpty()) {
            lines.add(Reply.IDEMPOTENCY_KEY + ": " + request.key());
        }
        if (!session.isEmpty()) {
            lines.add(Session.HEADER + ": " + session);
        }
        return (String.join("\r\n", lines) + "\r\n\r\n" + body).getBytes(StandardCharsets.UTF_8);
    }

    private static Outcome outcome(Request request, @Nullable Answer answer, long now) {
        return answer == null
                ? new Outcome(request, now, 0, "", "", false, false)
                : new Outcome(
                        request,
                        now,
                        answer.status(),
                        answer.header("Location"),
                        answer.header("X-Node"),
                        answer.header("X-Cache").equals("hit"),
                        answer.header(Reply.REPLAYED).equals("true"),
                        answer.header(Reply.COUNTED).equals("true"));
    }
}
