package dev.levee.loadbalancing;

import static org.assertj.core.api.Assertions.assertThat;

import dev.levee.loadbalancing.discovery.Endpoint;
import dev.levee.loadbalancing.discovery.EndpointSource;
import dev.levee.loadbalancing.hash.ConsistentHash;
import dev.levee.loadbalancing.hash.HashRing;
import dev.levee.loadbalancing.hash.JumpHash;
import dev.levee.loadbalancing.hash.Maglev;
import dev.levee.loadbalancing.hash.Member;
import dev.levee.loadbalancing.hash.MementoHash;
import dev.levee.loadbalancing.hash.RendezvousHash;
import dev.levee.loadbalancing.hash.ShardMap;
import dev.levee.loadbalancing.strategy.BalancingStrategy;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.UnknownHostException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

/** Clients must send a key to one endpoint without talking to each other: so every JVM must compute the same. */
class AgreementTest {
    /** Started in another JVM, with other settings. */
    public static void main(String[] args) throws UnknownHostException {
        System.out.print(String.join("\n", answers(Long.parseLong(args[0]))));
    }

    /** The ids of addresses in many forms, and the owners of keys among them; in any order. */
    static List<String> answers(long seed) throws UnknownHostException {
        List<InetSocketAddress> addresses = new ArrayList<>();
        for (String host :
                List.of("10.0.0.1", "::1", "0:0:0:0:0:0:0:2", "::ffff:10.0.0.3", "2001:DB8::00FF", "fe80::1%1")) {
            addresses.add(InetSocketAddress.createUnresolved(host, 80));
        }
        addresses.add(InetSocketAddress.createUnresolved("Catalog.INTERNAL", 8080));
        addresses.add(
                new InetSocketAddress(InetAddress.getByAddress("name-of-ten-seven", new byte[] {10, 0, 0, 7}), 80));
        addresses.add(new InetSocketAddress(InetAddress.getByAddress(new byte[] {10, 0, 0, 8}), 80));
        Collections.shuffle(addresses, new Random(seed));
        List<Endpoint<InetSocketAddress>> endpoints = new ArrayList<>();
        addresses.forEach(address -> endpoints.add(Endpoint.of(address)));
        List<Member> members =
                endpoints.stream().map(endpoint -> Member.of(endpoint.id())).toList();
        List<Member> weighted = members.stream()
                .map(member -> new Member(member.id(), 1 + member.id().length() / 7.0))
                .toList();
        List<ConsistentHash> hashes = List.of(
                HashRing.of(weighted),
                HashRing.envoy(weighted),
                HashRing.ketama(weighted),
                Maglev.of(weighted),
                JumpHash.of(members),
                RendezvousHash.of(members),
                RendezvousHash.of(weighted),
                MementoHash.of(members).without("[::1]:80"));
        List<String> answers = new ArrayList<>();
        endpoints.stream().map(Endpoint::id).sorted().forEach(answers::add);
        ShardMap map = ShardMap.of(weighted, 256);
        LoadBalancer<InetSocketAddress> nodes =
                LoadBalancer.of("nodes", BalancingStrategy.rendezvous(), EndpointSource.of(endpoints));
        for (int i = 0; i < 200; i++) {
            StringBuilder line = new StringBuilder();
            for (ConsistentHash hash : hashes) {
                line.append(hash.indexOf("k\u00e4y " + i))
                        .append(' ')
                        .append(hash.indexOf((long) i))
                        .append(' ');
            }
            line.append(map.shardOf("k\u00e4y " + i)).append(' ');
            try (Ticket<InetSocketAddress> ticket =
                    nodes.forKey("k\u00e4y " + i).pick()) {
                answers.add(line + ticket.endpoint().id());
            }
        }
        return answers;
    }

    @Test
    void another_jvm_with_other_settings_agrees_on_ids_and_owners() throws Exception {
        Process other = new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "-Xint",
                        "-XX:+UseSerialGC",
                        "-Xmx64m",
                        "-Dfile.encoding=UTF-8",
                        "-Dsun.stdout.encoding=UTF-8",
                        "-Duser.language=tr",
                        "-Djava.net.preferIPv6Addresses=true",
                        "-cp",
                        System.getProperty("java.class.path"),
                        AgreementTest.class.getName(),
                        "2")
                .redirectError(ProcessBuilder.Redirect.DISCARD)
                .start();
        String output = new String(other.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertThat(other.waitFor()).isZero();
        assertThat(List.of(output.split("\n", -1))).isEqualTo(answers(1));
    }

    @Test
    void addresses_are_known_by_what_they_are() throws UnknownHostException {
        assertThat(answers(3).subList(0, 9))
                .containsExactly(
                        "10.0.0.1:80",
                        "10.0.0.3:80",
                        "10.0.0.8:80",
                        "[2001:db8::ff]:80",
                        "[::1]:80",
                        "[::2]:80",
                        "[fe80::1%1]:80",
                        "catalog.internal:8080",
                        "name-of-ten-seven:80");
    }
}
