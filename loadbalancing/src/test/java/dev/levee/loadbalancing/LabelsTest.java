package dev.levee.loadbalancing;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.levee.core.CapturedLog;
import dev.levee.core.Environment;
import dev.levee.core.Verdict;
import dev.levee.core.testing.ManualTime;
import dev.levee.core.testing.RecordingListener;
import dev.levee.loadbalancing.discovery.Endpoint;
import dev.levee.loadbalancing.discovery.EndpointSource;
import dev.levee.loadbalancing.discovery.UpdatableEndpoints;
import dev.levee.loadbalancing.strategy.BalancingStrategy;
import java.net.URI;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What endpoints are called where it can be read. */
class LabelsTest {
    private final ManualTime time = new ManualTime();
    private final RecordingListener listener = new RecordingListener();
    private final Environment environment =
            time.environment().toBuilder().listener(listener).build();

    @ParameterizedTest
    @CsvSource({
        "http://user:s3cret@host:80/path, http://host:80/path",
        "http://s3cret@host, http://host",
        "http://user:s3@cret@host, http://host",
        "http://host/path?token=s3cret, http://host/path",
        "http://host?token=s3cret, http://host",
        "http://host/#s3cret, http://host/",
        "http://user:s3cret@[::1]:80/, http://[::1]:80/",
        "jdbc:postgresql://user:s3cret@db:5432/x?password=s3cret, jdbc:postgresql://db:5432/x",
        "jdbc:sqlserver://db;user=sa;password=s3cret, jdbc:sqlserver://db",
        "https://host:443/path, https://host:443/path",
        "worker@node1, worker@node1",
        "10.0.0.1:80, 10.0.0.1:80"
    })
    void ids_have_neither_user_info_nor_query(String address, String id) {
        assertThat(Endpoint.of(address).id()).isEqualTo(id);
        assertThat(Endpoint.of(address).address()).isEqualTo(address);
        assertThat(new Endpoint<>(address, "x", 1.0).id()).isEqualTo(id);
        assertThat(Endpoint.of(address)).asString().doesNotContain("s3cret").contains(id);
    }

    private List<String> all(Consumer<LoadBalancerConfig.Builder<URI>> configure) {
        List<String> shown = new ArrayList<>();
        UpdatableEndpoints<URI> source = EndpointSource.updatable(List.of(
                Endpoint.of(URI.create("http://user:s3cret@one:80?key=s3cret")),
                Endpoint.of(URI.create("http://user:s3cret@two:80?key=s3cret"))));
        try (CapturedLog log = new CapturedLog(LoadBalancer.class)) {
            LoadBalancer<URI> balancer = LoadBalancer.of(
                    "nodes",
                    BalancingStrategy.roundRobin(),
                    source,
                    config -> {
                        config.totals(true).health(h -> {}).drain(Duration.ZERO, endpoint -> {
                            throw new IllegalStateException("on purpose");
                        });
                        configure.accept(config);
                    },
                    environment);
            for (int i = 0; i < 20; i++) {
                Ticket<URI> ticket = balancer.pick();
                shown.add(ticket.toString());
                ticket.complete(
                        ticket.endpoint().address().getHost().equals("one") ? Verdict.FAILURE : Verdict.SUCCESS);
            }
            time.runReady();
            shown.add(balancer.snapshot().toString());
            shown.add(balancer.explain().toString());
            shown.add(balancer.toString());
            balancer.measure((policy, metric, value) -> shown.add(policy + " " + metric));
            source.set(List.of());
            time.advance(Duration.ofSeconds(1));
            assertThatThrownBy(balancer::pick).satisfies(thrown -> shown.add(thrown.toString()));
            shown.addAll(log.lines());
        }
        shown.addAll(listener.events());
        return shown;
    }

    @Test
    void nothing_shows_a_secret() {
        assertThat(all(config -> {}))
                .noneMatch(line -> line.contains("s3cret") || line.contains("user:"))
                .anyMatch(line -> line.equals("balancer nodes/http://one:80 HEALTHY->EJECTED"))
                .anyMatch(line -> line.contains("endpoint http://one:80 could not be closed"));
    }

    @Test
    void a_function_says_what_endpoints_are_called() {
        assertThat(all(config -> config.labelPerEndpoint(
                        endpoint -> endpoint.address().getHost().toUpperCase(java.util.Locale.ROOT))))
                .contains(
                        "balancer nodes/ONE HEALTHY->EJECTED",
                        "nodes/ONE endpoint.in.flight",
                        "nodes/TWO endpoint.picks")
                .anyMatch(line -> line.contains("endpoint ONE could not be closed"));
    }

    @Test
    void two_addresses_that_differ_in_secrets_alone_need_ids() {
        List<Endpoint<String>> same = List.of(Endpoint.of("http://host?s3cret=1"), Endpoint.of("http://host?s3cret=2"));
        assertThatThrownBy(() -> LoadBalancer.of("nodes", BalancingStrategy.random(), EndpointSource.of(same)))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("give each an id of its own")
                .hasMessageNotContaining("s3cret");
    }
}
