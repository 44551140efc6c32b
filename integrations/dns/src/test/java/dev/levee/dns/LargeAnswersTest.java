package dev.levee.dns;

import static dev.levee.dns.ScriptedDns.a;
import static dev.levee.dns.ScriptedDns.srv;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.levee.core.CapturedLog;
import dev.levee.core.testing.ManualTime;
import dev.levee.loadbalancing.discovery.EndpointSource;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.UnknownHostException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;
import org.xbill.DNS.ARecord;
import org.xbill.DNS.DClass;
import org.xbill.DNS.Name;
import org.xbill.DNS.Record;
import org.xbill.DNS.SRVRecord;

/** Answers with thousands of records: a bound on what becomes of them, and linear work. */
class LargeAnswersTest {
    private static final AtomicLong NAMES = new AtomicLong();
    private static final AtomicLong WORK = new AtomicLong();

    private final ManualTime time = new ManualTime();
    private final ScriptedDns dns = new ScriptedDns();
    private final Published<InetSocketAddress> published = new Published<>();
    /** A name of its own for each test, since a source is warned about once. */
    private final String host = "large" + NAMES.incrementAndGet() + ".internal";

    /** An address record that counts how often it is looked at. */
    private static final class CountedAddress extends ARecord {
        private static final long serialVersionUID = 1L;

        CountedAddress(Name name, InetAddress address) {
            super(name, DClass.IN, 30, address);
        }

        @Override
        public boolean equals(Object other) {
            WORK.incrementAndGet();
            return super.equals(other);
        }

        @Override
        public int hashCode() {
            WORK.incrementAndGet();
            return super.hashCode();
        }

        @Override
        public Name getName() {
            WORK.incrementAndGet();
            return super.getName();
        }
    }

    /** A service record that counts how often it is looked at. */
    private static final class CountedService extends SRVRecord {
        private static final long serialVersionUID = 1L;

        CountedService(Name name, int priority, int port, Name target) {
            super(name, DClass.IN, 30, priority, 1, port, target);
        }

        @Override
        public boolean equals(Object other) {
            WORK.incrementAndGet();
            return super.equals(other);
        }

        @Override
        public int hashCode() {
            WORK.incrementAndGet();
            return super.hashCode();
        }

        @Override
        public int getPriority() {
            WORK.incrementAndGet();
            return super.getPriority();
        }
    }

    private static InetAddress address(int number) {
        try {
            return InetAddress.getByAddress(
                    new byte[] {10, (byte) (number >> 16), (byte) (number >> 8), (byte) number});
        } catch (UnknownHostException impossible) {
            throw new AssertionError(impossible);
        }
    }

    private List<Record> addresses(String name, int size) {
        List<Record> records = new ArrayList<>();
        for (int i = 0; i < size; i++) {
            records.add(new CountedAddress(DnsNames.absolute(name), address(i)));
        }
        return records;
    }

    private EndpointSource<InetSocketAddress> addresses(Consumer<DnsConfig.Builder> settings) {
        return DnsSource.addresses(host, 80, configured(settings), time.environment(), dns::service, name -> List.of());
    }

    private EndpointSource<InetSocketAddress> targets(Consumer<DnsConfig.Builder> settings) {
        return DnsSource.targets(host, configured(settings), time.environment(), dns::service);
    }

    private static DnsConfig configured(Consumer<DnsConfig.Builder> settings) {
        DnsConfig.Builder builder = DnsConfig.builder();
        settings.accept(builder);
        return builder.build();
    }

    @Test
    void the_same_addresses_are_kept_in_any_order_of_the_answer_and_the_source_is_warned_about_once() {
        List<Record> all = addresses(host, 6_000);
        try (CapturedLog log = new CapturedLog(DnsEndpoints.class)) {
            dns.has(host, all.toArray(new Record[0]));
            addresses(config -> {}).subscribe(published);
            assertThat(published.last()).hasSize(4_096);
            Collections.reverse(all);
            dns.has(host, all.toArray(new Record[0]));
            time.advance(Duration.ofMinutes(2));
            addresses(config -> {}).subscribe(new Published<>());
            assertThat(published.sets).hasSize(1); // no change
            assertThat(log.lines())
                    .containsExactly("WARN Endpoints from dns " + host
                            + ":80: DNS has more than 4096, the rest is left out; see maxEndpoints");
        }
    }

    @Test
    void as_many_addresses_as_are_allowed_are_no_reason_for_a_warning() {
        try (CapturedLog log = new CapturedLog(DnsEndpoints.class)) {
            dns.has(host, a(host, 30, "10.0.0.2"), a(host, 30, "10.0.0.3"), a(host, 30, "10.0.0.2"));
            addresses(config -> config.maxEndpoints(2)).subscribe(published);
            assertThat(Published.line(published.last())).isEqualTo("10.0.0.2:80 10.0.0.3:80");
            assertThat(log.lines()).isEmpty();
            dns.has(host, a(host, 30, "10.0.0.2"), a(host, 30, "10.0.0.3"), a(host, 30, "10.0.0.1"));
            time.advance(Duration.ofMinutes(1));
            assertThat(Published.line(published.last())).isEqualTo("10.0.0.1:80 10.0.0.2:80");
            assertThat(log.lines()).hasSize(1);
        }
    }

    @Test
    void targets_and_their_addresses_are_bounded_together_the_first_priorities_first() {
        List<Record> records = new ArrayList<>();
        for (int i = 0; i < 100; i++) {
            records.add(srv(host, 30, 100 - i, 1, 80, "t" + i));
            dns.has("t" + i, addresses("t" + i, 40).toArray(new Record[0]));
        }
        dns.has(host, records.toArray(new Record[0]));
        targets(config -> config.maxEndpoints(100)).subscribe(published);
        assertThat(published.last()).hasSize(100);
        assertThat(published.last()).allMatch(endpoint -> endpoint.priority() <= 3);
        assertThat(dns.asked).hasSize(4); // the service and three targets
    }

    @Test
    void many_services_on_one_large_host_are_bounded_too() {
        List<Record> records = new ArrayList<>();
        for (int port = 1; port <= 3_000; port++) {
            records.add(srv(host, 30, 1, 1, port, "big"));
        }
        dns.has(host, records.toArray(new Record[0]));
        dns.additional.put(host, addresses("big", 3_000));
        targets(config -> {}).subscribe(published);
        assertThat(published.last()).hasSize(4_096);
    }

    @Test
    void the_work_for_an_answer_of_addresses_is_linear() {
        dns.has(host, addresses(host, 4_000).toArray(new Record[0]));
        WORK.set(0);
        addresses(config -> {}).subscribe(published);
        assertThat(published.last()).hasSize(4_000);
        assertThat(WORK).hasValueLessThan(40L * 4_000);
    }

    @Test
    void the_work_for_an_answer_of_services_with_their_addresses_is_linear() {
        List<Record> records = new ArrayList<>();
        List<Record> additional = new ArrayList<>();
        for (int i = 0; i < 4_000; i++) {
            Name target = DnsNames.absolute("t" + i);
            records.add(new CountedService(DnsNames.absolute(host), 10_000 + i, 80, target));
            additional.add(new CountedAddress(target, address(i)));
        }
        dns.has(host, records.toArray(new Record[0]));
        dns.additional.put(host, additional);
        WORK.set(0);
        targets(config -> {}).subscribe(published);
        assertThat(published.last()).hasSize(4_000);
        assertThat(WORK).hasValueLessThan(80L * 4_000);
    }

    @Test
    void bounds_outside_are_refused() {
        for (int wrong : new int[] {0, -1, 1_000_001}) {
            assertThatThrownBy(() -> DnsConfig.builder().maxEndpoints(wrong))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessageContainingAll("maxEndpoints", "1000000", String.valueOf(wrong));
        }
        assertThat(DnsConfig.builder().build().maxEndpoints()).isEqualTo(4_096);
        assertThat(DnsConfig.builder().maxEndpoints(7).build().toBuilder()
                        .build()
                        .maxEndpoints())
                .isEqualTo(7);
    }
}
