package dev.levee.console;

import static java.time.Duration.ofMinutes;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.levee.circuitbreaker.CircuitBreaker;
import dev.levee.circuitbreaker.CircuitBreaker.State;
import dev.levee.core.Keyed;
import dev.levee.core.Measured;
import dev.levee.core.Pipeline;
import dev.levee.core.policy.Fault;
import dev.levee.core.policy.Faults;
import dev.levee.loadbalancing.LoadBalancer;
import dev.levee.loadbalancing.discovery.Endpoint;
import dev.levee.loadbalancing.discovery.EndpointSource;
import dev.levee.loadbalancing.strategy.BalancingStrategy;
import java.io.IOException;
import java.net.InetAddress;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What hostile requests get, over raw sockets. */
class ConsoleSafetyTest {
    private static final String TOKEN = "0123456789abcdef-token";

    private final AtomicInteger runs = new AtomicInteger();
    private final CircuitBreaker breaker = CircuitBreaker.of("payments");
    private final Faults faults = Faults.of("outage", Fault.failure(() -> new IOException("x")));
    private final Console console = Console.start(config -> config.token(TOKEN))
            .show(Pipeline.of(breaker, faults))
            .action("Kill", runs::incrementAndGet);
    private final RawHttp http = new RawHttp(console.address());

    @AfterEach
    void close() {
        console.close();
    }

    private String host() {
        return "Host: " + http.host();
    }

    private RawHttp.Answer press(String body, String... more) throws IOException {
        List<String> headers = new ArrayList<>(List.of(more));
        headers.add("Content-Length: " + body.length());
        return http.send("POST", "/api/press", body, headers.toArray(String[]::new));
    }

    private String[] good() {
        return new String[] {
            host(),
            "Origin: http://" + http.host(),
            "X-Levee-Console: 1",
            "Authorization: Bearer " + TOKEN,
            "Content-Type: application/json"
        };
    }

    private String[] goodBut(String header, String... instead) {
        return Stream.concat(Stream.of(good()).filter(it -> !it.startsWith(header + ":")), Stream.of(instead))
                .toArray(String[]::new);
    }

    private static String body(String control, String action) {
        return "{\"control\":\"" + control + "\",\"action\":\"" + action + "\",\"reason\":\"drill\"}";
    }

    private static final String OPEN = body("p1", "force-open");

    private void assertUntouched() {
        assertThat(breaker.state()).isEqualTo(State.CLOSED);
        assertThat(faults.isOn()).isFalse();
        assertThat(runs).hasValue(0);
    }

    @Test
    void listens_on_loopback_only() {
        assertThat(console.address().getHost())
                .isEqualTo(InetAddress.getLoopbackAddress().getHostAddress());
    }

    @Test
    void a_button_with_everything_that_it_needs_works() throws Exception {
        RawHttp.Answer answer = press(OPEN, good());

        assertThat(answer.status()).isEqualTo(200);
        assertThat(breaker.state()).isEqualTo(State.FORCED_OPEN);
        assertThat(press(body("p1", "reset"), good()).status()).isEqualTo(200);
        assertThat(breaker.state()).isEqualTo(State.CLOSED);
    }

    @Test
    void faults_go_on_for_a_while_and_off_again() throws Exception {
        String on = "{\"control\":\"p2\",\"action\":\"on\",\"reason\":\"drill\",\"minutes\":\"5\"}";

        assertThat(press(body("p2", "on"), good()).status())
                .as("without a time")
                .isEqualTo(400);
        assertUntouched();
        assertThat(press(on, good()).status()).isEqualTo(200);
        assertThat(faults.isOn()).isTrue();
        assertThat(press(body("p2", "off"), good()).status()).isEqualTo(200);
        assertThat(faults.isOn()).isFalse();
    }

    // ---- Host: a name of an attacker that points at this machine (DNS rebinding)

    @ParameterizedTest
    @ValueSource(
            strings = {
                "evil.example",
                "localhost.evil.example",
                "127.0.0.1.evil.example",
                "localhost",
                "127.0.0.1",
                "127.0.0.1:1",
                "localhost:PORT.evil.example",
                "evil.example:PORT",
                "user@127.0.0.1:PORT",
                "127.0.0.1:PORT ,evil.example",
                "127.0.0.1.:PORT",
                "0.0.0.0:PORT",
                "127.1:PORT",
                "2130706433:PORT",
                "[::ffff:127.0.0.1]:PORT"
            })
    void a_foreign_host_is_refused(String hostile) throws Exception {
        String host = hostile.replace("PORT", "" + console.address().getPort());
        for (String path : List.of("/", "/page.js", "/api/snapshot", "/api/stream")) {
            RawHttp.Answer answer = http.send("GET", path, "", "Host: " + host);
            assertThat(answer.status()).as(path).isIn(400, 403);
            assertThat(answer.body()).doesNotContain("payments");
        }
        assertThat(press(OPEN, goodBut("Host", "Host: " + host)).status()).isIn(400, 403);
        assertUntouched();
    }

    @Test
    void names_of_loopback_are_answered() throws Exception {
        int port = console.address().getPort();

        for (String name : List.of("localhost:", "LOCALHOST:", "127.0.0.1:", "[::1]:")) {
            assertThat(http.send("GET", "/", "", "Host: " + name + port).status())
                    .isEqualTo(200);
        }
    }

    @Test
    void a_request_needs_one_host_and_a_path_alone() throws Exception {
        assertThat(http.send("GET", "/", "").status()).isEqualTo(400);
        assertThat(http.send("GET", "/", "", host(), "Host: evil.example").status())
                .isEqualTo(400);
        assertThat(http.send("GET", "http://evil.example/", "", host()).status())
                .isEqualTo(400);
        assertThat(http.send("GET", "http://" + http.host() + "/", "", host()).status())
                .isEqualTo(400);
        assertThat(http.raw("GET / HTTP/1.0\r\n\r\n").status()).isEqualTo(400);
    }

    @Test
    void a_name_that_was_added_is_answered_and_only_as_it_is() throws Exception {
        try (Console behindProxy = Console.start(config -> config.host("ops.example"))) {
            RawHttp proxied = new RawHttp(behindProxy.address());

            assertThat(proxied.send("GET", "/", "", "Host: ops.example").status())
                    .isEqualTo(200);
            assertThat(proxied.send("GET", "/", "", "Host: x.ops.example").status())
                    .isEqualTo(403);
            assertThat(proxied.send("GET", "/", "", "Host: ops.example.evil").status())
                    .isEqualTo(403);
            assertThat(proxied.send("GET", "/", "", "Host: opsXexample").status())
                    .isEqualTo(403);
        }
    }

    // ---- requests that foreign pages make (CSRF)

    @ParameterizedTest
    @ValueSource(strings = {"http://evil.example", "null", "http://127.0.0.1", "https://HOST", "http://HOST.evil", ""})
    void a_foreign_origin_is_refused(String hostile) throws Exception {
        String origin = "Origin: " + hostile.replace("HOST", http.host());

        assertThat(press(OPEN, goodBut("Origin", origin)).status()).isEqualTo(403);
        assertThat(http.send("GET", "/api/snapshot", "", host(), origin).status())
                .isEqualTo(403);
        assertThat(http.send("GET", "/api/stream", "", host(), origin).status()).isEqualTo(403);
        assertUntouched();
    }

    @Test
    void a_button_needs_an_origin_and_only_one() throws Exception {
        assertThat(press(OPEN, goodBut("Origin")).status()).isEqualTo(403);
        assertThat(press(OPEN, goodBut("", "Origin: http://evil.example")).status())
                .isEqualTo(403);
        assertUntouched();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "text/plain",
                "application/x-www-form-urlencoded",
                "multipart/form-data",
                "application/jsonp",
                "text/plain; application/json",
                "application/json, text/plain",
                "application/json; charset=utf-16"
            })
    void a_button_needs_JSON(String type) throws Exception {
        assertThat(press(OPEN, goodBut("Content-Type", "Content-Type: " + type)).status())
                .isEqualTo(415);
        assertThat(press(OPEN, goodBut("Content-Type")).status()).isEqualTo(415);
        assertUntouched();
    }

    @Test
    void a_button_needs_the_own_header() throws Exception {
        assertThat(press(OPEN, goodBut("X-Levee-Console")).status()).isEqualTo(403);
        assertThat(press(OPEN, goodBut("X-Levee-Console", "X-Levee-Console: 0")).status())
                .isEqualTo(403);
        assertUntouched();
    }

    @Test
    void pages_elsewhere_can_link_here_and_fetch_nothing() throws Exception {
        String cross = "Sec-Fetch-Site: cross-site";

        assertThat(http.send("GET", "/", "", host(), cross, "Sec-Fetch-Mode: navigate")
                        .status())
                .isEqualTo(200);
        assertThat(http.send("GET", "/page.js", "", host(), cross, "Sec-Fetch-Mode: no-cors")
                        .status())
                .isEqualTo(403);
        assertThat(http.send("GET", "/api/stream", "", host(), cross, "Sec-Fetch-Mode: no-cors")
                        .status())
                .isEqualTo(403);
        assertThat(http.send("GET", "/api/stream", "", host(), cross, "Sec-Fetch-Mode: navigate")
                        .status())
                .isEqualTo(403);
        assertThat(http.send("GET", "/api/snapshot", "", host(), "Sec-Fetch-Site: same-site")
                        .status())
                .isEqualTo(403);
        assertThat(console.pages()).isZero();
    }

    @Test
    void no_answer_allows_other_origins() throws Exception {
        RawHttp.Answer preflight = http.send(
                "OPTIONS",
                "/api/press",
                "",
                host(),
                "Origin: http://evil.example",
                "Access-Control-Request-Method: POST",
                "Access-Control-Request-Headers: x-levee-console, content-type, authorization");

        assertThat(preflight.status()).isEqualTo(403);
        assertThat(http.send("OPTIONS", "/api/press", "", host()).status()).isEqualTo(405);
        assertThat(preflight.headers().toLowerCase(java.util.Locale.ROOT)).doesNotContain("access-control-allow");
    }

    // ---- the token

    @ParameterizedTest
    @ValueSource(
            strings = {
                "Bearer wrong-wrong-wrong-wrong",
                "Bearer ",
                "Bearer",
                "Basic 0123456789abcdef-token",
                "0123456789abcdef-token",
                "Bearer 0123456789abcdef-toke",
                "Bearer 0123456789abcdef-token2",
                "Bearer 0123456789ABCDEF-token",
                "Bearer 0123456789abcdef-token, Bearer x"
            })
    void a_wrong_token_is_refused_and_not_repeated(String wrong) throws Exception {
        RawHttp.Answer answer = press(OPEN, goodBut("Authorization", "Authorization: " + wrong));

        assertThat(answer.status()).isEqualTo(401);
        assertThat(answer.body()).doesNotContain("0123456789").doesNotContain("wrong-wrong");
        assertUntouched();
    }

    @Test
    void a_missing_token_is_refused() throws Exception {
        assertThat(press(OPEN, goodBut("Authorization")).status()).isEqualTo(401);
        assertThat(press(OPEN, goodBut("Authorization", "Authorization: Bearer x", "Authorization: Bearer " + TOKEN))
                        .status())
                .isEqualTo(401);
        assertUntouched();
    }

    @Test
    void without_a_token_there_are_no_buttons() throws Exception {
        try (Console readOnly = Console.start(0).show(breaker).action("Kill", runs::incrementAndGet)) {
            RawHttp other = new RawHttp(readOnly.address());
            String[] headers = {
                "Host: " + other.host(),
                "Origin: http://" + other.host(),
                "X-Levee-Console: 1",
                "Authorization: Bearer " + TOKEN,
                "Content-Type: application/json",
                "Content-Length: " + OPEN.length()
            };

            assertThat(other.send("POST", "/api/press", OPEN, headers).status()).isEqualTo(403);
            assertThat(other.send("GET", "/api/snapshot", "", "Host: " + other.host())
                            .body())
                    .contains("\"buttons\":false");
        }
        assertUntouched();
    }

    @Test
    void beyond_loopback_nothing_is_shown_without_the_token() throws Exception {
        InetAddress any = InetAddress.getByName("0.0.0.0");
        try (Console open =
                Console.start(config -> config.bind(any).token(TOKEN)).show(breaker)) {
            RawHttp other = new RawHttp(open.address());
            String host = "Host: " + other.host();

            assertThat(other.send("GET", "/api/snapshot", "", host).status()).isEqualTo(401);
            assertThat(other.send("GET", "/api/stream", "", host).status()).isEqualTo(401);
            assertThat(other.send("GET", "/", "", host).status()).isEqualTo(200);
            assertThat(other.send("GET", "/api/snapshot", "", host, "Authorization: Bearer " + TOKEN)
                            .status())
                    .isEqualTo(200);
        }
        assertThatThrownBy(() -> Console.start(config -> config.bind(any)))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("console \"page\": bind must be a loopback address unless a token is set, but was 0.0.0.0");
    }

    // ---- nothing half applied

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "null",
                "[]",
                "{",
                "{}",
                "\"x\"",
                "{\"control\":\"p1\"}",
                "{\"control\":\"p1\",\"action\":\"force-open\"}",
                "{\"control\":\"p1\",\"action\":\"force-open\",\"reason\":\"\"}",
                "{\"control\":\"p1\",\"action\":\"force-open\",\"reason\":\"   \"}",
                "{\"control\":\"p1\",\"action\":\"force-open\",\"reason\":7}",
                "{\"control\":\"p1\",\"action\":\"force-open\",\"reason\":\"x\",\"minutes\":\"0\"}",
                "{\"control\":\"p1\",\"action\":\"force-open\",\"reason\":\"x\",\"minutes\":\"1441\"}",
                "{\"control\":\"p1\",\"action\":\"force-open\",\"reason\":\"x\",\"minutes\":\"-1\"}",
                "{\"control\":\"p1\",\"action\":\"force-open\",\"reason\":\"x\",\"minutes\":\"1e1\"}",
                "{\"control\":\"p1\",\"action\":\"force-open\",\"reason\":\"x\",\"class\":\"java.lang.Runtime\"}",
                "{\"control\":\"p1\",\"action\":\"force-open\",\"reason\":\"x\"} {}",
                "{\"control\":\"p1\",\"action\":\"force-open\",\"action\":\"reset\",\"reason\":\"x\"}",
                "{\"control\":\"p1\",\"action\":\"on\",\"reason\":\"x\",\"minutes\":\"5\"}",
                "{\"control\":\"p1\",\"action\":\"disable\",\"reason\":\"x\"}",
                "{\"control\":\"a3\",\"action\":\"on\",\"reason\":\"x\"}",
                "{\"control\":\"a3\",\"action\":\"run\",\"reason\":\"x\",\"minutes\":\"5\"}"
            })
    void a_request_that_is_wrong_anywhere_does_nothing(String body) throws Exception {
        assertThat(press(body, good()).status()).isEqualTo(400);
        assertUntouched();
        assertThat(http.send("GET", "/api/snapshot", "", host()).body()).contains("\"events\":[]");
    }

    @ParameterizedTest
    @ValueSource(strings = {"p99", "", "a1", "a99999999999", "../p1", "payments", "p1 "})
    void what_was_not_given_out_is_not_found(String control) throws Exception {
        assertThat(press(body(control, "force-open"), good()).status()).isEqualTo(404);
        assertUntouched();
    }

    @Test
    void a_body_that_is_too_large_is_refused_by_its_length_and_by_its_bytes() throws Exception {
        String large = OPEN.replace("drill", "d".repeat(5000));

        assertThat(press(large, good()).status()).isEqualTo(413);
        String chunked = Integer.toHexString(large.length()) + "\r\n" + large + "\r\n0\r\n\r\n";
        assertThat(http.send("POST", "/api/press", chunked, goodBut("", "Transfer-Encoding: chunked"))
                        .status())
                .isEqualTo(413);
        for (String length : List.of("4097", "100000", "9999999999")) {
            RawHttp.Answer promised = http.send("POST", "/api/press", "", goodBut("", "Content-Length: " + length));
            assertThat(promised.status()).as("of which nothing comes").isEqualTo(413);
        }
        assertUntouched();
    }

    @Test
    void a_text_that_is_not_UTF_8_is_refused() throws Exception {
        String body = OPEN.replace("drill", "\u00ff\u00fe");

        assertThat(press(body, good()).status()).isEqualTo(400);
        assertUntouched();
    }

    // ---- methods and paths

    @ParameterizedTest
    @CsvSource({
        "GET, /api/press, POST",
        "HEAD, /api/press, POST",
        "PUT, /api/press, POST",
        "DELETE, /api/press, POST",
        "POST, /, 'GET, HEAD'",
        "POST, /api/snapshot, 'GET, HEAD'",
        "POST, /api/stream, GET",
        "TRACE, /, 'GET, HEAD'"
    })
    void a_wrong_method_is_refused(String method, String path, String allowed) throws Exception {
        RawHttp.Answer answer = http.send(method, path, "", host(), "Content-Length: 0");

        assertThat(answer.status()).isEqualTo(405);
        assertThat(answer.header("Allow")).isEqualTo(allowed);
        assertUntouched();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "/nothing",
                "/page.js/",
                "/page.html",
                "/../Console.class",
                "/%2e%2e/Console.class",
                "/..%2fConsole.class",
                "/%2e%2e%5cConsole.class",
                "/./page.js",
                "/static/../page.js",
                "/%70age.js",
                "/page.js%00",
                "/Console.class",
                "/META-INF/MANIFEST.MF",
                "/api",
                "/api/",
                "/api/snapshot/",
                "/API/SNAPSHOT",
                "/api/press/p1"
            })
    void an_unknown_path_is_not_found(String path) throws Exception {
        RawHttp.Answer answer = http.send("GET", path, "", host());

        assertThat(answer.status()).isEqualTo(404);
        assertThat(answer.body()).isEqualTo("{\"error\":\"there is no such page\"}");
    }

    // ---- what answers carry

    @Test
    void every_answer_forbids_frames_foreign_content_and_inline_scripts() throws Exception {
        for (String path : List.of("/", "/page.css", "/page.js", "/icon.svg", "/api/snapshot", "/nothing")) {
            RawHttp.Answer answer = http.send("GET", path, "", host());
            assertThat(answer.header("Content-Security-Policy"))
                    .contains("default-src 'none'", "frame-ancestors 'none'", "base-uri 'none'", "form-action 'none'")
                    .contains("script-src 'self';", "style-src 'self';")
                    .doesNotContain("unsafe", "*", "data:");
            assertThat(answer.header("X-Frame-Options")).isEqualTo("DENY");
            assertThat(answer.header("X-Content-Type-Options")).isEqualTo("nosniff");
            assertThat(answer.header("Referrer-Policy")).isEqualTo("no-referrer");
            assertThat(answer.header("Cross-Origin-Resource-Policy")).isEqualTo("same-origin");
            assertThat(answer.header("Cache-Control")).isEqualTo("no-store");
        }
    }

    @Test
    void the_page_has_no_inline_script_and_nothing_from_elsewhere() throws Exception {
        String page = http.send("GET", "/", "", host()).body();
        String script = http.send("GET", "/page.js", "", host()).body();
        String style = http.send("GET", "/page.css", "", host()).body();

        assertThat(page)
                .doesNotContainPattern("<script(?![^>]*src=\"/page.js\")")
                .doesNotContainPattern("\\son[a-z]+=");
        assertThat(page + style).doesNotContain("http:", "https:", "style=\"", "@import", "url(");
        assertThat(script)
                .doesNotContain("innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval(", "Function(");
        assertThat(script.replace("http://www.w3.org/2000/svg", "")).doesNotContain("http:", "https:");
    }

    @Test
    void hostile_names_are_text() throws Exception {
        String hostile = "</script><script>alert('x')</script>&\"";
        console.show(CircuitBreaker.of(hostile)).action(hostile, runs::incrementAndGet);
        console.listener().onStateChange(dev.levee.core.Policy.Kind.BREAKER, hostile, "<b>", "\n\ndata: x");

        String body = http.send("GET", "/api/snapshot", "", host()).body();

        assertThat(body).doesNotContain("<", ">", "&", "\n").contains("\\u003cscript\\u003ealert(\\u0027x\\u0027)");
    }

    @Test
    void no_exception_or_secret_is_shown() throws Exception {
        Measured broken = sink -> {
            throw new IllegalStateException("password=hunter2");
        };
        console.show("broken", broken)
                .toggle(
                        "Switch",
                        on -> {
                            throw new IllegalStateException("password=hunter3");
                        },
                        () -> {
                            throw new IllegalStateException("password=hunter4");
                        });
        console.listener().onDegraded(dev.levee.core.Policy.Kind.FALLBACK, "f", "f", new IOException("hunter5"));

        RawHttp.Answer failed = press(body("a4", "on"), good());
        String shown = http.send("GET", "/api/snapshot", "", host()).body();

        assertThat(failed.status()).isEqualTo(500);
        assertThat(failed.body()).isEqualTo("{\"error\":\"it failed; the log of the process says why\"}");
        assertThat(shown).contains("\"broken\":true", "on failed").doesNotContain("hunter", "Exception", TOKEN);
        assertThat(ConsoleConfig.builder().token(TOKEN).build().toString()).doesNotContain(TOKEN);
        assertThatThrownBy(() -> ConsoleConfig.builder().token("short-secret")).hasMessageNotContaining("short-secret");
    }

    @Test
    void an_error_of_the_application_is_as_good_as_an_exception() throws Exception {
        Measured broken = sink -> {
            throw new NoClassDefFoundError("hunter2");
        };
        console.show("broken", broken)
                .toggle(
                        "Switch",
                        on -> {
                            throw new AssertionError("hunter3");
                        },
                        () -> {
                            throw new NoClassDefFoundError("hunter4");
                        });

        RawHttp.Answer failed = press(body("a4", "on"), good());
        String shown = http.send("GET", "/api/snapshot", "", host()).body();

        assertThat(failed.status()).isEqualTo(500);
        assertThat(shown).contains("\"broken\":true", "on failed", "payments").doesNotContain("hunter");
    }

    @Test
    void a_reason_is_shown_among_the_events_as_text() throws Exception {
        String body = OPEN.replace("drill", "<img src=x>\\u000a\\u202e");

        assertThat(press(body, good()).status()).isEqualTo(200);
        assertThat(http.send("GET", "/api/snapshot", "", host()).body())
                .contains("\"level\":\"ACTION\"", "force open: \\u003cimg src=x\\u003e\\\\u000A\\\\u202E");
    }

    @Test
    void a_time_is_given_to_the_breaker() throws Exception {
        String body = "{\"control\":\"p1\",\"action\":\"force-open\",\"reason\":\"x\",\"minutes\":\"10\"}";

        assertThat(press(body, good()).status()).isEqualTo(200);
        assertThat(breaker.state()).isEqualTo(State.FORCED_OPEN);
        assertThat(breaker.snapshot().nanosInState()).isLessThan(ofMinutes(10).toNanos());
    }

    @Test
    void what_is_hidden_has_no_buttons_any_more() throws Exception {
        try (Console other = Console.start(config -> config.token(TOKEN)).show(breaker)) {
            RawHttp wire = new RawHttp(other.address());
            String[] headers = {
                "Host: " + wire.host(),
                "Origin: http://" + wire.host(),
                "X-Levee-Console: 1",
                "Authorization: Bearer " + TOKEN,
                "Content-Type: application/json",
                "Content-Length: " + OPEN.length()
            };
            assertThat(other.hide(breaker)).isTrue();
            assertThat(other.hide(breaker)).isFalse();
            assertThat(wire.send("POST", "/api/press", OPEN, headers).status()).isEqualTo(404);
            assertThat(breaker.state()).isEqualTo(State.CLOSED);
        }
    }

    // ---- breakers that are known by their figures alone

    private static String controlOf(String snapshot, String name) {
        Matcher layer = Pattern.compile("\"name\":\"" + name + "\"[^}]*?\"control\":\"(f[0-9]+)\"")
                .matcher(snapshot);
        assertThat(layer.find()).as(snapshot).isTrue();
        return layer.group(1);
    }

    private String currentSnapshot() throws Exception {
        return http.send("GET", "/api/snapshot", "", "Host: " + http.host()).body();
    }

    @Test
    void breakers_of_keys_and_of_endpoints_have_buttons() throws Exception {
        Keyed<String, CircuitBreaker> keyed =
                Keyed.of("tenants", 10, ofMinutes(5), key -> CircuitBreaker.of("tenant-" + key));
        CircuitBreaker acme = keyed.get("acme");
        List<CircuitBreaker> ofNodes = new ArrayList<>();
        try (LoadBalancer<String> balancer = LoadBalancer.of(
                "nodes",
                BalancingStrategy.roundRobin(),
                EndpointSource.of(List.of(new Endpoint<>("n1", "a", 1), new Endpoint<>("n2", "b", 1))),
                config -> config.gatePerEndpoint(node -> {
                    CircuitBreaker gate = CircuitBreaker.of("node-" + node.id());
                    ofNodes.add(gate);
                    return gate;
                }))) {
            console.show("dynamic", keyed, balancer);
            String snapshot = currentSnapshot();

            assertThat(press(body(controlOf(snapshot, "tenant-acme"), "force-open"), good())
                            .status())
                    .isEqualTo(200);
            assertThat(acme.state()).isEqualTo(State.FORCED_OPEN);
            assertThat(press(body(controlOf(snapshot, "node-n2"), "force-open"), good())
                            .status())
                    .isEqualTo(200);
            assertThat(ofNodes).extracting(CircuitBreaker::state).containsExactly(State.CLOSED, State.FORCED_OPEN);
            assertUntouched();
        }
    }

    @Test
    void the_button_of_a_key_that_is_gone_or_hidden_does_nothing() throws Exception {
        Keyed<String, CircuitBreaker> keyed =
                Keyed.of("tenants", 10, ofMinutes(5), key -> CircuitBreaker.of("tenant-" + key));
        CircuitBreaker acme = keyed.get("acme");
        CircuitBreaker other = keyed.get("other");
        console.show("dynamic", keyed);
        String before = currentSnapshot();
        String control = controlOf(before, "tenant-acme");
        String stays = controlOf(before, "tenant-other");
        keyed.remove("acme");
        // An answer to a press is followed by a new reading.
        assertThat(press(body(stays, "force-open"), good()).status()).isEqualTo(200);
        assertThat(controlOf(currentSnapshot(), "tenant-other")).isEqualTo(stays);

        assertThat(press(body(control, "force-open"), good()).status()).isEqualTo(404);
        assertThat(acme.state()).isEqualTo(State.CLOSED);
        assertThat(console.hide(keyed)).isTrue();
        assertThat(press(body(stays, "reset"), good()).status()).isEqualTo(404);
        assertThat(other.state()).isEqualTo(State.FORCED_OPEN);
    }
}
