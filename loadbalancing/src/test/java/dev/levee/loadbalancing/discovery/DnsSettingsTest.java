package dev.levee.loadbalancing.discovery;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.levee.loadbalancing.discovery.DnsConfig.Family;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;

class DnsSettingsTest {

    private static DnsSettings parse(String text) {
        return DnsSettings.parse(text.lines().toList());
    }

    @Test
    void what_Kubernetes_writes() {
        DnsSettings settings = parse("""
                search shop.svc.cluster.local svc.cluster.local cluster.local
                nameserver 10.96.0.10
                options ndots:5
                """);
        assertThat(settings.servers()).containsExactly(new InetSocketAddress("10.96.0.10", 53));
        assertThat(settings.candidates("catalog"))
                .containsExactly(
                        "catalog.shop.svc.cluster.local",
                        "catalog.svc.cluster.local",
                        "catalog.cluster.local",
                        "catalog");
        assertThat(settings.candidates("a.b.c.d.e.f").get(0)).isEqualTo("a.b.c.d.e.f");
        assertThat(settings.candidates("a.b.c.d.e.f")).hasSize(4);
        assertThat(settings.candidates("catalog.")).containsExactly("catalog");
    }

    @Test
    void defaults_comments_and_nonsense() {
        DnsSettings settings = parse("""
                # nameserver 10.0.0.9
                ; nameserver 10.0.0.9
                nameserver
                nameserver somewhere.else
                nameserver fe80::1
                nameserver\t10.0.0.1
                nameserver 10.0.0.2
                nameserver 10.0.0.3
                search . first
                domain last
                options rotate ndots:x ndots:99 attempts:0 timeout:1
                """);
        assertThat(settings.servers()).hasSize(3);
        assertThat(settings.search()).containsExactly("last");
        assertThat(settings.dots()).isEqualTo(15);
        assertThat(settings.rounds()).isEqualTo(1);
        assertThat(parse("").servers()).containsExactly(new InetSocketAddress(InetAddress.getLoopbackAddress(), 53));
        assertThat(parse("search .").candidates("a.b")).containsExactly("a.b");
    }

    @Test
    void a_name_that_is_too_long_with_its_suffix_is_not_tried_with_it() {
        DnsSettings settings = parse("search cluster.local");
        String name = "a234567890.".repeat(22) + "bb";
        assertThat(settings.candidates(name)).containsExactly(name);
    }

    @Test
    void the_list_of_hosts() {
        List<String> lines = List.of(
                "127.0.0.1 localhost",
                "10.0.0.1\tCatalog.internal catalog # catalog.old",
                "::1 catalog",
                "nonsense catalog",
                "");
        assertThat(DnsSettings.hosts(lines, "CATALOG"))
                .containsExactly(HostPort.literal("10.0.0.1"), HostPort.literal("::1"));
        assertThat(DnsSettings.hosts(lines, "catalog.old")).isEmpty();
    }

    @Test
    void configurations_are_checked_and_copied() {
        assertThatThrownBy(() -> DnsConfig.builder().minTtl(Duration.ZERO)).hasMessageContaining("minTtl");
        assertThatThrownBy(() -> DnsConfig.builder().maxTtl(Duration.ofDays(366)))
                .hasMessageContaining("maxTtl");
        assertThatThrownBy(
                        () -> DnsConfig.builder().maxTtl(Duration.ofMillis(10)).build())
                .hasMessageContaining("minTtl must be at most maxTtl");
        assertThatThrownBy(() -> DnsConfig.builder().servers(InetSocketAddress.createUnresolved("a", 53)))
                .hasMessageContaining("resolved");
        DnsConfig config = DnsConfig.builder()
                .family(Family.BOTH)
                .servers(new InetSocketAddress("10.0.0.1", 53))
                .minTtl(Duration.ofSeconds(3))
                .maxTtl(Duration.ofSeconds(4))
                .timeout(Duration.ofSeconds(5))
                .build();
        assertThat(config.toBuilder().build()).hasToString(config.toString());
        assertThat(config).hasToString("dns(BOTH, [/10.0.0.1:53], ttl PT3S to PT4S, timeout PT5S)");
    }
}
