package dev.levee.loadbalancing;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowable;

import dev.levee.core.CapturedLog;
import dev.levee.core.testing.ManualTime;
import dev.levee.loadbalancing.discovery.Endpoint;
import dev.levee.loadbalancing.discovery.EndpointSource;
import dev.levee.loadbalancing.discovery.UpdatableEndpoints;
import dev.levee.loadbalancing.strategy.BalancingStrategy;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What comes from outside forges no line of a log or a message: ids, labels, keys, files and texts of checks. */
class NamesInMessagesTest {
    private static final String EVIL = "a\nERROR forged\r\u202E\u001B[31m";
    private static final String SAFE = "a\\u000AERROR forged\\u000D\\u202E\\u001B[31m";

    private final ManualTime time = new ManualTime();

    private static void assertOneLine(String text) {
        assertThat(text).doesNotContain("\n", "\r", "\u202E", "\u001B");
    }

    private static Endpoint<String> evil() {
        return new Endpoint<>(EVIL, EVIL, 1.0, 0, Map.of("zone", EVIL));
    }

    @Test
    void balancers_and_sources_refuse_such_a_name() {
        assertThatThrownBy(() -> LoadBalancer.of(
                        EVIL,
                        BalancingStrategy.roundRobin(),
                        EndpointSource.of(Balancers.endpoints(1)),
                        config -> {},
                        time.environment()))
                .isInstanceOf(IllegalArgumentException.class)
                .satisfies(thrown -> assertOneLine(thrown.getMessage()));
        assertThatThrownBy(() -> EndpointSource.polling(
                        EVIL, List::<Endpoint<String>>of, Duration.ofSeconds(1), time.environment()))
                .isInstanceOf(IllegalArgumentException.class)
                .satisfies(thrown -> assertOneLine(thrown.getMessage()));
        for (String wrong : List.of(EVIL, "[" + EVIL, EVIL + ":1x")) {
            Throwable thrown = catchThrowable(() -> EndpointSource.dns(wrong, 80));
            assertThat(thrown).isInstanceOf(IllegalArgumentException.class);
            assertOneLine(thrown.getMessage());
        }
    }

    @Test
    void texts_of_endpoints_tickets_states_and_explanations_are_one_line() {
        LoadBalancer<String> nodes = LoadBalancer.of(
                "nodes",
                BalancingStrategy.consistentHash(),
                EndpointSource.of(List.of(evil())),
                config -> {},
                time.environment());
        assertOneLine(evil().toString());
        try (Ticket<String> ticket = nodes.forKey(EVIL).pick()) {
            assertOneLine(ticket.toString());
            assertThat(ticket.endpoint().id()).isEqualTo(EVIL); // what is stored stays as it is
        }
        assertOneLine(nodes.snapshot().get(0).toString());
        assertOneLine(nodes.forKey(EVIL).explain().reason());
        assertThat(nodes.explain().toString().lines()).hasSize(2);
        assertOneLine(EndpointSource.updatable(List.of(evil())).toString());
    }

    @Test
    void labels_in_the_log_figures_and_events_are_escaped() {
        UpdatableEndpoints<String> source = EndpointSource.updatable(List.of(evil(), Endpoint.of("b")));
        List<String> figures = new ArrayList<>();
        try (CapturedLog log = new CapturedLog(LoadBalancer.class)) {
            LoadBalancer<String> nodes = LoadBalancer.of(
                    "nodes",
                    BalancingStrategy.roundRobin(),
                    source,
                    config -> config.drain(Duration.ofSeconds(1), endpoint -> {
                        throw new IllegalStateException("busy");
                    }),
                    time.environment());
            nodes.measure((policy, metric, value) -> figures.add(policy));
            source.set(List.of(Endpoint.of("b")));
            time.advance(Duration.ofSeconds(2));
            assertThat(log.lines())
                    .containsExactly("WARN balancer \"nodes\": endpoint " + SAFE + " could not be closed");
        }
        assertThat(figures).contains("nodes/" + SAFE);
        figures.forEach(NamesInMessagesTest::assertOneLine);
    }

    @Test
    void two_addresses_of_one_id_are_named_in_one_line() {
        Throwable thrown = catchThrowable(() -> LoadBalancer.of(
                "nodes",
                BalancingStrategy.roundRobin(),
                EndpointSource.of(List.of(evil(), new Endpoint<>(EVIL, "other\n", 1.0, 0, Map.of()))),
                config -> {},
                time.environment()));
        assertThat(thrown).isInstanceOf(IllegalArgumentException.class);
        assertOneLine(thrown.getMessage());
        assertThat(thrown).hasMessageContaining(SAFE);
    }

    @Test
    void the_reason_why_a_check_failed_is_one_line() {
        LoadBalancer<String> nodes = LoadBalancer.of(
                "nodes",
                BalancingStrategy.roundRobin(),
                EndpointSource.of(Balancers.endpoints(2)),
                config -> config.health(health -> health.check((address, timeout) -> {
                    throw new IOException(EVIL);
                })),
                time.environment());
        time.advance(Duration.ofMinutes(1));
        assertThat(nodes.snapshot().get(0).why()).contains(SAFE);
        assertOneLine(nodes.snapshot().get(0).why());
    }

    @Test
    void a_poll_that_fails_and_a_file_that_is_wrong_are_logged_in_one_line(@TempDir Path directory) throws IOException {
        try (CapturedLog log = new CapturedLog(EndpointSource.class)) {
            EndpointSource.<String>polling(
                            "catalog",
                            () -> {
                                throw new IOException(EVIL);
                            },
                            Duration.ofSeconds(1),
                            time.environment())
                    .subscribe(endpoints -> {});
            Path file = Files.writeString(directory.resolve("nodes"), "a:1 x\u001B[31m\n");
            EndpointSource.file(file, text -> text, Duration.ofSeconds(2), time.environment())
                    .subscribe(endpoints -> {});
            EndpointSource<String> unnamed = receiver -> {
                throw new IllegalStateException("no");
            };
            new EndpointSource<String>() {
                @Override
                public Subscription subscribe(Consumer<? super List<Endpoint<String>>> receiver) {
                    return unnamed.subscribe(receiver);
                }

                @Override
                public String toString() {
                    return EVIL;
                }
            }.inBackground(time.environment()).subscribe(endpoints -> {});
            time.advance(Duration.ofSeconds(1));
            assertThat(log.lines()).hasSize(3);
            log.lines().forEach(NamesInMessagesTest::assertOneLine);
        }
    }
}
