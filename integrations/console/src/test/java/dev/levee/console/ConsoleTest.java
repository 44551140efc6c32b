package dev.levee.console;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.levee.cache.Cache;
import dev.levee.circuitbreaker.CircuitBreaker;
import dev.levee.core.Environment;
import dev.levee.core.Keyed;
import dev.levee.core.Measured;
import dev.levee.core.Metric;
import dev.levee.core.Pipeline;
import dev.levee.core.Policy;
import dev.levee.core.policy.Bulkhead;
import dev.levee.core.policy.Retry;
import dev.levee.core.signals.CallMeter;
import dev.levee.core.testing.ManualTime;
import dev.levee.loadbalancing.LoadBalancer;
import dev.levee.loadbalancing.discovery.Endpoint;
import dev.levee.loadbalancing.discovery.EndpointSource;
import dev.levee.loadbalancing.strategy.BalancingStrategy;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.BooleanSupplier;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

@Timeout(60)
class ConsoleTest {

    private static String snapshot(Console console) throws IOException {
        RawHttp http = new RawHttp(console.address());
        return http.send("GET", "/api/snapshot", "", "Host: " + http.host()).body();
    }

    private static void await(BooleanSupplier condition) throws InterruptedException {
        long start = System.nanoTime();
        while (!condition.getAsBoolean()) {
            assertThat(System.nanoTime() - start).as("waited in vain").isLessThan(TimeUnit.SECONDS.toNanos(30));
            TimeUnit.MILLISECONDS.sleep(5);
        }
    }

    /** An open page, as far as the console knows. */
    private static final class Page implements AutoCloseable {
        private final Socket socket;
        private final BufferedReader reader;

        Page(Console console, String... headers) throws IOException {
            socket = new Socket(console.address().getHost(), console.address().getPort());
            socket.setSoTimeout(30_000);
            String more = String.join(
                    "", List.of(headers).stream().map(it -> it + "\r\n").toList());
            String request =
                    "GET /api/stream HTTP/1.1\r\nHost: " + console.address().getAuthority() + "\r\n" + more + "\r\n";
            socket.getOutputStream().write(request.getBytes(StandardCharsets.US_ASCII));
            reader = new BufferedReader(new InputStreamReader(socket.getInputStream(), StandardCharsets.UTF_8));
        }

        String status() throws IOException {
            return reader.readLine();
        }

        /** The next line that starts so; null at the end of the stream. */
        String next(String start) throws IOException {
            for (String line = reader.readLine(); line != null; line = reader.readLine()) {
                if (line.startsWith(start)) {
                    return line;
                }
            }
            return null;
        }

        /** The next message, which comes when some time has passed: as much as is needed. */
        String nextAfterTime(ManualTime time) throws Exception {
            CompletableFuture<String> message = CompletableFuture.supplyAsync(() -> {
                try {
                    return next("data: ");
                } catch (IOException e) {
                    throw new UncheckedIOException(e);
                }
            });
            await(() -> {
                time.advance(Duration.ofSeconds(1));
                return message.isDone();
            });
            return message.join();
        }

        @Override
        public void close() throws IOException {
            socket.close();
        }
    }

    // ---- what is shown

    @Test
    void a_pipeline_is_shown_in_its_order_with_parts_of_policies_between() throws Exception {
        try (Console console = Console.start(0)) {
            console.show(Pipeline.of(
                    CallMeter.of("shop"),
                    Retry.of("shop", config -> config.idempotent(true)),
                    CircuitBreaker.of("shop"),
                    Bulkhead.of("shop", 3)));

            assertThat(snapshot(console))
                    .containsSubsequence(
                            "\"name\":\"shop\"",
                            "{\"kind\":\"meter\",\"name\":\"shop\",\"linked\":true",
                            "{\"kind\":\"retry\",\"name\":\"shop\",\"linked\":true",
                            "{\"kind\":\"budget\",\"name\":\"shop\",\"linked\":false",
                            "{\"kind\":\"breaker\",\"name\":\"shop\",\"linked\":true,\"trouble\":0,"
                                    + "\"state\":\"CLOSED\"",
                            "{\"kind\":\"bulkhead\",\"name\":\"shop\",\"linked\":true");
        }
    }

    @Test
    void cards_with_most_trouble_come_first_and_say_why() throws Exception {
        CircuitBreaker sick = CircuitBreaker.of("sick");
        try (Console console = Console.start(0).show(CircuitBreaker.of("well"), sick)) {
            sick.forceOpen();

            assertThat(snapshot(console))
                    .containsSubsequence(
                            "\"name\":\"sick\",\"trouble\":3,\"why\":\"breaker \\\"sick\\\" was forced open\"",
                            "\"name\":\"well\",\"trouble\":0");
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"", " ", "a\nb"})
    void a_name_of_a_card_is_checked(String name) {
        try (Console console = Console.start(0)) {
            assertThatThrownBy(() -> console.show(name, CircuitBreaker.of("x")))
                    .isInstanceOf(IllegalArgumentException.class);
            assertThatThrownBy(() -> console.action(name, () -> {})).isInstanceOf(IllegalArgumentException.class);
            assertThatThrownBy(() -> console.hotKeys(name)).isInstanceOf(IllegalArgumentException.class);
            assertThatThrownBy(() -> console.show("x")).hasMessage("parts must not be empty");
            assertThatThrownBy(() -> console.show((Measured) null)).isInstanceOf(NullPointerException.class);
        }
    }

    @Test
    void endpoints_are_shown_with_their_health_and_calls() throws Exception {
        LoadBalancer<String> balancer = LoadBalancer.of(
                "nodes",
                BalancingStrategy.roundRobin(),
                EndpointSource.of(List.of(new Endpoint<>("a", "A", 1), new Endpoint<>("b", "B", 0))),
                config -> config.totals(true).health(health -> health.consecutiveFailures(3)));
        try (Console console = Console.start(0).show(balancer)) {
            balancer.call(address -> "done");

            assertThat(snapshot(console))
                    .contains("{\"name\":\"nodes/a\",\"state\":\"HEALTHY\",\"why\":\"\",\"figures\":{"
                            + "\"endpoint.in.flight\":0,\"endpoint.picks\":1}}")
                    .contains("{\"name\":\"nodes/b\",\"state\":\"DRAINING\"");
        }
        balancer.close();
    }

    @Test
    void why_an_endpoint_is_left_out_is_not_the_message_of_a_check() throws Exception {
        LoadBalancer<String> balancer = LoadBalancer.of(
                "nodes",
                BalancingStrategy.roundRobin(),
                EndpointSource.of(List.of(new Endpoint<>("a", "A", 1))),
                config -> config.health(
                        health -> health.mustBeChecked(true).unhealthyAfter(1).check((address, limit) -> {
                            throw new IOException("password=hunter2");
                        })));
        try (Console console = Console.start(0).show(balancer)) {
            await(() -> !balancer.snapshot().get(0).why().isEmpty());

            assertThat(snapshot(console)).contains("UNHEALTHY").doesNotContain("hunter2");
        }
        balancer.close();
    }

    @Test
    void figures_of_an_endpoint_that_come_in_two_places_are_one_row() throws Exception {
        Measured mirrored = sink -> {
            sink.value("nodes/a", "endpoint.picks", 1);
            sink.value("nodes/b", "endpoint.picks", 2);
            sink.value("nodes/a", "endpoint.state", 2);
        };
        try (Console console = Console.start(0).show("mirrored", mirrored)) {
            assertThat(snapshot(console))
                    .contains("{\"name\":\"nodes/a\",\"state\":\"EJECTED\",\"why\":\"\","
                            + "\"figures\":{\"endpoint.picks\":1,\"endpoint.state\":2}},{\"name\":\"nodes/b\"");
        }
    }

    @Test
    void figures_with_a_description_name_their_states() throws Exception {
        Metric state = Metric.state("thing.state", "A state", TimeUnit.class);
        Metric count = Metric.counter("thing.calls", "Calls", "ending");
        Measured thing = sink -> {
            sink.value("thing", state, 1);
            sink.value("thing", count, List.of("not_sent"), 7);
        };
        try (Console console = Console.start(0).show(thing)) {
            assertThat(snapshot(console))
                    .contains("\"state\":\"MICROSECONDS\"", "\"thing.state\":1", "\"thing.calls.not.sent\":7");
        }
    }

    @Test
    void latencies_are_those_of_the_last_seconds() throws Exception {
        ManualTime time = new ManualTime();
        Environment environment = time.environment();
        CallMeter meter = CallMeter.of("shop", environment);
        Latencies latencies = new Latencies();
        Card card = new Card("c1", null, List.of(meter), java.util.Map.of(), java.util.Map.of());
        assertThat(text(card, latencies, time)).doesNotContain("p99");

        for (int i = 0; i < 100; i++) {
            meter.run(() -> time.advance(Duration.ofMillis(10)));
        }
        assertThat(text(card, latencies, time)).containsPattern("\"meter.duration.p99.nanos\":(9|10)[0-9]{6}\\b");
        for (int i = 0; i < 12; i++) {
            time.advance(Duration.ofSeconds(1));
            text(card, latencies, time);
        }
        assertThat(text(card, latencies, time)).as("no calls lately").doesNotContain("p99");
    }

    private static String text(Card card, Latencies latencies, ManualTime time) {
        JsonText json = new JsonText();
        Controls controls = new Controls(new EventRing(time.environment().wallClock()));
        card.read(latencies, time.environment().clock().nanoTime()).write(json, controls);
        return json.toString();
    }

    // ---- bounds

    @Test
    void ten_thousand_keys_make_a_small_page_that_shows_those_in_trouble() throws Exception {
        Keyed<Integer, CircuitBreaker> hosts = Keyed.of(
                "hosts",
                20_000,
                Duration.ofDays(1),
                host -> CircuitBreaker.of("host-" + host, config -> config.totals(true), Environment.system()),
                10_000,
                Environment.system());
        for (int i = 0; i < 10_000; i++) {
            hosts.get(i);
        }
        hosts.get(4321).forceOpen();
        hosts.get(8765).forceOpen();
        for (int i = 0; i < 5; i++) {
            hosts.get(7000).call(() -> "busy");
        }
        try (Console console = Console.start(0).show("hosts", hosts)) {
            String page = snapshot(console);

            assertThat(page.length()).isLessThan(60_000);
            assertThat(page)
                    .contains("host-4321", "host-8765", "host-7000", "\"moreLayers\":9953", "\"keyed.size\":10000");
        }
    }

    @Test
    void a_thing_with_endless_figures_and_names_is_cut() throws Exception {
        Measured endless = sink -> {
            for (int i = 0; i < 5_000; i++) {
                sink.value("one", "thing.figure" + i, i);
                sink.value("balancer/" + i, "endpoint.picks", i);
            }
        };
        try (Console console = Console.start(0).show("endless", endless)) {
            assertThat(snapshot(console)).hasSizeLessThan(20_000).contains("balancer/4999", "\"moreEndpoints\":4950");
        }
    }

    @Test
    void a_thousand_cards_are_shown_as_a_hundred_and_no_more_are_taken() throws Exception {
        try (Console console = Console.start(0)) {
            for (int i = 0; i < Board.MAX_SHOWN; i++) {
                console.show(CircuitBreaker.of("b" + i));
            }
            assertThatThrownBy(() -> console.show(CircuitBreaker.of("more")))
                    .hasMessage("console shows 1000 things already");
            assertThat(snapshot(console)).contains("\"moreCards\":900");
        }
    }

    @Test
    void events_are_bounded_and_come_in_order() throws Exception {
        try (Console console = Console.start(0)) {
            for (int i = 0; i < 1000; i++) {
                console.listener().onStateChange(Policy.Kind.BREAKER, "b" + i, "CLOSED", "OPEN");
            }
            assertThat(snapshot(console))
                    .doesNotContain("\"b799\"")
                    .containsSubsequence("\"number\":801", "\"b800\"", "\"number\":1000", "\"b999\"");
        }
    }

    @Test
    void of_what_comes_often_there_is_one_line_for_each_while() {
        ManualTime time = new ManualTime();
        EventRing ring = new EventRing(time.environment().wallClock());
        EventFeed feed = new EventFeed(ring, time.environment().clock());
        for (int i = 0; i < 1000; i++) {
            feed.onRefused(Policy.Kind.LIMITER, "clients");
        }
        time.advance(Duration.ofSeconds(5));
        feed.onRefused(Policy.Kind.LIMITER, "clients");
        feed.onRefused(Policy.Kind.BREAKER, "clients");

        assertThat(ring.after(0))
                .extracting(EventRing.RingEntry::text)
                .containsExactly("refused a call", "refused 1000 calls", "refused a call");
    }

    @Test
    void names_of_events_are_bounded() {
        EventRing ring = new EventRing(Environment.system().wallClock());
        EventFeed feed = new EventFeed(ring, Environment.system().clock());
        for (int i = 0; i < 10 * EventFeed.MAX_NAMES; i++) {
            feed.onRefused(Policy.Kind.LIMITER, "key-" + i);
        }
        assertThat(ring.last()).isEqualTo(EventFeed.MAX_NAMES);
    }

    @Test
    void names_of_events_make_room_when_nothing_comes_under_them() {
        ManualTime time = new ManualTime();
        EventRing ring = new EventRing(time.environment().wallClock());
        EventFeed feed = new EventFeed(ring, time.environment().clock());
        for (int i = 0; i < 2 * EventFeed.MAX_NAMES; i++) {
            feed.onRefused(Policy.Kind.LIMITER, "key-" + i);
        }
        time.advance(Duration.ofSeconds(4));
        feed.onRefused(Policy.Kind.LIMITER, "key-0");
        time.advance(Duration.ofSeconds(1));
        feed.onRefused(Policy.Kind.LIMITER, "all");
        assertThat(ring.after(EventFeed.MAX_NAMES))
                .extracting(EventRing.RingEntry::name)
                .containsExactly("all");
        feed.onRefused(Policy.Kind.LIMITER, "key-0");
        assertThat(ring.after(EventFeed.MAX_NAMES + 1))
                .extracting(EventRing.RingEntry::text)
                .as("what was counted of a name that goes on is not lost")
                .containsExactly("refused 2 calls");
    }

    @Test
    void the_counters_of_a_card_are_found_again_when_there_are_no_more_to_be_had() {
        try (Console console = Console.start(0)) {
            HotKeys first = console.hotKeys("card-0");
            for (int i = 1; i < 1000; i++) {
                console.hotKeys("card-" + i);
            }
            assertThat(console.hotKeys("card-0")).isSameAs(first);
            assertThatThrownBy(() -> console.hotKeys("card-1000")).isInstanceOf(IllegalStateException.class);
        }
    }

    // ---- pages that follow

    @Test
    void nothing_is_read_unless_a_page_is_open() throws Exception {
        AtomicInteger reads = new AtomicInteger();
        ManualTime time = new ManualTime();
        try (Console console = Console.start(config -> {}, time.environment())
                .show("counted", sink -> sink.value("x", "x.reads", reads.incrementAndGet()))) {
            time.advance(Duration.ofHours(1));
            assertThat(reads).hasValue(0);
            try (Page page = new Page(console)) {
                assertThat(page.next("data: ")).contains("\"x.reads\":1");
                assertThat(page.nextAfterTime(time)).contains("\"x.reads\":2");
                assertThat(console.pages()).isEqualTo(1);
            }
            await(() -> {
                time.advance(Duration.ofSeconds(1)); // the next message finds that the page is gone
                return console.pages() == 0;
            });
            int after = reads.get();
            time.advance(Duration.ofHours(1));
            assertThat(reads).hasValue(after);
        }
    }

    @Test
    void pages_that_are_open_at_once_share_the_readings() throws Exception {
        AtomicInteger reads = new AtomicInteger();
        ManualTime time = new ManualTime();
        try (Console console = Console.start(config -> {}, time.environment())
                        .show("counted", sink -> sink.value("x", "x.reads", reads.incrementAndGet()));
                Page one = new Page(console);
                Page two = new Page(console)) {
            one.next("data: ");
            two.next("data: ");
            assertThat(reads).hasValue(1);
        }
    }

    @Test
    void a_page_sees_events_live_and_after_a_break_those_that_it_missed() throws Exception {
        ManualTime time = new ManualTime();
        try (Console console = Console.start(config -> {}, time.environment())) {
            console.listener().onStateChange(Policy.Kind.BREAKER, "first", "CLOSED", "OPEN");
            try (Page page = new Page(console)) {
                assertThat(page.next("id: ")).isEqualTo("id: 1");
                assertThat(page.next("data: ")).contains("first");
                console.listener().onStateChange(Policy.Kind.BREAKER, "second", "CLOSED", "OPEN");
                assertThat(page.nextAfterTime(time)).contains("second").doesNotContain("first");
            }
            try (Page again = new Page(console, "Last-Event-ID: 1")) {
                assertThat(again.next("data: ")).contains("second").doesNotContain("first");
            }
            for (String wrong : List.of("x", "-1", "99999999999999999999", "1;2")) {
                try (Page page = new Page(console, "Last-Event-ID: " + wrong)) {
                    assertThat(page.status()).contains("400");
                }
            }
        }
    }

    @Test
    void as_many_pages_follow_as_may_and_the_next_one_is_told() throws Exception {
        ManualTime time = new ManualTime();
        List<Page> pages = new ArrayList<>();
        try (Console console = Console.start(config -> config.streams(2), time.environment())) {
            for (int i = 0; i < 2; i++) {
                pages.add(new Page(console));
                assertThat(pages.get(i).status()).contains("200");
                assertThat(pages.get(i).next("data: ")).isNotNull();
            }
            try (Page third = new Page(console)) {
                assertThat(third.status()).contains("503");
                assertThat(third.next("Retry-after")).contains("5");
            }
            assertThat(console.pages()).isEqualTo(2);
            assertThat(snapshot(console)).as("other requests are answered").contains("\"cards\"");
            pages.get(0).close();
            await(() -> {
                time.advance(Duration.ofSeconds(1));
                return console.pages() == 1;
            });
            try (Page next = new Page(console)) {
                assertThat(next.status()).contains("200");
            }
        } finally {
            for (Page page : pages) {
                page.close();
            }
        }
    }

    @Test
    void a_page_that_takes_nothing_loses_its_place_to_another_one() throws Exception {
        ManualTime time = new ManualTime();
        Measured large = sink -> {
            for (int i = 0; i < 40; i++) {
                for (int j = 0; j < 80; j++) {
                    sink.value("policy" + i, "thing" + i + ".figure.of.a.long.name" + j, 0.1 + j);
                }
            }
        };
        try (Console console = Console.start(config -> config.streams(1), time.environment())
                        .show("large", large);
                Page stuck = new Page(console)) {
            assertThat(stuck.next("data: ")).isNotNull();
            await(() -> {
                time.advance(Duration.ofSeconds(1));
                try (Page other = new Page(console)) {
                    return other.status().contains("200");
                } catch (IOException e) {
                    throw new UncheckedIOException(e);
                }
            });
        }
    }

    @Test
    void requests_that_are_never_sent_whole_lose_their_threads() throws Exception {
        ManualTime time = new ManualTime();
        List<Socket> slow = new ArrayList<>();
        try (Console console = Console.start(config -> config.streams(1), time.environment())) {
            for (int i = 0; i < 40; i++) { // more than there are threads
                Socket socket = new Socket(
                        console.address().getHost(), console.address().getPort());
                slow.add(socket);
                String part = i % 2 == 0 ? "GET / HT" : "GET / HTTP/1.1\r\nHost: 127";
                socket.getOutputStream().write(part.getBytes(StandardCharsets.US_ASCII));
            }
            await(() -> {
                time.advance(Duration.ofSeconds(1));
                try (Page page = new Page(console)) {
                    String status = page.status();
                    return status != null && status.contains("200");
                } catch (IOException closed) {
                    return false;
                }
            });
        } finally {
            for (Socket socket : slow) {
                socket.close();
            }
        }
    }

    @Test
    void closing_ends_pages_and_stops_serving() throws Exception {
        Console console = Console.start(0);
        try (Page page = new Page(console)) {
            assertThat(page.next("data: ")).isNotNull();

            console.close();
            console.close();

            try {
                while (page.next("data: ") != null) {}
            } catch (IOException reset) {
                // that is an end too
            }
        }
        await(() -> console.pages() == 0);
        assertThatThrownBy(() -> new Page(console)).isInstanceOf(IOException.class);
        await(() -> Thread.getAllStackTraces().keySet().stream()
                .noneMatch(thread -> thread.getName().startsWith("levee-console") && thread.isAlive()));
    }

    @Test
    void a_port_that_is_in_use_is_named() {
        try (Console console = Console.start(0)) {
            int port = console.address().getPort();

            assertThatThrownBy(() -> Console.start(port))
                    .isInstanceOf(UncheckedIOException.class)
                    .hasMessage("console cannot listen on 127.0.0.1:" + port);
        }
        assertThatThrownBy(() -> Console.start(70_000))
                .hasMessage("console \"page\": port must be from 0 to 65535, but was 70000");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {"", "*", "*.example", "Example.org", "a b", "http://a", "a/b", "a:b", "a:123456", "-a", "[x]"})
    void a_host_must_be_an_exact_name(String host) {
        assertThatThrownBy(() -> ConsoleConfig.builder().host(host))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageStartingWith("host must be a name in lower case");
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "short", "has a blank in the middle", "umlaut-umlaut-ä-umlaut"})
    void a_token_must_be_long_and_plain(String token) {
        assertThatThrownBy(() -> ConsoleConfig.builder().token(token))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageStartingWith("token must");
    }

    @Test
    void actions_are_bounded() {
        try (Console console = Console.start(0)) {
            for (int i = 0; i < Controls.MAX_ACTIONS; i++) {
                console.action("a" + i, () -> {});
            }
            assertThatThrownBy(() -> console.action("more", () -> {})).hasMessage("there are 50 actions already");
        }
    }

    @Test
    void a_cache_has_a_card() throws Exception {
        Cache<String, String> cache =
                Cache.of("products", config -> config.maxSize(10).totals(true));
        try (Console console = Console.start(0).show(cache)) {
            cache.get("x", key -> "loaded");

            assertThat(snapshot(console)).contains("\"name\":\"products\"", "\"cache.misses\":1");
        }
        cache.close();
    }
}
