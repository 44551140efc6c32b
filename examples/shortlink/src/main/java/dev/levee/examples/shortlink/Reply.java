package dev.levee.examples.shortlink;

import com.sun.net.httpserver.HttpExchange;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * An answer to an HTTP request.
 *
 * @param status the status
 * @param headers the headers
 * @param body text for a person, which may be empty
 */
public record Reply(int status, Map<String, String> headers, String body) {
    /** The header of a request to shorten that is done once, however often it is sent with this key. */
    public static final String IDEMPOTENCY_KEY = "Idempotency-Key";

    /** The header of an answer that was given before. */
    public static final String REPLAYED = "Idempotent-Replayed";

    /** The header of a redirect whose click was counted. */
    public static final String COUNTED = "X-Click-Counted";

    /**
     * An answer of one line.
     *
     * @param status the status
     * @param line the line
     * @return the answer
     */
    public static Reply of(int status, String line) {
        return new Reply(status, Map.of(), line + "\n");
    }

    /**
     * This answer with one more header.
     *
     * @param name its name
     * @param value its value
     * @return the answer
     */
    public Reply with(String name, Object value) {
        Map<String, String> more = new LinkedHashMap<>(headers);
        more.put(name, String.valueOf(value));
        return new Reply(status, more, body);
    }

    /**
     * Sends the answer and ends the exchange. A client that went away is no error.
     *
     * @param exchange what to answer
     */
    public void send(HttpExchange exchange) {
        try (exchange) {
            byte[] bytes =
                    exchange.getRequestMethod().equals("HEAD") ? new byte[0] : body.getBytes(StandardCharsets.UTF_8);
            exchange.getResponseHeaders().set("Content-Type", "text/plain; charset=utf-8");
            headers.forEach(exchange.getResponseHeaders()::set);
            exchange.sendResponseHeaders(status, bytes.length == 0 ? -1 : bytes.length);
            exchange.getResponseBody().write(bytes);
        } catch (IOException e) {
            // The client has gone: a timeout at the front, or a browser that was closed.
        }
    }
}
