package dev.levee.loadbalancing.discovery;

import static java.time.Duration.ofMillis;
import static java.time.Duration.ofMinutes;
import static java.time.Duration.ofSeconds;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.levee.core.Environment;
import dev.levee.core.testing.ManualTime;
import dev.levee.core.testing.RecordingListener;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.FileTime;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class EndpointFileTest {
    @TempDir
    Path folder;

    private final ManualTime time = new ManualTime();
    private final RecordingListener heard = new RecordingListener();
    private final List<Thread> readers = new ArrayList<>();
    private final Environment environment =
            time.environment().toBuilder().listener(heard).build();
    private final Told<InetSocketAddress> told = new Told<>();

    private Path file() {
        return folder.resolve("nodes");
    }

    private void write(String text) throws IOException {
        Files.writeString(file(), text);
    }

    private EndpointSource<InetSocketAddress> source() {
        return EndpointSource.file(file(), HostPort::parse, ofSeconds(2), environment);
    }

    private EndpointSource.Subscription subscribe() {
        return source().subscribe(told);
    }

    private void look() {
        time.advance(ofSeconds(5));
    }

    @Nested
    class Format {

        @Test
        void address_weight_priority_id_labels_and_comments() throws IOException {
            write("""
                    # our nodes
                    10.0.0.1:8080 weight=3 zone=eu-1

                      [2001:DB8::0:1]:8080\tpriority=1   # only if the others are gone
                    Catalog-3.internal:8080 id=third weight=0.5 version=7 zone=eu-2""");
            subscribe();
            assertThat(told.lines())
                    .containsExactly(
                            "10.0.0.1:8080*3.0{zone=eu-1} [2001:db8::1]:8080/1 " + "third*0.5{version=7, zone=eu-2}");
            assertThat(told.last().get(2).address().isUnresolved()).isTrue();
            assertThat(told.last().get(0).address().isUnresolved()).isFalse();
        }

        @Test
        void every_kind_of_line_end_and_a_byte_order_mark() throws IOException {
            write("\uFEFF10.0.0.1:1\r\n10.0.0.2:1\n10.0.0.3:1\r10.0.0.4:1");
            subscribe();
            assertThat(told.last()).hasSize(4);
        }

        @ParameterizedTest
        @ValueSource(
                strings = {
                    "nonsense",
                    "10.0.0.1",
                    "10.0.0.1:",
                    "10.0.0.1:0",
                    "10.0.0.1:65536",
                    "10.0.0.1:99999999999",
                    "10.0.0.1:+80",
                    ":80",
                    "::1:80",
                    "[]:80",
                    "[host]:80",
                    "10.0.0.256:80",
                    "10.0.0:80",
                    "10.0.0.1/24:80",
                    "user@host:80",
                    "a,b:80",
                    "10.0.0.1:80 weight",
                    "10.0.0.1:80 =3",
                    "10.0.0.1:80 weight=-1",
                    "10.0.0.1:80 weight=NaN",
                    "10.0.0.1:80 weight=heavy",
                    "10.0.0.1:80 weight=1 weight=2",
                    "10.0.0.1:80 priority=1001",
                    "10.0.0.1:80 priority=first",
                    "10.0.0.1:80 id="
                })
        void one_wrong_line_makes_the_file_a_wrong_one(String line) throws IOException {
            write("10.0.0.9:80");
            subscribe();
            write("10.0.0.8:80\n" + line + "\n");
            look();
            assertThat(told.lines()).containsExactly("10.0.0.9:80");
            assertThat(heard.events()).endsWith("source file " + file() + " FRESH->STALE");
        }

        @Test
        void addresses_of_another_kind() throws IOException {
            write("jdbc:postgresql://one/shop weight=2\njdbc:postgresql://two/shop\n");
            Told<String> urls = new Told<>();
            EndpointSource.<String>file(file(), url -> url, ofSeconds(2), environment)
                    .subscribe(urls);
            assertThat(urls.lines()).containsExactly("jdbc:postgresql://one/shop*2.0 jdbc:postgresql://two/shop");
        }
    }

    @Nested
    class Watching {

        @Test
        void a_change_is_told() throws IOException {
            write("10.0.0.1:80");
            subscribe();
            write("10.0.0.2:80");
            look();
            assertThat(told.lines()).containsExactly("10.0.0.1:80", "10.0.0.2:80");
        }

        @Test
        void a_change_of_the_same_size_and_time_is_seen() throws IOException {
            write("10.0.0.1:80");
            FileTime written = Files.getLastModifiedTime(file());
            subscribe();
            write("10.0.0.2:80");
            Files.setLastModifiedTime(file(), written);
            look();
            assertThat(told.lines()).containsExactly("10.0.0.1:80", "10.0.0.2:80");
        }

        @Test
        void a_link_that_is_swapped_is_seen() throws IOException {
            // As Kubernetes does it: nodes -> ..data/nodes, ..data -> ..1, and then ..data -> ..2.
            for (int i = 1; i <= 2; i++) {
                Path version = Files.createDirectory(folder.resolve(".." + i));
                Files.writeString(version.resolve("nodes"), "10.0.0." + i + ":80");
            }
            Files.createSymbolicLink(folder.resolve("..data"), Path.of("..1"));
            Files.createSymbolicLink(file(), Path.of("..data/nodes"));
            subscribe();
            Path other = Files.createSymbolicLink(folder.resolve("..tmp"), Path.of("..2"));
            Files.move(
                    other,
                    folder.resolve("..data"),
                    StandardCopyOption.ATOMIC_MOVE,
                    StandardCopyOption.REPLACE_EXISTING);
            look();
            assertThat(told.lines()).containsExactly("10.0.0.1:80", "10.0.0.2:80");
        }

        @Test
        void a_writer_that_is_half_way_is_waited_for() throws IOException {
            write("10.0.0.1:8080\n10.0.0.2:8080\n");
            subscribe();
            write("10.0.0.1:80"); // half a line that could be a whole one
            time.advance(ofMillis(2_200)); // one look, at 2 s and up to a tenth later
            assertThat(told.sets).hasSize(1);
            write("10.0.0.1:8080\n10.0.0.3:8080\n");
            look();
            assertThat(told.lines()).containsExactly("10.0.0.1:8080 10.0.0.2:8080", "10.0.0.1:8080 10.0.0.3:8080");
        }

        @Test
        void a_change_that_is_taken_back_is_none() throws IOException {
            write("10.0.0.1:80");
            subscribe();
            write("10.0.0.2:80");
            time.advance(ofMillis(2_200));
            write("10.0.0.1:80");
            look();
            assertThat(told.lines()).containsExactly("10.0.0.1:80");
        }

        @Test
        void a_file_that_is_gone_or_empty_keeps_the_last_endpoints() throws IOException {
            write("10.0.0.1:80");
            subscribe();
            Files.delete(file());
            look();
            assertThat(heard.count("FRESH->STALE")).isEqualTo(1);
            write("# nobody\n");
            time.advance(ofMinutes(1));
            assertThat(told.lines()).containsExactly("10.0.0.1:80");
            assertThat(heard.count("STALE")).isEqualTo(1);
            write("10.0.0.2:80");
            time.advance(ofMinutes(2));
            assertThat(told.lines()).containsExactly("10.0.0.1:80", "10.0.0.2:80");
        }

        @Test
        void a_file_that_comes_later_is_found() throws IOException {
            subscribe();
            assertThat(told.sets).isEmpty();
            write("10.0.0.1:80");
            time.advance(ofSeconds(10));
            assertThat(told.lines()).containsExactly("10.0.0.1:80");
            assertThat(heard.events())
                    .containsExactly(
                            "source file " + file() + " UNKNOWN->EMPTY", "source file " + file() + " EMPTY->FRESH");
        }

        @Test
        void the_writer_of_a_file_that_comes_later_is_waited_for_too() throws IOException {
            subscribe();
            writeSlowly();
            assertThat(told.lines()).containsExactly("10.0.0.1:8080 10.0.0.2:8080");
        }

        @Test
        void so_is_that_of_a_file_that_was_empty() throws IOException {
            write("");
            subscribe();
            writeSlowly();
            assertThat(told.lines()).containsExactly("10.0.0.1:8080 10.0.0.2:8080");
        }

        private void writeSlowly() throws IOException {
            String text = "10.0.0.1:8080 # half of it, down to here, could be all\n10.0.0.2:8080\n";
            for (int length = 10; length <= text.length(); length++) {
                write(text.substring(0, length));
                time.advance(ofMillis(100));
            }
            time.advance(ofMinutes(1));
        }

        @Test
        void a_wrong_file_that_is_as_it_was_is_good_again() throws IOException {
            write("10.0.0.1:80");
            subscribe();
            write("nonsense");
            look();
            write("10.0.0.1:80");
            look();
            assertThat(told.lines()).containsExactly("10.0.0.1:80");
            assertThat(heard.events()).endsWith("source file " + file() + " STALE->FRESH");
        }

        @Test
        void a_file_that_changes_all_the_time_is_a_failure() throws IOException {
            write("10.0.0.1:80");
            EndpointSource.Subscription subscription = EndpointSource.file(
                            file(),
                            HostPort::parse,
                            ofSeconds(2),
                            environment.toBuilder()
                                    .executor(task -> {
                                        touch();
                                        task.run();
                                    })
                                    .build())
                    .subscribe(told);
            time.advance(ofSeconds(30));
            subscription.close();
            assertThat(told.lines()).containsExactly("10.0.0.1:80");
            assertThat(heard.events()).endsWith("source file " + file() + " FRESH->STALE");
        }

        private void touch() {
            try {
                write("10.0.0.2:" + (1 + time.elapsed().toMillis()));
            } catch (IOException failed) {
                throw new AssertionError(failed);
            }
        }

        @Test
        void what_is_not_UTF_8_or_too_large_or_a_folder_is_a_failure() throws IOException {
            write("10.0.0.1:80");
            subscribe();
            Files.write(file(), new byte[] {(byte) 0xC3, (byte) 0x28});
            look();
            write("10.0.0.2:80\n#" + "x".repeat(EndpointFile.MAX_BYTES));
            time.advance(ofMinutes(1));
            Files.delete(file());
            Files.createDirectory(file());
            time.advance(ofMinutes(1));
            assertThat(told.lines()).containsExactly("10.0.0.1:80");
        }

        @Test
        void it_is_read_on_the_executor_and_never_on_the_timer() throws IOException {
            write("10.0.0.1:80");
            EndpointSource.<String>file(
                            file(),
                            text -> {
                                readers.add(Thread.currentThread());
                                return text;
                            },
                            ofSeconds(2),
                            environment.toBuilder().executor(time::start).build())
                    .subscribe(endpoints -> {});
            write("10.0.0.2:80");
            look();
            assertThat(readers).hasSize(2);
            assertThat(readers.get(0)).isSameAs(Thread.currentThread());
            assertThat(readers.get(1)).isNotSameAs(Thread.currentThread()); // timers run on the thread that moves time
        }

        @Test
        void subscribers_do_not_share_what_they_have_seen() throws IOException {
            write("10.0.0.1:80");
            EndpointSource<InetSocketAddress> source = source();
            Told<InetSocketAddress> other = new Told<>();
            source.subscribe(told);
            write("10.0.0.2:80");
            source.subscribe(other);
            look();
            assertThat(told.lines()).containsExactly("10.0.0.1:80", "10.0.0.2:80");
            assertThat(other.lines()).containsExactly("10.0.0.2:80");
        }

        @Test
        void closing_leaves_no_timer_behind() throws IOException {
            write("10.0.0.1:80");
            subscribe().close();
            assertThat(time.pendingTimers()).isZero();
        }
    }

    @Test
    void an_interval_of_nothing_is_refused() {
        assertThatThrownBy(() -> EndpointSource.file(file(), HostPort::parse, Duration.ZERO, environment))
                .isInstanceOf(IllegalArgumentException.class);
    }
}
