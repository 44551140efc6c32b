package dev.levee.examples.shortlink.node;

import com.sun.net.httpserver.HttpExchange;
import dev.levee.core.CallContext;
import dev.levee.core.Deadline;
import dev.levee.core.DeadlineExpiredException;
import dev.levee.core.Environment;
import dev.levee.core.NanoClock;
import dev.levee.core.consistency.Consistency;
import dev.levee.core.consistency.Session;
import dev.levee.core.idempotency.FingerprintMismatchException;
import dev.levee.core.idempotency.IdempotencyRefusedException;
import dev.levee.examples.shortlink.Backends;
import dev.levee.examples.shortlink.Reply;
import dev.levee.examples.shortlink.Urls;
import dev.levee.examples.shortlink.UsageException;
import dev.levee.examples.shortlink.WebServer;
import dev.levee.examples.shortlink.Without;
import dev.levee.examples.shortlink.engines.RedisConnection;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.sql.SQLException;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Shortens and resolves over HTTP. A request has a thread for as long as it takes, so the guards see to it that it is
 * short.
 */
public final class NodeServer {
    private static final Logger LOG = LoggerFactory.getLogger(NodeServer.class);
    private static final int THREADS = 16;

    /** Two more than statements, for what asks whether a database is there. */
    private static final int CONNECTIONS = NodeGuards.STATEMENTS_AT_ONCE + 2;

    private static final int MAX_KEY = 255;

    private final String name;
    private final LinkTable table;
    private final NodeGuards guards;
    private final ClickCounter clicks;
    private final NanoClock clock;
    private final boolean sessions;

    private NodeServer(
            String name, LinkTable table, NodeGuards guards, ClickCounter clicks, NanoClock clock, boolean sessions) {
        this.clock = clock;
        this.sessions = sessions;
        this.name = name;
        this.table = table;
        this.guards = guards;
        this.clicks = clicks;
    }

    /**
     * Starts a node.
     *
     * @param port the port, 0 for any
     * @param name what it calls itself in its answers
     * @param backends where the database is, and what else there is
     * @param journal the folder of clicks that the database has not got, for one process at a time
     * @param without what is taken out
     * @param environment for all policies
     * @return the server
     * @throws UsageException if the port or the folder is in use
     */
    public static WebServer start(
            int port, String name, Backends backends, Path journal, Without without, Environment environment)
            throws UsageException {
        try {
            NodeGuards.rehearse(without);
        } catch (SQLException e) {
            throw new IllegalStateException("the rehearsal failed", e);
        }
        LinkTable table = LinkTable.of(backends, CONNECTIONS, environment);
        String source = name + "/" + System.currentTimeMillis();
        ClickCounter clicks = ClickCounter.open(backends.primary(), source, journal, environment);
        RedisConnection redis = backends.redis() == null ? null : RedisConnection.to(backends.redis());
        NodeGuards guards =
                new NodeGuards(without, redis == null ? null : redis.client(), backends.replica() != null, environment);
        NodeServer node = new NodeServer(name, table, guards, clicks, environment.clock(), backends.replica() != null);
        return WebServer.start(port, THREADS, node::handle, () -> {
                    clicks.close();
                    table.close();
                    guards.links().close();
                    if (redis != null) {
                        redis.close();
                    }
                })
                .measuredBy(guards);
    }

    private void handle(HttpExchange exchange) {
        Reply reply;
        try {
            reply = inTime(exchange);
        } catch (Exception e) {
            LOG.error("{} {} failed", exchange.getRequestMethod(), exchange.getRequestURI(), e);
            reply = Reply.of(500, "internal error");
        }
        reply.with("X-Node", name).send(exchange);
    }

    /** What the sender still waits for bounds everything here: see the timeout in {@link NodeGuards}. */
    private Reply inTime(HttpExchange exchange) throws Exception {
        List<String> left = exchange.getRequestHeaders().get(Deadline.HEADER);
        if (left == null) {
            return asFresh(exchange);
        }
        Deadline deadline;
        try {
            deadline = Deadline.ofHeader(String.join(",", left), clock);
            deadline.refuseIfExpired("request");
        } catch (IllegalArgumentException e) {
            return Reply.of(400, Deadline.HEADER + ": " + e.getMessage());
        } catch (DeadlineExpiredException e) {
            return Reply.of(503, "the deadline of this request has passed").with("Retry-After", 1);
        }
        return CallContext.current().withDeadline(deadline).call(() -> asFresh(exchange));
    }

    /**
     * What the sender has written and seen bounds what a replica may answer: a request with a session reads no less
     * than that, and one without reads what is at hand. The answer says what the sender has written and seen by then.
     */
    private Reply asFresh(HttpExchange exchange) throws Exception {
        if (!sessions) {
            return answer(exchange);
        }
        List<String> lines = exchange.getRequestHeaders().get(Session.HEADER);
        if (lines == null && exchange.getRequestMethod().equals("GET")) {
            return CallContext.current().withConsistency(Consistency.eventual()).call(() -> answer(exchange));
        }
        Session session;
        try {
            session = Session.parse(lines == null ? "" : String.join(",", lines));
        } catch (IllegalArgumentException e) {
            return Reply.of(400, Session.HEADER + ": " + e.getMessage());
        }
        Reply reply = CallContext.current()
                .withSession(session)
                .withConsistency(Consistency.session())
                .call(() -> answer(exchange));
        String seen = session.toHeader();
        return seen.isEmpty() ? reply : reply.with(Session.HEADER, seen);
    }

    private Reply answer(HttpExchange exchange) throws IOException, SQLException {
        String path = exchange.getRequestURI().getPath();
        String route = exchange.getRequestMethod() + " " + path;
        if (route.equals("GET /healthz")) {
            return Reply.of(200, "ok");
        }
        if (route.equals("POST /shorten")) {
            String text = new String(exchange.getRequestBody().readAllBytes(), StandardCharsets.UTF_8).strip();
            String host = header(exchange, "X-Forwarded-Host", header(exchange, "Host", "localhost"));
            String key = exchange.getRequestHeaders().getFirst(Reply.IDEMPOTENCY_KEY);
            return guards.orUnavailable(() -> shorten(text, key, "http://" + host + "/"));
        }
        if (route.startsWith("GET /") && Code.isOne(path.substring(1))) {
            return guards.orUnavailable(() -> resolve(path.substring(1)));
        }
        return Reply.of(404, "there is POST /shorten with a URL as its body, GET /{code} and GET /healthz");
    }

    private Reply shorten(String text, @Nullable String key, String base) throws SQLException {
        String url;
        try {
            url = Urls.require(text);
        } catch (UsageException e) {
            return Reply.of(400, String.valueOf(e.getMessage()));
        }
        return key == null ? created(base + guards.database(() -> table.add(url))) : shortenOnce(key, url, base);
    }

    /** The answer to the first request with a key is the answer to all of them. */
    private Reply shortenOnce(String key, String url, String base) throws SQLException {
        if (key.isBlank() || key.length() > MAX_KEY) {
            return Reply.of(400, Reply.IDEMPOTENCY_KEY + " has 1 to " + MAX_KEY + " characters");
        }
        try {
            LinkTable.Once once = guards.database(() -> table.addOnce(key, url));
            Reply created = created(base + once.code());
            return once.replayed() ? created.with(Reply.REPLAYED, true) : created;
        } catch (FingerprintMismatchException e) {
            return Reply.of(422, "this " + Reply.IDEMPOTENCY_KEY + " was used for another URL");
        } catch (IdempotencyRefusedException e) {
            return Reply.of(409, "the first request with this " + Reply.IDEMPOTENCY_KEY + " is still in progress")
                    .with("Retry-After", 1);
        }
    }

    private static Reply created(String link) {
        return Reply.of(201, link).with("Location", link);
    }

    /** Cache-aside: reads the cache, then the database, and stores what was found in the cache. */
    private Reply resolve(String code) throws SQLException {
        String cached = guards.links().getIfPresent(code);
        String url = cached != null ? cached : guards.links().get(code, this::load);
        if (url == null && Objects.equals(CallContext.current().consistency(), Consistency.session())) {
            url = load(code); // that a load of another call has found nothing says nothing about this session
        }
        if (url == null) {
            return Reply.of(404, "no such link");
        }
        return Reply.of(302, url)
                .with("Location", url)
                .with("X-Cache", cached != null ? "hit" : "miss")
                .with(Reply.COUNTED, clicks.count(code));
    }

    private @Nullable String load(String code) throws SQLException {
        return guards.database(() -> table.find(code)).orElse(null);
    }

    private static String header(HttpExchange exchange, String name, String otherwise) {
        String value = exchange.getRequestHeaders().getFirst(name);
        return value == null ? otherwise : value;
    }
}
