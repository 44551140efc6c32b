package dev.levee.console;

import com.sun.net.httpserver.Headers;
import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import dev.levee.console.RequestGuard.Refusal;
import dev.levee.core.Environment;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.SynchronousQueue;
import java.util.concurrent.ThreadFactory;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;

/** Answers requests: a few files of the jar, the figures, and the buttons. A path is looked up in a fixed list. */
final class ConsoleServer {
    /** The largest request of a button, in bytes. */
    static final int MAX_BODY = 4096;

    /** Threads for what is not a stream. */
    private static final int OTHER_THREADS = 8;

    private static final int TOO_LARGE = 413;

    private static final String JSON = "application/json; charset=utf-8";

    private static final Map<String, Asset> ASSETS = Map.of(
            "/", Asset.load("page.html", "text/html; charset=utf-8"),
            "/page.css", Asset.load("page.css", "text/css; charset=utf-8"),
            "/page.js", Asset.load("page.js", "text/javascript; charset=utf-8"),
            "/icon.svg", Asset.load("icon.svg", "image/svg+xml"));

    private final Board board;
    private final RequestGuard guard;
    private final Streams streams;
    private final Places places;
    private final HttpServer server;
    private final ThreadPoolExecutor threads;

    ConsoleServer(ConsoleConfig config, Board board, Environment environment) throws IOException {
        this.board = board;
        this.streams = new Streams(board, environment, config.streams());
        this.places = new Places(environment.clock());
        this.server = HttpServer.create(new InetSocketAddress(config.bind(), config.port()), 0);
        this.guard = new RequestGuard(config, server.getAddress().getPort());
        AtomicInteger numbers = new AtomicInteger();
        this.threads = new RequestThreads(config.streams() + OTHER_THREADS, places, task -> {
            Thread thread = new Thread(task, "levee-console-" + numbers.incrementAndGet());
            thread.setDaemon(true);
            return thread;
        });
        server.setExecutor(threads);
        server.createContext("/", this::handle);
        server.start();
    }

    InetSocketAddress address() {
        return server.getAddress();
    }

    int streams() {
        return streams.open();
    }

    void close() {
        streams.close();
        places.close();
        server.stop(0);
        threads.shutdownNow();
    }

    private void handle(HttpExchange exchange) throws IOException {
        places.evict();
        Places.EndpointPlace place = places.current();
        place.progress(false); // its head has come
        secure(exchange.getResponseHeaders());
        try {
            Refusal refusal = guard.refusal(exchange);
            if (refusal == null) {
                refusal = answer(exchange, place);
            }
            if (refusal != null) {
                refuse(exchange, refusal);
            }
        } finally {
            exchange.close();
        }
    }

    private static void secure(Headers headers) {
        headers.set(
                "Content-Security-Policy",
                "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
                        + "base-uri 'none'; form-action 'none'; frame-ancestors 'none'; "
                        + "require-trusted-types-for 'script'; trusted-types 'none'");
        headers.set("X-Frame-Options", "DENY");
        headers.set("X-Content-Type-Options", "nosniff");
        headers.set("Referrer-Policy", "no-referrer");
        headers.set("Cross-Origin-Opener-Policy", "same-origin");
        headers.set("Cross-Origin-Resource-Policy", "same-origin");
        headers.set("Cache-Control", "no-store");
    }

    /** Answers, or returns why not. */
    private @Nullable Refusal answer(HttpExchange exchange, Places.EndpointPlace place) throws IOException {
        String path = exchange.getRequestURI().getRawPath();
        Asset asset = ASSETS.get(path == null ? "" : path);
        if (asset != null) {
            Refusal refusal = method(exchange, "GET", "HEAD");
            if (refusal == null) {
                send(exchange, 200, asset.type, asset.bytes);
            }
            return refusal;
        }
        return switch (path == null ? "" : path) {
            case "/api/snapshot" -> snapshot(exchange);
            case "/api/stream" -> stream(exchange, place);
            case "/api/press" -> press(exchange, place);
            default -> new Refusal(404, "there is no such page");
        };
    }

    private @Nullable Refusal snapshot(HttpExchange exchange) throws IOException {
        Refusal refusal = method(exchange, "GET", "HEAD");
        if (refusal == null) {
            refusal = guard.readRefusal(exchange);
        }
        if (refusal == null) {
            send(exchange, 200, JSON, board.snapshot(0).getBytes(StandardCharsets.UTF_8));
        }
        return refusal;
    }

    private @Nullable Refusal stream(HttpExchange exchange, Places.EndpointPlace place) throws IOException {
        Refusal refusal = method(exchange, "GET");
        if (refusal == null) {
            refusal = guard.readRefusal(exchange);
        }
        if (refusal != null) {
            return refusal;
        }
        String last = exchange.getRequestHeaders().getFirst("Last-Event-ID");
        if (last != null && !last.matches("[0-9]{1,18}")) {
            return new Refusal(400, "Last-Event-ID must be a number");
        }
        if (!streams.enter()) {
            exchange.getResponseHeaders().set("Retry-After", "5");
            return new Refusal(503, "as many pages follow as may");
        }
        streams.serve(exchange, place, last == null ? 0 : Long.parseLong(last));
        return null;
    }

    private @Nullable Refusal press(HttpExchange exchange, Places.EndpointPlace place) throws IOException {
        Refusal refusal = method(exchange, "POST");
        if (refusal == null) {
            refusal = guard.writeRefusal(exchange);
        }
        if (refusal != null) {
            return refusal;
        }
        byte[] body = body(exchange);
        if (body == null) {
            return new Refusal(TOO_LARGE, "a request has at most " + MAX_BODY + " bytes");
        }
        try {
            place.progress(true); // an action takes the time that it takes
            board.controls.press(FlatJson.parse(text(body)));
        } catch (IllegalArgumentException e) {
            return new Refusal(400, String.valueOf(e.getMessage())); // of the parser, without what was sent
        } catch (Controls.Refused refused) {
            return new Refusal(refused.status, String.valueOf(refused.getMessage()));
        } finally {
            board.refresh();
        }
        send(exchange, 200, JSON, "{\"done\":true}".getBytes(StandardCharsets.UTF_8));
        return null;
    }

    private static byte @Nullable [] body(HttpExchange exchange) throws IOException {
        String length = exchange.getRequestHeaders().getFirst("Content-Length");
        if (length != null && (!length.matches("[0-9]{1,9}") || Long.parseLong(length) > MAX_BODY)) {
            return null;
        }
        byte[] body = exchange.getRequestBody().readNBytes(MAX_BODY + 1);
        return body.length > MAX_BODY ? null : body;
    }

    private static String text(byte[] body) {
        try {
            return StandardCharsets.UTF_8
                    .newDecoder()
                    .decode(ByteBuffer.wrap(body))
                    .toString();
        } catch (CharacterCodingException e) {
            throw new IllegalArgumentException("the text is not UTF-8", e);
        }
    }

    private static @Nullable Refusal method(HttpExchange exchange, String... methods) {
        for (String method : methods) {
            if (method.equals(exchange.getRequestMethod())) {
                return null;
            }
        }
        exchange.getResponseHeaders().set("Allow", String.join(", ", methods));
        return new Refusal(405, "the methods are " + String.join(" and ", methods));
    }

    private static void refuse(HttpExchange exchange, Refusal refusal) throws IOException {
        Headers headers = exchange.getResponseHeaders();
        headers.set("Connection", "close"); // what has not been read of the request is not
        if (refusal.status() == 401) {
            headers.set("WWW-Authenticate", "Bearer realm=\"console\"");
        }
        String json = new JsonText()
                .open('{')
                .name("error")
                .value(refusal.message())
                .close('}')
                .toString();
        send(exchange, refusal.status(), JSON, json.getBytes(StandardCharsets.UTF_8));
    }

    private static void send(HttpExchange exchange, int status, String type, byte[] bytes) throws IOException {
        exchange.getResponseHeaders().set("Content-Type", type);
        if (exchange.getRequestMethod().equals("HEAD")) {
            exchange.sendResponseHeaders(status, -1);
            return;
        }
        exchange.sendResponseHeaders(status, bytes.length);
        OutputStream out = exchange.getResponseBody();
        out.write(bytes);
        out.flush();
        if (status == TOO_LARGE) {
            // The server would read on to the end of what was announced, and may wait for it for ever.
            Thread.currentThread().interrupt(); // closes the channel when it is read
            out.close();
            Thread.interrupted();
        } else {
            out.close();
        }
    }

    /** Threads that have a place as long as they serve a request, from the first byte of its head on. */
    private static final class RequestThreads extends ThreadPoolExecutor {
        private final Places places;

        RequestThreads(int max, Places places, ThreadFactory factory) {
            super(0, max, 10, TimeUnit.SECONDS, new SynchronousQueue<>(), factory, (task, pool) -> {
                places.evict();
                throw new RejectedExecutionException("console has no thread left"); // closes the connection
            });
            this.places = places;
        }

        @Override
        protected void beforeExecute(Thread thread, Runnable task) {
            places.enter();
        }

        @Override
        protected void afterExecute(Runnable task, @Nullable Throwable thrown) {
            places.current().leave();
        }
    }

    /** A file of the jar. */
    @SuppressWarnings("ArrayRecordComponent") // private, and never compared
    private record Asset(String type, byte[] bytes) {
        static Asset load(String name, String type) {
            try (InputStream in = ConsoleServer.class.getResourceAsStream(name)) {
                if (in == null) {
                    throw new IllegalStateException("the jar of the console lacks " + name);
                }
                return new Asset(type, in.readAllBytes());
            } catch (IOException e) {
                throw new IllegalStateException("the jar of the console lacks " + name, e);
            }
        }
    }
}
