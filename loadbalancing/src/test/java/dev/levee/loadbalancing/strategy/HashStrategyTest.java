package dev.levee.loadbalancing.strategy;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.levee.loadbalancing.Balancers;
import dev.levee.loadbalancing.LoadBalancer;
import dev.levee.loadbalancing.discovery.Endpoint;
import dev.levee.loadbalancing.discovery.EndpointSource;
import dev.levee.loadbalancing.hash.HashRing;
import dev.levee.loadbalancing.hash.Member;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.UnknownHostException;
import java.nio.CharBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.ForAll;
import net.jqwik.api.From;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import net.jqwik.api.constraints.IntRange;
import net.jqwik.api.constraints.Size;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class HashStrategyTest {
    private static LoadBalancer<String> over(BalancingStrategy strategy, List<Endpoint<String>> endpoints) {
        return LoadBalancer.of("nodes", strategy, EndpointSource.of(endpoints));
    }

    private static String owner(LoadBalancer<String> balancer, CharSequence key) {
        return balancer.call(key, address -> address);
    }

    @Nested
    class ByText {
        private final LoadBalancer<String> nodes = over(BalancingStrategy.rendezvous(), Balancers.endpoints(10));

        @Test
        void a_key_goes_to_one_endpoint_in_every_balancer() {
            LoadBalancer<String> elsewhere = over(BalancingStrategy.rendezvous(), Balancers.endpoints(10));
            for (int i = 0; i < 200; i++) {
                assertThat(owner(elsewhere, "key " + i)).isEqualTo(owner(nodes, CharBuffer.wrap("key " + i)));
            }
        }

        /**
         * Places that must be the same in every JVM and every version; computed by another program with the reference
         * XXH64.
         */
        @Test
        void keys_stay_where_they_were_in_earlier_versions() {
            StringBuilder owners = new StringBuilder();
            StringBuilder weighted = new StringBuilder();
            LoadBalancer<String> uneven = over(
                    BalancingStrategy.rendezvous(),
                    List.of(Endpoint.of("a", 1), Endpoint.of("b", 2), Endpoint.of("c", 3.5)));
            for (int i = 0; i < 20; i++) {
                owners.append(owner(nodes, "key " + i).charAt(2));
                weighted.append(owner(uneven, "key " + i));
            }
            assertThat(owners).hasToString("95341248560071996319");
            assertThat(weighted).hasToString("cbbbbccbcccbcacbcccc");
        }

        @Test
        void a_number_is_a_key_and_calls_without_a_key_go_anywhere() {
            Set<String> byNumber = new HashSet<>();
            Set<String> without = new HashSet<>();
            for (long i = 0; i < 500; i++) {
                String there = nodes.call(i, address -> address);
                assertThat(nodes.<String, RuntimeException>call(i, address -> address))
                        .isEqualTo(there);
                byNumber.add(there);
                without.add(nodes.call(address -> address));
            }
            assertThat(byNumber).hasSize(10);
            assertThat(without).hasSize(10);
        }

        @Test
        void shares_follow_weights() {
            Map<String, Integer> counts = new HashMap<>();
            LoadBalancer<String> uneven = over(
                    BalancingStrategy.rendezvous(),
                    List.of(Endpoint.of("a", 6), Endpoint.of("b", 3), Endpoint.of("c", 1)));
            for (int i = 0; i < 50_000; i++) {
                counts.merge(owner(uneven, "key " + i), 1, Integer::sum);
            }
            assertThat(counts.get("a") / 5e4).isCloseTo(0.6, within(0.01));
            assertThat(counts.get("b") / 5e4).isCloseTo(0.3, within(0.01));
            assertThat(counts.get("c") / 5e4).isCloseTo(0.1, within(0.01));
        }

        @Test
        void the_keys_of_a_dead_endpoint_are_spread_over_all_others_and_come_back() {
            Balancers gated = Balancers.over(BalancingStrategy.rendezvous(), 6);
            Map<String, String> before = new HashMap<>();
            for (int i = 0; i < 3_000; i++) {
                before.put("key " + i, owner(gated.balancer, "key " + i));
            }
            gated.shut(2);
            Map<String, Integer> heirs = new HashMap<>();
            before.forEach((key, there) -> {
                String now = owner(gated.balancer, key);
                if (there.equals("e02")) {
                    heirs.merge(now, 1, Integer::sum);
                } else {
                    assertThat(now).isEqualTo(there);
                }
            });
            assertThat(heirs)
                    .hasSize(5)
                    .allSatisfy((id, keys) -> assertThat(keys).isBetween(60, 140));
            gated.open(2);
            before.forEach(
                    (key, there) -> assertThat(owner(gated.balancer, key)).isEqualTo(there));
        }
    }

    @Property(tries = 40)
    void only_the_keys_of_an_endpoint_that_leaves_move_and_only_to_it_when_it_joins(
            @ForAll @IntRange(min = 2, max = 15) int size, @ForAll boolean weighted, @ForAll long seed) {
        for (BalancingStrategy strategy : List.of(
                BalancingStrategy.rendezvous(), BalancingStrategy.ipHash(), BalancingStrategy.consistentHash())) {
            Random random = new Random(seed);
            List<Endpoint<String>> all = new ArrayList<>();
            for (int i = 0; i < size; i++) {
                all.add(Endpoint.of("node " + i, weighted ? 0.5 + random.nextInt(4) : 1));
            }
            List<Endpoint<String>> fewer = new ArrayList<>(all);
            String gone = fewer.remove(random.nextInt(size)).id();
            LoadBalancer<String> with = over(strategy, all);
            LoadBalancer<String> without = over(strategy, fewer);
            for (int i = 0; i < 300; i++) {
                String key = Long.toString(random.nextLong(), 36);
                String before = owner(with, key);
                if (!before.equals(gone)) {
                    assertThat(owner(without, key)).isEqualTo(before);
                }
            }
        }
    }

    @Nested
    class ByIp {
        private static long hash(String key) {
            return BalancingStrategy.ipHash().hash(key);
        }

        @ParameterizedTest
        @CsvSource({
            "::1, 0:0:0:0:0:0:0:1",
            "::1, [::1]",
            "::1, 0000:0000:0000:0000:0000:0000:0000:0001",
            "::, 0:0:0:0:0:0:0:0",
            "2001:db8::ff00:42:8329, 2001:0DB8:0000:0000:0000:FF00:0042:8329",
            "1::, 1:0:0:0:0:0:0:0",
            "1::8, 1:0:0:0:0:0:0:8",
            "10.0.0.1, ::ffff:10.0.0.1",
            "10.0.0.1, ::FFFF:0a00:0001",
            "10.0.0.1, 0:0:0:0:0:ffff:10.0.0.1",
            "64:ff9b::10.0.0.1, 64:ff9b::a00:1",
            "fe80::1%eth0, fe80:0:0:0:0:0:0:1%eth0",
            "fe80::1%eth0, [FE80::1%eth0]",
            "255.255.255.255, ::ffff:ffff:ffff",
        })
        void spellings_of_one_address_are_one_key(String one, String other) {
            assertThat(hash(one)).isEqualTo(hash(other));
        }

        @ParameterizedTest
        @CsvSource({
            "::1, ::2",
            "::1, 1::",
            "10.0.0.1, 10.0.0.2",
            "10.0.0.1, ::10.0.0.1",
            "fe80::1%eth0, fe80::1%eth1",
            "fe80::1%eth0, fe80::1",
            "10.0.0.1, 010.0.0.1",
            "10.0.0.1, 10.0.0.1:80",
            "1:2:3:4:5:6:7:8, 1:2:3:4:5:6:7:8:9",
        })
        void different_addresses_are_different_keys(String one, String other) {
            assertThat(hash(one)).isNotEqualTo(hash(other));
        }

        @ParameterizedTest
        @ValueSource(
                strings = {
                    "",
                    "x",
                    ":",
                    ":::",
                    "1:",
                    ":1",
                    "1::2::3",
                    "1:2:3:4:5:6:7",
                    "12345::",
                    "g::",
                    "1.2.3",
                    "1.2.3.4.5",
                    "256.1.1.1",
                    "1.2.3.",
                    ".1.2.3",
                    "1..2.3",
                    "::1.2.3",
                    "1:2:3:4:5:6:7:1.2.3.4",
                    "::1.2.3.4:5",
                    "[",
                    "]",
                    "[]",
                    "[:]",
                    "user 42",
                    "\u0661.2.3.4",
                    "1.2.3.99999999999",
                    "%",
                    ":%",
                    "1:2:3:4:5:6:7:8:"
                })
        void what_is_no_address_is_taken_as_text(String key) {
            assertThat(hash(key)).isEqualTo(BalancingStrategy.rendezvous().hash(key));
        }
    }

    @Property
    void an_ipv6_address_hashes_the_same_in_every_form_that_the_jdk_can_read(
            @ForAll @Size(16) byte[] address, @ForAll("zeros") int zeros) throws UnknownHostException {
        Arrays.fill(address, zeros / 16, Math.min(16, zeros / 16 + zeros % 16), (byte) 0);
        InetAddress resolved = InetAddress.getByAddress(address);
        String full = resolved.getHostAddress();
        String withPort = Endpoint.of(new InetSocketAddress(resolved, 0)).id();
        String compressed = withPort.substring(0, withPort.length() - 2);
        BalancingStrategy byIp = BalancingStrategy.ipHash();
        assertThat(byIp.hash(compressed)).isEqualTo(byIp.hash(full));
        assertThat(byIp.hash(full.toUpperCase(java.util.Locale.ROOT))).isEqualTo(byIp.hash(full));
        assertThat(InetAddress.getByName(compressed)).isEqualTo(resolved);
    }

    @Provide
    Arbitrary<Integer> zeros() {
        return Arbitraries.integers().between(0, 255);
    }

    @Property(tries = 2_000)
    void no_text_is_a_problem(@ForAll @From("almostAddresses") String text) throws UnknownHostException {
        long hash = BalancingStrategy.ipHash().hash(text);
        if (hash != BalancingStrategy.rendezvous().hash(text) && text.indexOf('%') < 0) {
            assertThat(InetAddress.getByName(text)).isNotNull(); // so it was an address
        }
    }

    @Provide
    Arbitrary<String> almostAddresses() {
        return Arbitraries.strings().withChars("0123456789abF:.[]%:::..").ofMaxLength(24);
    }

    @Test
    void the_strategy_of_the_ring_sends_a_key_where_the_ring_says() {
        HashRing ring = HashRing.of(Balancers.endpoints(9).stream()
                .map(endpoint -> Member.of(endpoint.id()))
                .toList());
        LoadBalancer<String> nodes = over(BalancingStrategy.consistentHash(), Balancers.endpoints(9));
        for (int i = 0; i < 500; i++) {
            assertThat(owner(nodes, "key " + i)).isEqualTo(Balancers.id(ring.indexOf("key " + i)));
            assertThat(nodes.<String, RuntimeException>call((long) i, address -> address))
                    .isEqualTo(Balancers.id(ring.indexOf((long) i)));
        }
    }

    @Test
    void a_ring_of_the_users_own_is_a_strategy() {
        LoadBalancer<String> nodes =
                over(BalancingStrategy.consistentHash(members -> HashRing.of(members, 1)), Balancers.endpoints(9));
        HashRing ring = HashRing.of(
                Balancers.endpoints(9).stream()
                        .map(endpoint -> Member.of(endpoint.id()))
                        .toList(),
                1);
        assertThat(owner(nodes, "key")).isEqualTo(Balancers.id(ring.indexOf("key")));
    }
}
