package dev.levee.loadbalancing.discovery;

import static java.time.Duration.ofMillis;
import static java.time.Duration.ofMinutes;
import static java.time.Duration.ofSeconds;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.levee.core.CapturedLog;
import dev.levee.core.Environment;
import dev.levee.core.testing.ManualTime;
import dev.levee.core.testing.RecordingListener;
import dev.levee.loadbalancing.LoadBalancer;
import dev.levee.loadbalancing.strategy.BalancingStrategy;
import java.net.Inet6Address;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.UnknownHostException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Objects;
import org.junit.jupiter.api.Test;

/** The plain look-up by the JDK's resolver. */
class HostLookupTest {
    private static final String HOST = "catalog.internal";

    private final ManualTime time = new ManualTime();
    private final RecordingListener events = new RecordingListener();
    private final Environment environment =
            time.environment().toBuilder().listener(events).build();
    private final Told<InetSocketAddress> published = new Told<>();
    private final List<String> resolved = new ArrayList<>();
    private List<String> addresses = List.of();

    private InetAddress[] resolve(String host) throws UnknownHostException {
        resolved.add(host);
        if (addresses.isEmpty()) {
            throw new UnknownHostException(host);
        }
        InetAddress[] found = new InetAddress[addresses.size()];
        for (int i = 0; i < found.length; i++) {
            byte[] bytes =
                    Objects.requireNonNull(HostPort.literal(addresses.get(i))).getAddress();
            found[i] = InetAddress.getByAddress(host, bytes); // with its name, as the JDK's resolver does
        }
        return found;
    }

    private EndpointSource<InetSocketAddress> source(Duration interval) {
        return HostLookup.source(HOST, 80, interval, environment, this::resolve);
    }

    private EndpointSource<InetSocketAddress> source() {
        return source(HostLookup.DEFAULT_INTERVAL);
    }

    @Test
    void endpoints_are_known_by_their_addresses_in_order_and_once() {
        addresses = List.of("10.0.0.2", "10.0.0.1", "10.0.0.2");
        source().subscribe(published);
        assertThat(published.lines()).containsExactly("10.0.0.1:80 10.0.0.2:80");
        assertThat(published.last().get(0).address().getHostString()).isEqualTo("10.0.0.1");
    }

    @Test
    void of_too_many_addresses_the_same_ones_are_kept_and_the_host_is_warned_about_once() {
        List<String> many = new ArrayList<>();
        for (int i = 0; i < HostLookup.MAX_ENDPOINTS + 100; i++) {
            many.add("10.0." + i / 256 + "." + i % 256);
        }
        addresses = many;
        try (CapturedLog log = new CapturedLog(EndpointSource.class)) {
            source().subscribe(published);
            assertThat(published.last()).hasSize(HostLookup.MAX_ENDPOINTS);
            addresses = new ArrayList<>(many);
            Collections.reverse(addresses);
            time.advance(ofMinutes(2));
            assertThat(published.sets).hasSize(1);
            assertThat(log.lines())
                    .containsExactly("WARN Endpoints from dns catalog.internal:80: DNS has more than 4096, the rest is"
                            + " left out");
        }
    }

    @Test
    void another_order_is_no_change() {
        addresses = List.of("10.0.0.2", "10.0.0.1");
        source().subscribe(published);
        addresses = List.of("10.0.0.1", "10.0.0.2");
        time.advance(ofMinutes(2));
        assertThat(published.sets).hasSize(1);
    }

    @Test
    void a_look_up_comes_every_30_s_and_up_to_a_tenth_later() {
        addresses = List.of("10.0.0.1");
        source().subscribe(published);
        addresses = List.of("10.0.0.2");
        time.advance(ofMillis(29_999));
        assertThat(resolved).containsExactly(HOST);
        time.advance(ofMillis(3_001));
        assertThat(resolved).hasSize(2);
        assertThat(published.lines()).containsExactly("10.0.0.1:80", "10.0.0.2:80");
    }

    @Test
    void the_interval_can_be_set() {
        addresses = List.of("10.0.0.1");
        source(ofSeconds(5)).subscribe(published);
        time.advance(ofMillis(5_500));
        assertThat(resolved).hasSize(2);
    }

    @Test
    void a_failure_keeps_the_last_good_answer_and_is_reported_once() {
        addresses = List.of("10.0.0.1");
        source().subscribe(published);
        addresses = List.of();
        time.advance(ofMinutes(10));
        addresses = List.of("10.0.0.1");
        time.advance(ofMinutes(2));
        assertThat(published.lines()).containsExactly("10.0.0.1:80");
        assertThat(events.events())
                .containsExactly(
                        "source dns catalog.internal:80 UNKNOWN->FRESH",
                        "source dns catalog.internal:80 FRESH->STALE",
                        "source dns catalog.internal:80 STALE->FRESH");
    }

    @Test
    void the_family_that_the_resolver_names_first_is_used() {
        addresses = List.of("10.0.0.1", "2001:db8::1", "10.0.0.2");
        source().subscribe(published).close();
        addresses = List.of("2001:db8::1", "10.0.0.1");
        source().subscribe(published).close();
        assertThat(published.lines()).containsExactly("10.0.0.1:80 10.0.0.2:80", "[2001:db8::1]:80");
    }

    @Test
    void a_zone_of_a_link_local_address_stays() throws UnknownHostException {
        byte[] bytes = {(byte) 0xFE, (byte) 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1};
        InetAddress local = Inet6Address.getByAddress(HOST, bytes, 7);
        HostLookup.source(HOST, 80, ofSeconds(1), environment, host -> new InetAddress[] {local})
                .subscribe(published);
        assertThat(published.lines()).containsExactly("[fe80::1%7]:80");
    }

    @Test
    void a_literal_address_is_not_looked_up() {
        for (String literal : List.of("10.1.2.3", "::1", "[::1]")) {
            HostLookup.source(literal, 80, ofSeconds(1), environment, this::resolve)
                    .subscribe(published);
        }
        assertThat(published.lines()).containsExactly("10.1.2.3:80", "[::1]:80", "[::1]:80");
        assertThat(resolved).isEmpty();
        assertThat(time.pendingTimers()).isZero();
    }

    @Test
    void closing_leaves_no_timer() {
        addresses = List.of("10.0.0.1");
        source().subscribe(published).close();
        assertThat(time.pendingTimers()).isZero();
    }

    @Test
    void localhost_by_the_JDK() {
        try (LoadBalancer<InetSocketAddress> balancer =
                LoadBalancer.of("nodes", BalancingStrategy.roundRobin(), EndpointSource.dns("localhost", 8080))) {
            assertThat(balancer.snapshot())
                    .isNotEmpty()
                    .allMatch(state -> state.endpoint().address().getAddress().isLoopbackAddress());
        }
    }

    @Test
    void arguments_are_checked() {
        assertThatThrownBy(() -> EndpointSource.dns("a", 0)).hasMessageContaining("port must be from 1 to 65535");
        assertThatThrownBy(() -> EndpointSource.dns(" ", 80)).hasMessageContaining("host must not be blank");
        assertThatThrownBy(() -> EndpointSource.dns("a", 80, Duration.ZERO, environment))
                .hasMessageContaining("interval");
    }
}
