package dev.levee.loadbalancing;

import static org.assertj.core.api.Assertions.assertThat;

import dev.levee.core.testing.ManualTime;
import dev.levee.loadbalancing.discovery.Endpoint;
import dev.levee.loadbalancing.discovery.EndpointSource;
import dev.levee.loadbalancing.discovery.UpdatableEndpoints;
import dev.levee.loadbalancing.strategy.BalancingStrategy;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Sets of 20 000 endpoints: the work on addresses is linear wherever they come from. */
class LargeSetsTest {
    private static final int SIZE = 20_000;
    /** Operations on addresses for each endpoint of each set, at most. */
    private static final long MAX_OPERATIONS = 40;

    private final ManualTime time = new ManualTime();
    private final AtomicLong operations = new AtomicLong();

    /** An address that counts what is done with it. */
    private final class Counted {
        private final String text;

        Counted(String text) {
            this.text = text;
        }

        @Override
        public boolean equals(Object other) {
            operations.incrementAndGet();
            return other instanceof Counted counted && counted.text.equals(text);
        }

        @Override
        public int hashCode() {
            operations.incrementAndGet();
            return text.hashCode();
        }

        @Override
        public String toString() {
            operations.incrementAndGet();
            return text;
        }
    }

    private List<Endpoint<Counted>> endpoints(int from, int to) {
        List<Endpoint<Counted>> endpoints = new ArrayList<>();
        for (int i = from; i < to; i++) {
            endpoints.add(Endpoint.of(new Counted("node" + i)));
        }
        Collections.shuffle(endpoints, new Random(1));
        return endpoints;
    }

    private void assertLinear(int sets) {
        assertThat(operations).hasValueLessThan(MAX_OPERATIONS * SIZE * sets);
    }

    @Test
    void a_balancer_that_watches_health_and_drains_takes_them_and_their_changes() {
        UpdatableEndpoints<Counted> source = EndpointSource.updatable(endpoints(0, SIZE));
        AtomicLong closed = new AtomicLong();
        LoadBalancer<Counted> nodes = LoadBalancer.of(
                "nodes",
                BalancingStrategy.roundRobin(),
                source,
                config ->
                        config.health(health -> {}).drain(Duration.ofSeconds(30), endpoint -> closed.incrementAndGet()),
                time.environment());
        source.set(endpoints(1, SIZE + 1));
        source.set(endpoints(SIZE, 2 * SIZE));
        time.runReady();
        assertThat(closed).hasValue(SIZE);
        assertThat(nodes.snapshot()).hasSize(SIZE);
        assertLinear(3);
    }

    @Test
    void polled_merged_and_lingering_sources_publish_them() {
        List<Integer> sizes = new ArrayList<>();
        int[] round = {0};
        EndpointSource<Counted> polled = EndpointSource.polling(
                "nodes", () -> endpoints(round[0], SIZE / 2 + round[0]++), Duration.ofSeconds(10), time.environment());
        UpdatableEndpoints<Counted> other = EndpointSource.updatable(endpoints(SIZE / 2 + 10, SIZE + 10));
        EndpointSource.merge(polled, other)
                .lingering(Duration.ofSeconds(60), time.environment())
                .filter(endpoint -> true)
                .subscribe(endpoints -> sizes.add(endpoints.size()));
        time.advance(Duration.ofSeconds(40));
        assertThat(sizes).startsWith(SIZE, SIZE + 1, SIZE + 2);
        assertLinear(2 * sizes.size());
    }

    @Test
    void a_file_of_them_is_read_line_by_line(@TempDir Path directory) throws Exception {
        List<String> lines = new ArrayList<>();
        for (int i = 0; i < SIZE; i++) {
            lines.add("node" + i + " zone=z" + i % 3 + " weight=2 # comment");
        }
        Path file = Files.write(directory.resolve("nodes"), lines);
        List<Integer> sizes = new ArrayList<>();
        EndpointSource.<Counted>file(
                        file,
                        text -> {
                            operations.incrementAndGet();
                            return new Counted(text);
                        },
                        Duration.ofSeconds(2),
                        time.environment())
                .subscribe(endpoints -> sizes.add(endpoints.size()));
        assertThat(sizes).containsExactly(SIZE);
        assertLinear(1);
    }
}
