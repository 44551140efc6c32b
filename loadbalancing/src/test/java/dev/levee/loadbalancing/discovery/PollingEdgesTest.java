package dev.levee.loadbalancing.discovery;

import static java.time.Duration.ofMillis;
import static java.time.Duration.ofSeconds;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.levee.core.Environment;
import dev.levee.core.testing.ManualTime;
import dev.levee.core.testing.RecordingListener;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.random.RandomGenerator;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Edges of polling that a larger scene does not show. */
class PollingEdgesTest {
    private final ManualTime time = new ManualTime();
    private final AtomicInteger polls = new AtomicInteger();

    @Test
    void a_refresh_never_makes_the_next_poll_later() {
        EndpointSource.Subscription subscription = EndpointSource.polling(
                        "catalog",
                        () -> List.of(Endpoint.of("n" + polls.incrementAndGet())),
                        ofMillis(100),
                        time.environment())
                .subscribe(new Told<>());
        for (int i = 0; i < 1000; i++) {
            subscription.refresh();
            time.advance(ofMillis(10));
        }
        assertThat(polls.get()).isGreaterThan(85);
    }

    @Test
    void after_a_failure_the_wait_is_up_to_half_longer() {
        RandomGenerator almostOne = new RandomGenerator() {
            @Override
            public long nextLong() {
                return Long.MAX_VALUE;
            }

            @Override
            public double nextDouble() {
                return 0.999;
            }
        };
        Environment environment =
                time.environment().toBuilder().random(almostOne).build();
        EndpointSource.<String>polling(
                        "catalog",
                        () -> {
                            polls.incrementAndGet();
                            throw new IOException("down");
                        },
                        ofSeconds(10),
                        environment)
                .subscribe(new Told<>());
        time.advance(ofMillis(14_900));
        assertThat(polls).hasValue(1);
        time.advance(ofMillis(100));
        assertThat(polls).hasValue(2);
    }

    @Test
    void a_poll_that_has_ended_is_not_reported_as_overdue() {
        RecordingListener events = new RecordingListener();
        SourceReport report = new SourceReport("catalog", events);
        long number = report.begins();
        report.ends();
        report.succeeded();
        report.overdue(number, Polling.OVERDUE_NANOS); // it waited for a thread meanwhile
        assertThat(events.events())
                .hasSize(1)
                .allMatch(event -> event.toString().contains("FRESH"));
        report.overdue(report.begins(), Polling.OVERDUE_NANOS);
        assertThat(events.events()).hasSize(2);
    }

    @Test
    void a_file_that_changes_at_each_of_twenty_polls_is_a_failure(@TempDir Path directory) throws IOException {
        Path path = directory.resolve("nodes");
        Files.writeString(path, "a");
        EndpointFile<String> file = new EndpointFile<>(path, text -> text, 1);
        assertThat(file.poll().endpoints()).hasSize(1);
        for (int i = 1; i < 20; i++) {
            Files.writeString(path, "a" + i);
            assertThat(file.poll().decided()).isFalse();
        }
        Files.writeString(path, "b");
        assertThatThrownBy(file::poll).isInstanceOf(IOException.class).hasMessageContaining("20 polls");
    }
}
