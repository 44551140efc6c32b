package dev.levee.dns;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.levee.dns.DnsConfig.Family;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class ResolverSettingsTest {

    private static ResolverSettings parse(String text) {
        return ResolverSettings.parse("node-1", text.lines().toList(), Map.of());
    }

    @Test
    void what_Kubernetes_writes() {
        ResolverSettings settings = parse("""
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
        ResolverSettings settings = parse("""
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
        assertThat(settings.ndots()).isEqualTo(15);
        assertThat(settings.attempts()).isEqualTo(1);
        assertThat(parse("").servers()).containsExactly(new InetSocketAddress(InetAddress.getLoopbackAddress(), 53));
        assertThat(parse("search .").candidates("a.b")).containsExactly("a.b");
    }

    @Test
    void a_name_that_is_too_long_with_its_suffix_is_not_tried_with_it() {
        ResolverSettings settings = parse("search cluster.local");
        String name = "a234567890.".repeat(22) + "bb";
        assertThat(settings.candidates(name)).containsExactly(name);
    }

    @Test
    void variables_of_the_process_come_before_the_file() {
        List<String> file = List.of("search a b", "options ndots:2 attempts:3");
        ResolverSettings settings =
                ResolverSettings.parse("node-1", file, Map.of("LOCALDOMAIN", "c d", "RES_OPTIONS", "ndots:4"));
        assertThat(settings.search()).containsExactly("c", "d");
        assertThat(settings.ndots()).isEqualTo(4);
        assertThat(settings.attempts()).isEqualTo(3);
    }

    @Test
    void without_a_search_list_the_domain_of_the_machine_is_one() {
        assertThat(ResolverSettings.parse("node-1.shop.internal", List.of(), Map.of())
                        .candidates("catalog"))
                .containsExactly("catalog.shop.internal", "catalog");
        assertThat(ResolverSettings.parse("node-1.shop.internal", List.of("search other"), Map.of())
                        .search())
                .containsExactly("other");
    }

    @Test
    void the_machine_has_a_server() {
        assertThat(ResolverSettings.ofMachine().servers()).isNotEmpty();
    }

    @Test
    void the_list_of_hosts() {
        List<String> lines = List.of(
                "127.0.0.1 localhost",
                "10.0.0.1\tCatalog.internal catalog # catalog.old",
                "::1 catalog",
                "nonsense catalog",
                "");
        assertThat(HostsFile.addresses(lines, "CATALOG"))
                .containsExactly(DnsNames.literal("10.0.0.1"), DnsNames.literal("::1"));
        assertThat(HostsFile.addresses(lines, "catalog.old")).isEmpty();
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
        assertThat(config.family()).isEqualTo(Family.BOTH);
        assertThat(config.servers()).containsExactly(new InetSocketAddress("10.0.0.1", 53));
        assertThat(config.minTtl()).isEqualTo(Duration.ofSeconds(3));
        assertThat(config.maxTtl()).isEqualTo(Duration.ofSeconds(4));
        assertThat(config.timeout()).isEqualTo(Duration.ofSeconds(5));
        assertThat(config.toBuilder().build()).hasToString(config.toString());
        assertThat(config)
                .hasToString("dns(BOTH, [/10.0.0.1:53], ttl PT3S to PT4S, timeout PT5S," + " at most 4096 endpoints)");
    }
}
