package dev.levee.examples.shortlink.smoke;

import static org.assertj.core.api.Assertions.assertThat;

import dev.levee.examples.shortlink.Reply;
import dev.levee.examples.shortlink.WebServer;
import dev.levee.examples.shortlink.front.FrontServer;
import java.net.URI;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;

class FloodTest {
    @Test
    void it_comes_from_one_tenant_and_many_addresses_and_counts_refusals() throws Exception {
        Set<String> tenants = ConcurrentHashMap.newKeySet();
        Set<String> clients = ConcurrentHashMap.newKeySet();
        Set<String> paths = ConcurrentHashMap.newKeySet();
        AtomicLong requests = new AtomicLong();
        try (WebServer server = WebServer.start(
                0,
                4,
                exchange -> {
                    tenants.add(exchange.getRequestHeaders().getFirst(FrontServer.TENANT));
                    clients.add(exchange.getRequestHeaders().getFirst("X-Forwarded-For"));
                    paths.add(exchange.getRequestURI().getPath());
                    Reply.of(requests.incrementAndGet() == 1 ? 302 : 429, "from a test")
                            .send(exchange);
                },
                () -> {})) {
            Flood flood = new Flood(URI.create("http://127.0.0.1:" + server.port()));
            flood.run(TimeUnit.MILLISECONDS.toNanos(500));

            assertThat(flood.sent()).isPositive().isEqualTo(requests.get());
            assertThat(flood.refused()).isEqualTo(flood.sent() - 1);
            assertThat(tenants).containsExactly("flood");
            assertThat(clients).hasSizeGreaterThan(1);
            assertThat(paths).hasSize((int) flood.sent());
        }
    }

    @Test
    void it_is_ten_times_what_a_tenant_may() {
        assertThat(Flood.rate()).isEqualTo(1_500);
    }

    /** A service that never answers: as many requests come as are due, up to the bound. */
    @Test
    void answers_are_not_waited_for() throws Exception {
        AtomicLong requests = new AtomicLong();
        CountDownLatch end = new CountDownLatch(1);
        try (WebServer server = WebServer.start(
                0,
                64,
                exchange -> {
                    requests.incrementAndGet();
                    try {
                        end.await();
                    } catch (InterruptedException interrupt) {
                        Thread.currentThread().interrupt();
                    }
                    exchange.close();
                },
                () -> {})) {
            Flood flood = new Flood(URI.create("http://127.0.0.1:" + server.port()));
            flood.run(TimeUnit.MILLISECONDS.toNanos(200));
            end.countDown();

            assertThat(flood.sent()).as("300 are due in that time").isGreaterThan(96);
            assertThat(flood.mostOutstanding()).isEqualTo((int) flood.sent());
        }
    }

    @Test
    void what_is_without_an_answer_is_bounded() throws Exception {
        CountDownLatch end = new CountDownLatch(1);
        try (WebServer server = WebServer.start(
                0,
                1,
                exchange -> {
                    try {
                        end.await();
                    } catch (InterruptedException interrupt) {
                        Thread.currentThread().interrupt();
                    }
                    exchange.close();
                },
                () -> {})) {
            Flood flood = new Flood(URI.create("http://127.0.0.1:" + server.port()));
            flood.run(TimeUnit.MILLISECONDS.toNanos(1_500));
            end.countDown();

            assertThat(flood.sent()).isLessThanOrEqualTo(900);
        }
    }
}
