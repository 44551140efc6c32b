package dev.levee.http;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.levee.core.CallContext;
import dev.levee.core.Deadline;
import dev.levee.core.Environment;
import dev.levee.core.consistency.Session;
import dev.levee.core.policy.Backoff;
import dev.levee.core.policy.Bulkhead;
import dev.levee.loadbalancing.EndpointState;
import dev.levee.loadbalancing.LoadBalancer;
import dev.levee.loadbalancing.discovery.Endpoint;
import dev.levee.loadbalancing.discovery.EndpointSource;
import java.io.Closeable;
import java.io.IOException;
import java.io.InputStream;
import java.io.InterruptedIOException;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What holds for each HTTP client that balances, against real servers on loopback. */
public abstract class HttpClientContract {
    /** A request. */
    public record Ask(
            String method,
            String uri,
            Map<String, String> headers,
            @Nullable String body,
            boolean oneShot) {
        static Ask get(String uri) {
            return new Ask("GET", uri, Map.of(), null, false);
        }

        static Ask post(String body) {
            return new Ask("POST", "http://catalog/", Map.of(), body, false);
        }

        Ask with(String header, String value) {
            Map<String, String> all = new LinkedHashMap<>(headers);
            all.put(header, value);
            return new Ask(method, uri, all, body, oneShot);
        }
    }

    /** An answer of which the body is still to be read, if the client has such answers. */
    public record Answer(int status, InputStream body, Closeable response) implements Closeable {
        @Override
        public void close() throws IOException {
            response.close();
        }

        String text() throws IOException {
            try (response) {
                return new String(body.readAllBytes(), StandardCharsets.UTF_8);
            }
        }
    }

    /** A call that can be cancelled by another thread. */
    public interface Pending {
        Answer execute() throws Exception;

        void cancel();
    }

    /** The client that is tested, for one host called catalog. */
    public interface Subject extends AutoCloseable {
        Pending call(Ask ask);

        LoadBalancer<URI> balancer();

        @Override
        void close();
    }

    /** Makes the client that is tested. */
    protected abstract Subject subject(
            EndpointSource<URI> source,
            Consumer<UpstreamConfig.Builder<URI, ?>> configure,
            boolean followRedirects,
            Environment environment)
            throws Exception;

    /** Whether a body that is read later holds the permit of its endpoint. */
    protected boolean holdsWhileBodyIsRead() {
        return true;
    }

    /** Whether it may say something else than the address of an endpoint as Host, in this JVM. */
    protected boolean setsHost() {
        return true;
    }

    /** Whether it sees that a failure came behind a redirect, after the endpoint had answered. */
    protected boolean seesRedirects() {
        return true;
    }

    /** Whether it looks at the length that an answer says of itself. */
    protected boolean readsLengths() {
        return true;
    }

    /** Whether a call is sent by the thread that waits for it. */
    protected boolean sendsBlocking() {
        return true;
    }

    private final List<AutoCloseable> closing = new ArrayList<>();

    @AfterEach
    void closeAll() throws Exception {
        for (AutoCloseable each : closing) {
            each.close();
        }
    }

    private TestNode node(String name) throws IOException {
        return node(name, TestNode.status(200, name));
    }

    private TestNode node(String name, TestNode.Behaviour behaviour) throws IOException {
        TestNode node = new TestNode(name, behaviour);
        closing.add(node);
        return node;
    }

    private Subject client(TestNode... inOrder) throws Exception {
        return client(config -> {}, inOrder);
    }

    private Subject client(Consumer<UpstreamConfig.Builder<URI, ?>> configure, TestNode... inOrder) throws Exception {
        return client(configure, false, inOrder);
    }

    private Subject client(
            Consumer<UpstreamConfig.Builder<URI, ?>> configure, boolean followRedirects, TestNode... inOrder)
            throws Exception {
        List<Endpoint<URI>> endpoints = new ArrayList<>();
        for (TestNode node : inOrder) {
            endpoints.add(new Endpoint<>(endpoints.size() + "-" + node, node.uri(), 1));
        }
        Consumer<UpstreamConfig.Builder<URI, ?>> all = config -> {
            config.strategy(new FirstFirst()).retry(retry -> retry.backoff(Backoff.fixed(Duration.ZERO)));
            configure.accept(config);
        };
        Subject made = subject(EndpointSource.of(endpoints), all, followRedirects, Environment.system());
        closing.add(0, made);
        return made;
    }

    private static String text(Subject client, Ask ask) throws Exception {
        return client.call(ask).execute().text();
    }

    private static String text(Subject client) throws Exception {
        return text(client, Ask.get("http://catalog/"));
    }

    private static int inFlight(Subject client) {
        return client.balancer().snapshot().stream()
                .mapToInt(EndpointState::inFlight)
                .sum();
    }

    private static void eventually(BooleanSupplier condition) {
        long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(30);
        while (!condition.getAsBoolean()) {
            if (System.nanoTime() - end > 0) {
                throw new AssertionError("it did not come about in 30 seconds");
            }
            LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(1));
        }
    }

    private static void atRest(Subject client) {
        eventually(() -> inFlight(client) == 0);
    }

    private static void aPaymentIsSentOnceAndFails(Subject client, TestNode bad, TestNode good) {
        assertThatThrownBy(() -> text(client, Ask.post("pay"))).isInstanceOf(IOException.class);
        assertThat(bad.bodies()).containsOnlyOnce("pay");
        assertThat(good.bodies()).doesNotContain("pay");
        atRest(client);
    }

    private static CompletableFuture<String> start(Pending call) {
        CompletableFuture<String> text = new CompletableFuture<>();
        Thread thread = new Thread(
                () -> {
                    try {
                        text.complete(call.execute().text());
                    } catch (Throwable thrown) {
                        text.completeExceptionally(thrown);
                    }
                },
                "contract");
        thread.setDaemon(true);
        thread.start();
        return text;
    }

    // Where requests go

    @Test
    void an_answer_comes_from_an_endpoint_with_status_and_body() throws Exception {
        TestNode node = node("node", TestNode.status(404, "not here"));
        Subject client = client(node);
        Answer answer = client.call(Ask.get("http://catalog/a%20b?c=%2F&d=%7C")).execute();

        assertThat(answer.status()).isEqualTo(404);
        assertThat(answer.text()).isEqualTo("not here");
        assertThat(node.requests).extracting(TestNode.Received::target).containsExactly("/a%20b?c=%2F&d=%7C");
        atRest(client);
    }

    @Test
    void the_path_of_an_endpoint_comes_first_and_is_not_left() throws Exception {
        TestNode node = node("node");
        Subject client = subject(
                EndpointSource.ofAddresses(List.of(URI.create(node.uri() + "/tenant"))),
                config -> {},
                false,
                Environment.system());
        closing.add(0, client);

        assertThat(text(client, Ask.get("http://catalog/a"))).isEqualTo("node");
        assertThatThrownBy(() -> text(client, Ask.get("http://catalog/x/%2e%2e%2f..;/a")))
                .isInstanceOf(IllegalArgumentException.class);
        assertThat(node.requests).extracting(TestNode.Received::target).containsExactly("/tenant/a");
        atRest(client);
    }

    @Test
    void a_request_for_https_does_not_go_to_an_endpoint_without_it() throws Exception {
        TestNode node = node("node");
        Subject client = client(node);

        assertThatThrownBy(() -> text(client, Ask.get("https://catalog/")))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("not be encrypted");
        assertThat(node.count()).isZero();
    }

    @Test
    void other_hosts_pass_through() throws Exception {
        TestNode node = node("node");
        TestNode other = node("other");
        assertThat(text(client(node), Ask.get(other.uri() + "/"))).isEqualTo("other");
        assertThat(node.count()).isZero();
    }

    @Test
    void an_endpoint_sees_its_own_address_as_host() throws Exception {
        TestNode bad = node("bad", TestNode.status(500, "bad"));
        TestNode good = node("good");
        text(client(bad, good));

        for (TestNode node : List.of(bad, good)) {
            assertThat(node.requests)
                    .extracting(request -> request.header("Host"))
                    .containsExactly(node.uri().getRawAuthority());
        }
    }

    @Test
    void or_the_host_that_was_set() throws Exception {
        assumeTrue(setsHost());
        TestNode node = node("node");
        text(client(config -> config.host("catalog.internal"), node));
        assertThat(node.requests).extracting(request -> request.header("Host")).containsExactly("catalog.internal");
    }

    // Whose request it is

    @Test
    void the_session_goes_along_and_comes_back_with_what_the_service_has_written() throws Exception {
        TestNode bad = node("bad", TestNode.status(500, "bad"));
        TestNode good = node("good", TestNode.status(200, "ok", Session.HEADER + ": " + "orders=9,users=2"));
        Subject client = client(config -> config.sendSession(true), bad, good);
        Session session = Session.parse("users=5");

        CallContext.current().withSession(session).call(() -> text(client));

        for (TestNode node : List.of(bad, good)) {
            assertThat(node.requests)
                    .extracting(request -> request.header(Session.HEADER))
                    .containsExactly("users=5");
        }
        assertThat(session.toHeader()).isEqualTo("orders=9,users=5");
    }

    @Test
    void a_session_in_an_answer_that_cannot_be_read_is_left_out() throws Exception {
        TestNode node = node("node", TestNode.status(200, "ok", Session.HEADER + ": " + "no session"));
        Session session = Session.parse("users=5");
        Subject client = client(config -> config.sendSession(true), node);

        CallContext.current().withSession(session).call(() -> text(client));

        assertThat(session.toHeader()).isEqualTo("users=5");
    }

    /** As a list may be: RFC 9110, section 5.3. */
    @Test
    void a_session_that_an_answer_has_in_several_lines_is_taken_in_whole() throws Exception {
        TestNode node = node(
                "node",
                TestNode.status(200, "ok", Session.HEADER + ": users=2,orders=9", Session.HEADER + ": carts=3"));
        Session session = Session.parse("users=5");
        Subject client = client(config -> config.sendSession(true), node);

        CallContext.current().withSession(session).call(() -> text(client));

        assertThat(session.toHeader()).isEqualTo("carts=3,orders=9,users=5");
    }

    @Test
    void it_stays_here_unless_the_settings_say_otherwise() throws Exception {
        TestNode node = node("node", TestNode.status(200, "ok", Session.HEADER + ": " + "orders=9"));
        Session session = Session.parse("users=5");

        CallContext.current().withSession(session).call(() -> text(client(node)));

        assertThat(node.requests)
                .extracting(request -> request.header(Session.HEADER))
                .containsOnly("");
        assertThat(session.toHeader()).isEqualTo("users=5");
    }

    // What is repeated

    @ParameterizedTest
    @ValueSource(ints = {408, 500, 502, 503, 504})
    void a_failure_of_a_get_is_asked_of_another_one_and_that_of_a_post_is_handed_on(int status) throws Exception {
        TestNode bad = node("bad", TestNode.status(status, "bad"));
        TestNode good = node("good");
        Subject client = client(bad, good);

        assertThat(text(client)).isEqualTo("good");
        Answer post = client.call(Ask.post("pay")).execute();
        assertThat(post.status()).isEqualTo(status);
        assertThat(post.text()).isEqualTo("bad");
        assertThat(good.bodies()).doesNotContain("pay");
        atRest(client);
    }

    @Test
    void the_last_failure_is_handed_on_with_its_body() throws Exception {
        TestNode bad = node("bad", TestNode.status(503, "bad"));
        TestNode worse = node("worse", TestNode.status(500, "worse"));
        Subject client = client(config -> config.retry(retry -> retry.maxAttempts(2)), bad, worse);

        assertThat(text(client)).isEqualTo("worse");
        atRest(client);
    }

    @ParameterizedTest
    @ValueSource(ints = {421, 425})
    void what_was_not_processed_goes_elsewhere_whatever_the_method(int status) throws Exception {
        TestNode bad = node("bad", TestNode.status(status, "bad"));
        TestNode good = node("good");
        assertThat(text(client(bad, good), Ask.post("pay"))).isEqualTo("good");
        assertThat(good.bodies()).containsExactly("pay");
    }

    @Test
    void a_refused_connection_goes_elsewhere_whatever_the_method() throws Exception {
        TestNode dead = node("dead");
        dead.kill();
        TestNode good = node("good");
        Subject client = client(dead, good);

        assertThat(text(client)).isEqualTo("good");
        assertThat(text(client, Ask.post("pay"))).as("replayable").isEqualTo("good");
        assertThat(text(client, new Ask("POST", "http://catalog/", Map.of(), "once", true)))
                .isEqualTo("good");
        assertThat(good.bodies()).containsExactly("", "pay", "once");
        atRest(client);
    }

    @Test
    void a_body_that_can_be_sent_once_is_sent_once() throws Exception {
        TestNode bad = node("bad", TestNode.status(500, "bad"));
        TestNode good = node("good");
        Ask put = new Ask("PUT", "http://catalog/", Map.of(), "once", true);

        assertThat(text(client(bad, good), put)).isEqualTo("bad");
        assertThat(bad.bodies()).containsExactly("once");
        assertThat(good.count()).isZero();
    }

    @Test
    void a_server_that_ends_the_connection_after_it_has_read_is_a_failure() throws Exception {
        TestNode bad = node("bad", TestNode.closesWithoutBytes());
        TestNode good = node("good");
        Subject client = client(bad, good);

        assertThat(text(client)).isEqualTo("good");
        aPaymentIsSentOnceAndFails(client, bad, good);
    }

    @Test
    void also_on_a_connection_that_was_kept() throws Exception {
        TestNode bad = node(
                "bad",
                (request, node, socket, out) ->
                        request.body().isEmpty() && TestNode.status(200, "kept").answer(request, node, socket, out));
        TestNode good = node("good");
        Subject client = client(bad, good);

        assertThat(text(client)).isEqualTo("kept");
        assertThatThrownBy(() -> text(client, Ask.post("pay"))).isInstanceOf(IOException.class);
        assertThat(bad.bodies()).containsOnlyOnce("pay");
        assertThat(good.bodies()).doesNotContain("pay");
    }

    @Test
    void a_server_that_resets_after_it_has_read_too() throws Exception {
        TestNode bad = node("bad", (request, node, socket, out) -> {
            socket.setSoLinger(true, 0);
            return false;
        });
        TestNode good = node("good");
        Subject client = client(bad, good);

        assertThat(text(client)).isEqualTo("good");
        assertThatThrownBy(() -> text(client, Ask.post("pay"))).isInstanceOf(IOException.class);
        assertThat(bad.bodies()).containsOnlyOnce("pay");
        assertThat(good.bodies()).doesNotContain("pay");
    }

    @Test
    void an_endpoint_that_fails_is_left_out() throws Exception {
        TestNode bad = node("bad", TestNode.status(500, "bad"));
        TestNode good = node("good");
        Subject client = client(config -> config.breaker(breaker -> breaker.consecutiveFailures(3)), bad, good);

        for (int i = 0; i < 10; i++) {
            assertThat(text(client)).isEqualTo("good");
        }
        assertThat(bad.count()).isEqualTo(3);
    }

    @Test
    void Retry_After_of_a_503_is_for_that_endpoint_and_that_of_a_429_for_the_client() throws Exception {
        TestNode busy = node("busy", TestNode.status(503, "busy", "Retry-After: 3600"));
        TestNode limited = node("limited", TestNode.status(429, "limited", "Retry-After: 3600"));
        TestNode good = node("good");

        assertThat(text(client(busy, good))).isEqualTo("good");
        assertThat(text(client(limited, good))).isEqualTo("limited");
    }

    @Test
    void a_limit_refuses_with_an_IOException_that_says_which() throws Exception {
        TestNode node = node("node", TestNode.frozen());
        Subject client = client(config -> config.limits(Bulkhead.of("catalog-limit", 1)), node);
        Pending first = client.call(Ask.get("http://catalog/"));
        CompletableFuture<String> held = start(first);
        node.came.acquire();

        assertThatThrownBy(() -> text(client))
                .isInstanceOf(HttpRefusedException.class)
                .hasMessageContaining("catalog-limit");
        first.cancel();
        assertThatThrownBy(held::get).isInstanceOfAny(ExecutionException.class, CancellationException.class);
        assertThat(node.count()).isEqualTo(1);
        atRest(client);
    }

    // Redirects

    @Test
    void a_redirect_is_handed_on_or_followed_at_the_endpoint_as_the_client_does() throws Exception {
        TestNode node = node(
                "node",
                (request, self, socket, out) -> (request.target().equals("/to")
                                ? TestNode.status(200, "there")
                                : TestNode.status(302, "", "Location: /to"))
                        .answer(request, self, socket, out));
        TestNode other = node("other");

        Answer handedOn = client(node, other).call(Ask.get("http://catalog/")).execute();
        handedOn.text();
        assertThat(handedOn.status()).isEqualTo(302);
        assertThat(text(client(config -> {}, true, node, other))).isEqualTo("there");
        assertThat(other.count()).isZero();
    }

    @Test
    void a_post_that_was_answered_by_a_redirect_is_not_sent_again_if_that_leads_nowhere() throws Exception {
        assumeTrue(seesRedirects());
        TestNode gone = node("gone");
        gone.kill();
        TestNode node = node("node", TestNode.status(303, "", "Location: " + gone.uri() + "/"));
        TestNode other = node("other");
        Subject client = client(config -> {}, true, node, other);

        assertThatThrownBy(() -> text(client, Ask.post("pay"))).isInstanceOf(IOException.class);
        assertThat(node.bodies()).containsExactly("pay");
        assertThat(other.count()).isZero();
    }

    // Time

    @Test
    void an_endpoint_that_says_nothing_is_given_up_and_another_one_is_asked() throws Exception {
        TestNode frozen = node("frozen", TestNode.frozen());
        TestNode good = node("good");
        Subject client = client(config -> config.attemptTimeout(Duration.ofMillis(200)), frozen, good);

        assertThat(text(client)).isEqualTo("good");
        frozen.abandoned.acquire();
        atRest(client);
        assertThatThrownBy(() -> text(client, Ask.post("pay"))).isInstanceOf(IOException.class);
        assertThat(good.bodies()).doesNotContain("pay");
        frozen.abandoned.acquire();
        atRest(client);
    }

    @Test
    void the_deadline_of_the_call_ends_it_and_the_exchange() throws Exception {
        TestNode frozen = node("frozen", TestNode.frozen());
        TestNode good = node("good");
        Subject client = client(frozen, good);
        Deadline deadline =
                Deadline.after(Duration.ofMillis(300), Environment.system().clock());

        assertThatThrownBy(() -> CallContext.current()
                        .withDeadline(deadline)
                        .<String, Exception>call(() -> text(client, Ask.post("pay"))))
                .isInstanceOf(IOException.class);
        frozen.abandoned.acquire();
        assertThat(good.count()).isZero();
        atRest(client);
    }

    @Test
    void an_expired_deadline_sends_nothing() throws Exception {
        TestNode node = node("node");
        Subject client = client(node);
        Deadline deadline = Deadline.after(Duration.ZERO, Environment.system().clock());

        assertThatThrownBy(
                        () -> CallContext.current().withDeadline(deadline).<String, Exception>call(() -> text(client)))
                .isInstanceOf(IOException.class);
        assertThat(node.count()).isZero();
    }

    @Test
    void what_is_left_is_sent_along_unless_the_request_says_less() throws Exception {
        TestNode node = node("node");
        Subject client = client(config -> config.attemptTimeout(Duration.ofSeconds(20)), node);
        text(client);
        text(client, Ask.get("http://catalog/").with(Deadline.HEADER, "5S"));
        text(client, Ask.get("http://catalog/").with(Deadline.HEADER, "1H"));

        List<Duration> seen = node.requests.stream()
                .map(request -> Duration.ofNanos(Deadline.ofHeader(
                                request.header(Deadline.HEADER),
                                Environment.system().clock())
                        .remainingNanos()))
                .toList();
        assertThat(seen.get(0)).isBetween(Duration.ofMillis(1), Duration.ofSeconds(20));
        assertThat(seen.get(1)).isLessThanOrEqualTo(Duration.ofSeconds(5));
        assertThat(seen.get(2)).isBetween(Duration.ofMillis(1), Duration.ofSeconds(20));
    }

    @Test
    void a_late_endpoint_is_hedged_and_the_loser_is_let_go() throws Exception {
        TestNode slow = node("slow", TestNode.frozen());
        TestNode good = node("good");
        Subject client = client(config -> config.hedge(hedge -> hedge.delay(Duration.ofMillis(20))), slow, good);

        assertThat(text(client)).isEqualTo("good");
        slow.abandoned.acquire();
        atRest(client);
    }

    @Test
    void the_answer_that_comes_second_is_closed() throws Exception {
        Semaphore both = new Semaphore(0);
        TestNode.Behaviour answer = TestNode.status(200, "x".repeat(100_000));
        TestNode slow = node("slow", TestNode.after(both, answer));
        TestNode good = node("good", (request, self, socket, out) -> {
            both.release();
            return answer.answer(request, self, socket, out);
        });
        Subject client = client(config -> config.hedge(hedge -> hedge.delay(Duration.ofMillis(5))), slow, good);

        for (int i = 0; i < 20; i++) {
            assertThat(text(client)).hasSize(100_000);
            both.release();
        }
        atRest(client);
        assertThat(slow.openConnections()).isLessThanOrEqualTo(3);
    }

    // Cancels

    @Test
    void a_cancel_ends_the_attempt_and_begins_no_other() throws Exception {
        TestNode frozen = node("frozen", TestNode.frozen());
        TestNode good = node("good");
        Subject client = client(frozen, good);
        Pending call = client.call(Ask.get("http://catalog/"));
        CompletableFuture<String> text = start(call);
        frozen.came.acquire();
        call.cancel();

        assertThatThrownBy(text::get).isInstanceOfAny(ExecutionException.class, CancellationException.class);
        frozen.abandoned.acquire();
        atRest(client);
        assertThat(good.count()).isZero();
        assertThat(client.balancer().snapshot())
                .allSatisfy(it -> assertThat(it.inFlight()).isZero());
    }

    @Test
    void an_interrupt_too() throws Exception {
        TestNode frozen = node("frozen", TestNode.frozen());
        Subject client = client(frozen);
        Pending call = client.call(Ask.get("http://catalog/"));
        CompletableFuture<Throwable> thrown = new CompletableFuture<>();
        Thread thread = new Thread(() -> {
            try {
                call.execute().text();
                thrown.complete(new AssertionError("it was answered"));
            } catch (Throwable expected) {
                thrown.complete(expected);
            }
        });
        thread.start();
        frozen.came.acquire();
        thread.interrupt();

        assertThat(thrown.get()).isInstanceOfAny(IOException.class, InterruptedException.class);
        frozen.abandoned.acquire();
        thread.join();
        atRest(client);
    }

    // Bodies

    @Test
    void a_body_holds_its_endpoint_until_it_is_read() throws Exception {
        Semaphore rest = new Semaphore(0);
        TestNode node = node("node", (request, self, socket, out) -> {
            out.write(TestNode.head(200, 6));
            out.write("abc".getBytes(StandardCharsets.UTF_8));
            out.flush();
            rest.acquire();
            out.write("def".getBytes(StandardCharsets.UTF_8));
            out.flush();
            return true;
        });
        Subject client = client(node);
        Answer answer = client.call(Ask.get("http://catalog/")).execute();
        assertThat(answer.body().read()).isEqualTo('a');
        if (holdsWhileBodyIsRead()) {
            assertThat(inFlight(client)).isEqualTo(1);
        }
        rest.release();
        assertThat(new String(answer.body().readAllBytes(), StandardCharsets.UTF_8))
                .isEqualTo("bcdef");
        atRest(client);
        answer.close();
        atRest(client);
    }

    @Test
    void a_limit_counts_a_body_that_is_read() throws Exception {
        assumeTrue(holdsWhileBodyIsRead());
        TestNode node = node("node", TestNode.freezesHalfWay());
        Bulkhead limit = Bulkhead.of("catalog-limit", 1);
        Subject client = client(config -> config.limits(limit), node);
        Answer answer = client.call(Ask.get("http://catalog/")).execute();

        assertThatThrownBy(() -> client.call(Ask.get("http://catalog/")).execute())
                .isInstanceOf(HttpRefusedException.class);
        answer.close();
        eventually(() -> limit.inFlight() == 0);
        client.call(Ask.get("http://catalog/")).execute().close();
        atRest(client);
    }

    @Test
    void a_body_that_is_closed_unread_lets_its_endpoint_go() throws Exception {
        TestNode node = node("node", TestNode.status(200, "x".repeat(1000)));
        Subject client = client(node);
        for (int i = 0; i < 100; i++) {
            client.call(Ask.get("http://catalog/")).execute().close();
        }
        atRest(client);
        eventually(() -> node.openConnections() <= 5);
    }

    @Test
    void a_body_that_breaks_off_fails_its_reader_and_counts_against_its_endpoint() throws Exception {
        assumeTrue(holdsWhileBodyIsRead());
        TestNode bad = node("bad", TestNode.resetsHalfWay());
        TestNode good = node("good");
        Subject client = client(config -> config.breaker(breaker -> breaker.consecutiveFailures(3)), bad, good);

        for (int i = 0; i < 3; i++) {
            Answer answer = client.call(Ask.get("http://catalog/")).execute();
            assertThatThrownBy(answer::text).isInstanceOf(IOException.class);
            atRest(client);
        }
        assertThat(text(client)).isEqualTo("good");
        assertThat(bad.count()).isEqualTo(3);
    }

    @Test
    void a_cancel_cuts_a_body_off_that_is_read() throws Exception {
        TestNode node = node("node", TestNode.freezesHalfWay());
        Subject client = client(node);
        Pending call = client.call(Ask.get("http://catalog/"));
        Answer answer = call.execute();
        answer.body().readNBytes(400);
        CompletableFuture<String> rest = start(new Pending() {
            @Override
            public Answer execute() {
                return answer;
            }

            @Override
            public void cancel() {}
        });
        call.cancel();

        assertThatThrownBy(rest::get).isInstanceOf(ExecutionException.class);
        node.abandoned.acquire();
        atRest(client);
    }

    @Test
    void the_deadline_cuts_a_body_off_that_is_read() throws Exception {
        assumeTrue(holdsWhileBodyIsRead());
        TestNode node = node("node", TestNode.freezesHalfWay());
        Subject client = client(node);
        Deadline deadline =
                Deadline.after(Duration.ofMillis(500), Environment.system().clock());

        assertThatThrownBy(
                        () -> CallContext.current().withDeadline(deadline).<String, Exception>call(() -> text(client)))
                .isInstanceOf(IOException.class);
        node.abandoned.acquire();
        atRest(client);
    }

    @Test
    void a_hundred_trips_leave_nothing_behind() throws Exception {
        TestNode flaky = node("flaky", (request, self, socket, out) -> switch (self.count() % 4) {
            case 0 -> TestNode.status(500, "x".repeat(20_000)).answer(request, self, socket, out);
            case 1 -> TestNode.closesWithoutBytes().answer(request, self, socket, out);
            default -> TestNode.status(200, "ok").answer(request, self, socket, out);
        });
        TestNode good = node("good", TestNode.status(200, "ok"));
        Subject client = client(config -> config.noBreaker(), flaky, good);
        for (int i = 0; i < 100; i++) {
            assertThat(text(client)).isEqualTo("ok");
        }
        atRest(client);
        eventually(() -> flaky.openConnections() <= 5 && good.openConnections() <= 5);
        assertThat(flaky.count()).isGreaterThan(90);
    }

    @Test
    void answers_without_a_body_hold_nothing() throws Exception {
        TestNode node = node("node", (request, self, socket, out) -> {
            out.write("HTTP/1.1 204 No\r\n\r\n".getBytes(StandardCharsets.US_ASCII));
            out.flush();
            return true;
        });
        Subject client = client(node);
        for (int i = 0; i < 5; i++) {
            assertThat(client.call(Ask.get("http://catalog/")).execute().status())
                    .isEqualTo(204);
        }
        atRest(client);
        assertThat(node.connections.get()).isLessThanOrEqualTo(5);
    }

    @Test
    void an_endpoint_that_asks_to_come_again_at_once_gets_a_payment_once() throws Exception {
        for (String hint : List.of("0", " 0 ", "99999999999999999999")) {
            TestNode busy = node("busy", TestNode.status(503, "busy", "Retry-After: " + hint));
            TestNode other = node("other");
            Subject client = client(config -> config.noBreaker(), busy, other);

            Answer answer = client.call(Ask.post("pay")).execute();
            assertThat(answer.status()).isEqualTo(503);
            assertThat(answer.text()).isEqualTo("busy");
            assertThat(busy.bodies()).containsExactly("pay");
            assertThat(other.count()).isZero();
            assertThat(text(client)).isEqualTo("other");
            assertThat(busy.count()).isEqualTo(2);
        }
    }

    @Test
    void an_answer_whose_length_is_negative_is_a_failure_of_its_endpoint() throws Exception {
        assumeTrue(readsLengths());
        TestNode bad = node("bad", (request, self, socket, out) -> {
            out.write("HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\nhello".getBytes(StandardCharsets.US_ASCII));
            out.flush();
            return true;
        });
        TestNode good = node("good");
        Subject client = client(config -> config.noBreaker(), bad, good);

        for (int i = 0; i < 3; i++) {
            assertThat(text(client)).isEqualTo("good");
        }
        aPaymentIsSentOnceAndFails(client, bad, good);
    }

    @Test
    void a_body_that_can_be_sent_once_is_not_sent_again_to_where_a_redirect_leads() throws Exception {
        for (int status : new int[] {307, 308}) {
            TestNode node = node(
                    "node",
                    (request, self, socket, out) -> (request.target().equals("/to")
                                    ? TestNode.status(200, "there")
                                    : TestNode.status(status, "elsewhere", "Location: /to"))
                            .answer(request, self, socket, out));
            TestNode other = node("other");
            Subject client = client(config -> {}, true, node, other);

            String outcome;
            try {
                outcome = text(client, new Ask("POST", "http://catalog/", Map.of(), "once", true));
            } catch (IOException failed) {
                outcome = "failed";
            }
            assertThat(outcome).isIn("elsewhere", "failed");
            assertThat(node.bodies()).containsOnlyOnce("once");
            assertThat(other.count()).isZero();
            atRest(client);
            assertThat(text(client, new Ask("POST", "http://catalog/", Map.of(), "again", false)))
                    .isEqualTo("there");
        }
    }

    @Test
    void user_info_of_an_endpoint_is_left_out() throws Exception {
        TestNode node = node("node");
        URI secret = URI.create("http://user:s3cret@127.0.0.1:" + node.uri().getPort() + "/base");
        Subject client = subject(
                EndpointSource.ofAddresses(List.of(secret)), config -> config.noRetry(), false, Environment.system());
        closing.add(0, client);

        assertThat(text(client)).isEqualTo("node");
        assertThat(node.requests.element().target()).isEqualTo("/base/");
        assertThat(node.requests.element().headers()).doesNotContainKey("authorization");
    }

    @Test
    void a_request_with_user_info_is_for_another_host() throws Exception {
        TestNode node = node("node");
        Subject client = client(node);

        assertThatThrownBy(() -> text(client, Ask.get("http://user:s3cret@catalog/")))
                .isInstanceOf(IOException.class)
                .message()
                .satisfiesAnyOf(
                        message -> assertThat(message).isNull(),
                        message -> assertThat(message).doesNotContain("s3cret"));
        assertThat(node.count()).isZero();
    }

    @Test
    void a_thread_that_is_interrupted_already_sends_nothing_if_it_would_wait() throws Exception {
        TestNode node = node("node");
        Subject client = client(node);
        Thread.currentThread().interrupt();
        try {
            assertThatThrownBy(() -> text(client))
                    .isInstanceOfAny(InterruptedIOException.class, InterruptedException.class);
        } finally {
            Thread.interrupted();
        }
        if (sendsBlocking()) {
            assertThat(node.count()).isZero();
        }
        atRest(client);
    }
}
