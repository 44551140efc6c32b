package dev.levee.console;

import com.sun.net.httpserver.Headers;
import com.sun.net.httpserver.HttpExchange;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Decides whether a request may be answered: it must be meant for this console by its {@code Host}, must not come from
 * a foreign page, and needs the token where something changes. See ADR 139.
 */
final class RequestGuard {
    /** The header that a foreign page cannot send without asking first, which nothing here allows. */
    static final String OWN_HEADER = "X-Levee-Console";

    private static final String BEARER = "Bearer ";
    private static final int HTTP = 80;

    private final Set<String> hosts;
    private final Set<String> origins = new HashSet<>();
    private final byte @Nullable [] tokenDigest;
    private final boolean readsNeedToken;

    RequestGuard(ConsoleConfig config, int port) {
        hosts = new HashSet<>(config.hosts());
        for (String loopback : List.of("localhost", "127.0.0.1", "[::1]")) {
            hosts.add(loopback + ":" + port);
            if (port == HTTP) {
                hosts.add(loopback);
            }
        }
        for (String host : hosts) {
            origins.add("http://" + host);
        }
        for (String host : config.hosts()) {
            origins.add("https://" + host); // of a proxy
        }
        String token = config.token();
        tokenDigest = token == null ? null : digest(token);
        readsNeedToken = config.readsNeedToken();
    }

    /** Returns why a request is refused, whatever it asks for; null if it is not. */
    @Nullable Refusal refusal(HttpExchange exchange) {
        Headers headers = exchange.getRequestHeaders();
        URI target = exchange.getRequestURI();
        List<String> host = headers.get("Host");
        if (host == null || host.size() != 1 || target.getRawAuthority() != null || target.getScheme() != null) {
            return new Refusal(400, "a request needs one Host, and a path alone");
        }
        if (!hosts.contains(host.get(0).toLowerCase(Locale.ROOT))) {
            return new Refusal(403, "the console does not answer to this Host");
        }
        List<String> origin = headers.get("Origin");
        if (origin != null && (origin.size() != 1 || !origins.contains(origin.get(0)))) {
            return new Refusal(403, "the console does not answer to pages of this Origin");
        }
        String site = headers.getFirst("Sec-Fetch-Site");
        // A link from another page may lead here, and to nothing but the page.
        boolean link = "navigate".equals(headers.getFirst("Sec-Fetch-Mode")) && "/".equals(target.getRawPath());
        if (site != null && !site.equals("same-origin") && !site.equals("none") && !link) {
            return new Refusal(403, "the console does not answer to other pages");
        }
        return null;
    }

    /** Returns why a request may not see the figures; null if it may. */
    @Nullable Refusal readRefusal(HttpExchange exchange) {
        return readsNeedToken ? tokenRefusal(exchange) : null;
    }

    /** Returns why a request may not press a button; null if it may. */
    @Nullable Refusal writeRefusal(HttpExchange exchange) {
        Headers headers = exchange.getRequestHeaders();
        if (tokenDigest == null) {
            return new Refusal(403, "the console is read-only: it has no token");
        }
        if (headers.get("Origin") == null) {
            // Every browser sends it with a POST; a command line can.
            return new Refusal(403, "a change needs the Origin of this console");
        }
        List<String> own = headers.get(OWN_HEADER);
        if (own == null || own.size() != 1 || !own.get(0).equals("1")) {
            return new Refusal(403, "a change needs the header " + OWN_HEADER + ": 1");
        }
        Refusal token = tokenRefusal(exchange);
        if (token != null) {
            return token;
        }
        List<String> type = headers.get("Content-Type");
        if (type == null || type.size() != 1 || !isJson(type.get(0))) {
            return new Refusal(415, "a change needs Content-Type: application/json");
        }
        return null;
    }

    private static boolean isJson(String type) {
        String plain = type.toLowerCase(Locale.ROOT).replace(" ", "");
        return plain.equals("application/json") || plain.equals("application/json;charset=utf-8");
    }

    private @Nullable Refusal tokenRefusal(HttpExchange exchange) {
        List<String> all = exchange.getRequestHeaders().get("Authorization");
        if (all == null) {
            return new Refusal(401, "the token is missing");
        }
        String given = all.size() == 1 ? all.get(0) : "";
        boolean bearer = given.regionMatches(true, 0, BEARER, 0, BEARER.length());
        // Digests are of one length, so that the time tells nothing of the token.
        if (!MessageDigest.isEqual(digest(bearer ? given.substring(BEARER.length()) : ""), tokenDigest)) {
            return new Refusal(401, "the token is wrong");
        }
        return null;
    }

    private static byte[] digest(String token) {
        return Digests.sha256(token.getBytes(StandardCharsets.UTF_8));
    }

    /** Why a request is refused. */
    record Refusal(int status, String message) {}
}
